/** Environment variables that override single configuration keys: `s3.port` is `LATENTBOX_S3_PORT`. */
import { z } from 'zod';
import { configSchema } from './schema.js';

interface JsonSchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly anyOf?: readonly JsonSchemaNode[];
  readonly oneOf?: readonly JsonSchemaNode[];
}

/** `cache.promotionHits` → `LATENTBOX_CACHE_PROMOTION_HITS`. */
export function environmentName(path: readonly string[]): string {
  return `LATENTBOX_${path.map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_')}`;
}

/** Paths of the keys that hold one scalar: those that an environment variable can set. */
export function scalarPaths(node: JsonSchemaNode, path: readonly string[] = []): (readonly string[])[] {
  const alternatives = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  if (node.properties) {
    return Object.entries(node.properties).flatMap(([key, child]) => scalarPaths(child, [...path, key]));
  }
  const objects = alternatives.filter((alternative) => alternative.properties);
  if (objects.length > 0) return objects.flatMap((alternative) => scalarPaths(alternative, path));
  const listsOnly = alternatives.length > 0 ? alternatives.every((a) => a.type === 'array') : node.type === 'array';
  return listsOnly || node.type === 'object' ? [] : [path];
}

export function configJsonSchema(): JsonSchemaNode {
  return z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchemaNode;
}

export interface EnvironmentOverride {
  readonly name: string;
  readonly path: readonly string[];
  readonly value: string | number | boolean;
}

/** The overrides that are set, with numbers and booleans read as such. */
export function environmentOverrides(environment: Readonly<Record<string, string | undefined>>): EnvironmentOverride[] {
  const seen = new Set<string>();
  const overrides: EnvironmentOverride[] = [];
  for (const path of scalarPaths(configJsonSchema())) {
    const name = environmentName(path);
    const text = environment[name];
    if (text === undefined || text === '' || seen.has(name)) continue;
    seen.add(name);
    overrides.push({ name, path, value: parseScalar(text) });
  }
  return overrides;
}

function parseScalar(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
