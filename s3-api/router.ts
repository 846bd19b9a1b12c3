/** Finds the row of the route table that a request belongs to. */
import { errors } from './errors.js';
import type { Level, Route } from './operation.js';

/** Parameters that qualify an operation and never choose one. */
const PLAIN_PARAMETERS: ReadonlySet<string> = new Set([
  'prefix',
  'delimiter',
  'marker',
  'max-keys',
  'encoding-type',
  'list-type',
  'continuation-token',
  'start-after',
  'fetch-owner',
  'key-marker',
  'version-id-marker',
  'upload-id-marker',
  'max-uploads',
  'max-parts',
  'part-number-marker',
  'max-buckets',
  'bucket-region',
  'versionId',
  'partNumber',
  'uploadId',
]);

interface CompiledRoute {
  readonly route: Route;
  readonly conditions: readonly { readonly name: string; readonly value?: string }[];
}

export interface Router {
  /** Throws NotImplemented for a sub-resource that no row knows, MethodNotAllowed for a method that the resource has not. */
  match(method: string, level: Level, query: ReadonlyMap<string, string>, headers: ReadonlyMap<string, string>): Route;
}

/** Compiles the table once: rows by method and level, the most specific first. */
export function compileRoutes(routes: readonly Route[]): Router {
  const table = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    const conditions = (route.query ?? []).map((text) => {
      const [name = '', value] = text.split('=');
      return value === undefined ? { name } : { name, value };
    });
    const slot = `${route.method} ${route.level}`;
    table.set(slot, [...(table.get(slot) ?? []), { route, conditions }]);
  }
  const specificity = ({ route, conditions }: CompiledRoute) =>
    conditions.length * 2 + (route.header === undefined ? 0 : 1);
  for (const rows of table.values()) rows.sort((a, b) => specificity(b) - specificity(a));

  return {
    match(method, level, query, headers) {
      const rows = table.get(`${method} ${level}`) ?? [];
      const found = rows.find(
        ({ route, conditions }) =>
          conditions.every(({ name, value }) => (value === undefined ? query.has(name) : query.get(name) === value)) &&
          (route.header === undefined || headers.has(route.header)),
      );
      const unknown = unmatchedSubResource(query, found);
      if (found !== undefined && unknown === undefined) return found.route;
      throw refusal(routes, method, level, unknown);
    },
  };
}

/** A parameter without a value names a sub-resource, unless it is one of S3's ordinary ones or a header in disguise. */
function unmatchedSubResource(
  query: ReadonlyMap<string, string>,
  found: CompiledRoute | undefined,
): string | undefined {
  if (query.size === 0) return undefined;
  for (const [name, value] of query) {
    if (value !== '' || PLAIN_PARAMETERS.has(name) || /^(?:x-|response-)/i.test(name)) continue;
    if (found?.conditions.some((condition) => condition.name === name) !== true) return name;
  }
  return undefined;
}

function refusal(routes: readonly Route[], method: string, level: Level, subResource: string | undefined): Error {
  if (subResource !== undefined) return errors.notImplemented(subResource);
  const others = routes.filter((route) => route.level === level && route.query === undefined);
  return errors.methodNotAllowed(method, level.toUpperCase(), [...new Set(others.map((route) => route.method))]);
}
