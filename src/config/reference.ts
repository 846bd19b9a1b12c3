/** Generates what people read of the configuration from its schema: docs/configuration.md and the JSON Schema. */
import { configJsonSchema, environmentName } from './environment.js';

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** Keys whose default is a fact of the machine, with how it is found. */
const MACHINE_DEFAULTS: Readonly<Record<string, string>> = {
  'decode.threads': 'cores',
  'decode.codecWorkers': 'half the cores, at least 1',
};

/** The JSON Schema for editors, without the defaults that depend on the machine that made it. */
export function configurationSchemaFile(): string {
  const schema = structuredClone(configJsonSchema()) as SchemaNode;
  for (const path of Object.keys(MACHINE_DEFAULTS)) {
    const node = path.split('.').reduce<SchemaNode | undefined>((at, part) => at?.properties?.[part], schema);
    if (node) Reflect.deleteProperty(node, 'default');
  }
  return `${JSON.stringify({ ...schema, title: 'LatentBox configuration' }, null, 2)}\n`;
}

/** docs/configuration.md. */
export function configurationPage(): string {
  const sections = Object.entries((configJsonSchema() as SchemaNode).properties ?? {}).map(([name, node]) =>
    section(name, node),
  );
  return `${[
    '# Configuration',
    '',
    '<!-- Generated from src/config/schema.ts by `npm run docs`; do not edit. -->',
    '',
    '`latentbox serve --config FILE` reads YAML. Defaults are overridden by the file, the file by environment variables, these by the command line. Every fault is reported at once, with its line. `config/latentbox.schema.json` gives editors completion. Relative paths are taken from the file’s folder.',
    '',
    'Sizes are written as `2GiB`, `512MB`, bytes, or a share of memory such as `25%`. Durations are seconds.',
    ...sections,
  ].join('\n')}\n`;
}

function section(name: string, node: SchemaNode): string {
  const lines = ['', `## \`${name}\``];
  const about = node.description ?? node.items?.description;
  if (about !== undefined) lines.push('', about);
  const rows = variants(node).flatMap((variant) => rowsOf(variant, [name], name));
  if (rows.length > 0)
    lines.push('', '| key | form | default | variable | meaning |', '| --- | --- | --- | --- | --- |', ...unique(rows));
  return lines.join('\n');
}

/** The object forms of a node: itself, its items, or each alternative of a union. */
function variants(node: SchemaNode): readonly SchemaNode[] {
  if (node.properties) return [node];
  if (node.items) return variants(node.items);
  return [...(node.oneOf ?? []), ...(node.anyOf ?? [])].flatMap(variants);
}

function rowsOf(node: SchemaNode, path: readonly string[], root: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const here = [...path, key];
    if (child.properties && child.type === 'object') return rowsOf(child, here, root);
    const scalar =
      child.type !== 'array' &&
      child.type !== 'object' &&
      root !== 'credentials' &&
      root !== 'policies' &&
      root !== 'anonymous';
    const variable = scalar ? `\`${environmentName(here)}\`` : '';
    const fallback =
      MACHINE_DEFAULTS[here.join('.')] ?? (child.default === undefined ? '' : `\`${JSON.stringify(child.default)}\``);
    return [`| \`${here.join('.')}\` | ${form(child)} | ${fallback} | ${variable} | ${child.description ?? ''} |`];
  });
}

function form(node: SchemaNode): string {
  const alternatives = [...(node.anyOf ?? []), ...(node.oneOf ?? [])];
  if (alternatives.length > 0) return unique(alternatives.map(form)).join(' or ');
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.type === 'array') return `list of ${node.items ? form(node.items) : 'anything'}`;
  const bounds = [node.minimum, node.maximum].some(
    (bound) => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER,
  )
    ? ` ${node.minimum ?? ''}…${node.maximum !== undefined && node.maximum < Number.MAX_SAFE_INTEGER ? node.maximum : ''}`
    : '';
  return `${node.type ?? 'value'}${bounds}`;
}

function unique(rows: readonly string[]): string[] {
  return [...new Set(rows)];
}
