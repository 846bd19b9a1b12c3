/** Cross-origin access by bucket CORS documents. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html */
import { LRUCache } from 'lru-cache';
import { errors, S3Error } from './errors.js';
import type { ObjectStore } from './object-store.js';
import { childElements, childText, childTexts, parseXml } from './xml/parse.js';

const CORS_METHODS: ReadonlySet<string> = new Set(['GET', 'PUT', 'HEAD', 'POST', 'DELETE']);
/** A header's name, RFC 9110 section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const MAX_RULES = 100;
const MAX_CACHED_BUCKETS = 1000;
/** How long another node's change of a document may go unseen. */
const CACHE_TTL_MS = 10_000;

export interface CorsRule {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Lower case. */
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
}

/** Reads a CORSConfiguration. Throws MalformedXML or InvalidRequest. */
export function parseCorsDocument(xml: string): readonly CorsRule[] {
  const rules = childElements(parseXml(xml, 'CORSConfiguration'), 'CORSRule').map((rule): CorsRule => {
    const origins = childTexts(rule, 'AllowedOrigin');
    const methods = childTexts(rule, 'AllowedMethod');
    const headers = childTexts(rule, 'AllowedHeader').map((header) => header.toLowerCase());
    if (origins.length === 0 || methods.length === 0) throw errors.malformedXml();
    for (const method of methods)
      if (!CORS_METHODS.has(method))
        throw errors.invalidRequest(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
    for (const origin of origins) requireOneWildcard('AllowedOrigin', origin);
    for (const header of headers) requireOneWildcard('AllowedHeader', header);
    const maxAge = childText(rule, 'MaxAgeSeconds');
    if (maxAge !== undefined && !/^-?\d{1,9}$/.test(maxAge)) throw errors.malformedXml();
    return {
      origins,
      methods,
      headers,
      exposeHeaders: childTexts(rule, 'ExposeHeader'),
      ...(maxAge !== undefined && { maxAgeSeconds: Number(maxAge) }),
    };
  });
  if (rules.length === 0 || rules.length > MAX_RULES) throw errors.malformedXml();
  return rules;
}

function requireOneWildcard(element: string, value: string): void {
  if (value.split('*').length > 2)
    throw errors.invalidRequest(`${element} "${value}" can not have more than one wildcard.`);
}

/** `*` stands for any run of characters, at most once. */
function matchesWildcard(pattern: string, value: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === value;
  const head = pattern.slice(0, star);
  const tail = pattern.slice(star + 1);
  return value.length >= head.length + tail.length && value.startsWith(head) && value.endsWith(tail);
}

/** The first rule that lets `origin` use `method` with `headers` (lower case). */
export function findCorsRule(
  rules: readonly CorsRule[],
  origin: string,
  method: string,
  headers: readonly string[] = [],
): CorsRule | undefined {
  return rules.find(
    (rule) =>
      rule.methods.includes(method) &&
      rule.origins.some((pattern) => matchesWildcard(pattern, origin)) &&
      headers.every((header) => rule.headers.some((pattern) => matchesWildcard(pattern, header))),
  );
}

/** Response headers that a matched rule grants. */
export function corsHeaders(rule: CorsRule, origin: string): Record<string, string> {
  const anyOrigin = rule.origins.includes('*');
  return {
    'access-control-allow-origin': anyOrigin ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(!anyOrigin && { 'access-control-allow-credentials': 'true' }),
    ...(rule.exposeHeaders.length > 0 && { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** Buckets' CORS rules, kept for some seconds. */
export class BucketCors {
  readonly #store: Pick<ObjectStore, 'getBucketDocument'>;
  readonly #cache = new LRUCache<string, readonly CorsRule[]>({ max: MAX_CACHED_BUCKETS, ttl: CACHE_TTL_MS });

  constructor(store: Pick<ObjectStore, 'getBucketDocument'>) {
    this.#store = store;
  }

  /** To be called when the document was changed here. */
  forget(bucket: string): void {
    this.#cache.delete(bucket);
  }

  /** Headers for an actual answer; none where there is no Origin, no bucket or no rule. */
  async answerHeaders(
    bucket: string,
    method: string,
    headers: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const origin = headers.get('origin');
    if (origin === undefined || bucket === '') return undefined;
    const rule = findCorsRule(await this.#rules(bucket, signal), origin, method);
    return rule === undefined ? undefined : corsHeaders(rule, origin);
  }

  /** Headers that grant a preflight. Throws BadRequest or AccessForbidden. */
  async preflightHeaders(
    bucket: string,
    headers: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, string>>> {
    const origin = headers.get('origin');
    if (origin === undefined || origin === '')
      throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.');
    const method = headers.get('access-control-request-method');
    if (method === undefined || !CORS_METHODS.has(method))
      throw new S3Error('BadRequest', `Invalid Access-Control-Request-Method: ${method ?? 'null'}`);
    const requested = (headers.get('access-control-request-headers') ?? '')
      .split(',')
      .map((header) => header.trim().toLowerCase())
      .filter((header) => header !== '');
    const rules = bucket === '' ? [] : await this.#rules(bucket, signal);
    if (requested.some((header) => !HEADER_NAME.test(header)))
      throw new S3Error('BadRequest', `Invalid Access-Control-Request-Headers: ${requested.join(', ')}`);
    const rule = findCorsRule(rules, origin, method, requested);
    if (rule === undefined)
      throw new S3Error(
        'AccessForbidden',
        rules.length === 0
          ? 'CORSResponse: CORS is not enabled for this bucket.'
          : "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        { fields: { Method: method, ResourceType: 'OBJECT' } },
      );
    return {
      ...corsHeaders(rule, origin),
      ...(requested.length > 0 && { 'access-control-allow-headers': requested.join(', ') }),
    };
  }

  async #rules(bucket: string, signal: AbortSignal): Promise<readonly CorsRule[]> {
    const cached = this.#cache.get(bucket);
    if (cached !== undefined) return cached;
    const rules = await this.#read(bucket, signal);
    this.#cache.set(bucket, rules);
    return rules;
  }

  async #read(bucket: string, signal: AbortSignal): Promise<readonly CorsRule[]> {
    try {
      const document = await this.#store.getBucketDocument(bucket, 'cors', signal);
      return document === undefined ? [] : parseCorsDocument(document);
    } catch (error) {
      // A bucket that does not exist, or a store without such documents, grants nothing.
      if (error instanceof S3Error && (error.code === 'NoSuchBucket' || error.code === 'NotImplemented')) return [];
      throw error;
    }
  }
}
