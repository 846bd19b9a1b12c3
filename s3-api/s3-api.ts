/** Puts the front together: store and credentials in, a Hono app and a listening server out. */
import { createHash } from 'node:crypto';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { normalizeDomains } from './address.js';
import { authenticate } from './auth/authenticate.js';
import { authorize } from './auth/authorize.js';
import type { CredentialStore } from './auth/credentials.js';
import { verifyPostPolicy } from './auth/post-policy.js';
import type { AuthenticationDeps } from './auth/types.js';
import { decodeRequestBody } from './body/decode-request-body.js';
import { BucketCors } from './cors.js';
import type { AccessRecord } from './http/access-record.js';
import { RequestHandler } from './http/handle-request.js';
import { invalidUriResponse, S3Server, type ListenOptions, type ServerLimits } from './http/server.js';
import type { ObjectStore } from './object-store.js';
import type { OperationDeps, Owner } from './operation.js';
import { compileRoutes } from './router.js';
import { ROUTES } from './routes.js';

const DEFAULT_DRAIN_MS = 30_000;

export interface S3ApiOptions {
  readonly store: ObjectStore;
  readonly credentials: CredentialStore;
  /** The region that signatures name and that buckets say they are in. */
  readonly region: string;
  /** Names under which `bucket.name` addresses a bucket; path-style addressing always works. Default: none. */
  readonly domains?: readonly string[];
  /** Where clients reach this server when a proxy rewrites Host. */
  readonly externalUrls?: readonly URL[];
  /** Who owns every bucket and object, in listings and ACLs. Default: an id made from `accountId`. */
  readonly owner?: Owner;
  /** Twelve digits that `x-amz-expected-bucket-owner` is compared with. Absent: the header is passed to the store unread. */
  readonly accountId?: string;
  /** The `Server` header. Default `LatentBox`. */
  readonly serverName?: string;
  readonly limits?: ServerLimits;
  /** Called once a request, when its connection has taken the whole answer or gone away: the access log. */
  readonly accessLog?: (record: AccessRecord) => void;
  /** The same for metrics. */
  readonly metrics?: (record: AccessRecord) => void;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
}

export interface ListeningServer {
  /** `http://127.0.0.1:9000`. */
  readonly url: string;
  readonly port: number;
  /** Stops accepting, lets requests finish, and ends what has not after `timeLimitMs` (default 30,000). */
  close(timeLimitMs?: number): Promise<void>;
}

export interface S3Api {
  /**
   * The front as a Hono app, to be mounted or extended. It answers on Node's response itself, since S3 needs the raw
   * request target and `100 Continue`: `fetch` must get Node's bindings (`{ incoming, outgoing }`) as its environment.
   */
  readonly app: Hono<{ Bindings: HttpBindings }>;
  /** Serves the app. Rejects where the port cannot be had. */
  listen(options: ListenOptions): Promise<ListeningServer>;
}

/** Makes an S3 front for any {@link ObjectStore}. Nothing runs until `listen` is called. */
export function createS3Api(options: S3ApiOptions): S3Api {
  const handler = new RequestHandler(handlerOptions(options));
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all('*', async ({ env }) => {
    await handler.handle(env.incoming, env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  return {
    app,
    async listen({ host, port, tls }) {
      const listener = getRequestListener((request, env) => app.fetch(request, env), {
        overrideGlobalObjects: false,
        // The front reads away or closes unread bodies itself.
        autoCleanupIncoming: false,
        errorHandler: invalidUriResponse,
      });
      const server = new S3Server(listener, handler, options.limits ?? {}, tls);
      const address = await server.listen(host, port);
      const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return {
        url: `${tls === undefined ? 'http' : 'https'}://${name}:${address.port}`,
        port: address.port,
        close: (timeLimitMs = DEFAULT_DRAIN_MS) => server.close(timeLimitMs),
      };
    },
  };
}

function handlerOptions(options: S3ApiOptions) {
  const { store, credentials, region, externalUrls, accountId, accessLog, metrics } = options;
  const now = options.now ?? (() => new Date());
  const domains = normalizeDomains(options.domains ?? []);
  const authentication: AuthenticationDeps = {
    credentials,
    region,
    now,
    domains,
    ...(externalUrls !== undefined && { externalUrls }),
  };
  const deps: OperationDeps = {
    store,
    region,
    owner: options.owner ?? defaultOwner(accountId ?? 'latentbox'),
    cors: new BucketCors(store),
    now,
    authorize: ({ principal }, action, bucket, key) =>
      authorize(principal, action, bucket, key === '' ? undefined : key),
    authenticateForm: (fields) => verifyPostPolicy(fields, authentication),
  };
  return {
    deps,
    router: compileRoutes(ROUTES),
    domains,
    serverName: options.serverName ?? 'LatentBox',
    authenticate: (request: Parameters<typeof authenticate>[0]) => authenticate(request, authentication),
    decodeBody: decodeRequestBody,
    onFinished: (record: AccessRecord) => {
      accessLog?.(record);
      metrics?.(record);
    },
    ...(accountId !== undefined && { accountId }),
  };
}

function defaultOwner(account: string): Owner {
  return { id: createHash('sha256').update(account).digest('hex'), displayName: account };
}
