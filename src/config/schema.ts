/** Every configuration key, with its default, bounds and meaning: the one source of the validator, the JSON Schema and docs/configuration.md. */
import { availableParallelism, totalmem } from 'node:os';
import { z } from 'zod';
import { CACHE_POLICIES, DEFAULT_TAIL } from '../cache/presets.js';
import { byteSize } from './byte-size.js';

const memory = totalmem();
const port = z.number().int().min(0).max(65_535);
const seconds = z.number().positive().max(86_400);

/** `s3:*`-style action patterns on `bucket/prefix*` resource patterns. */
const rule = z.strictObject({
  actions: z
    .array(z.string().min(1))
    .min(1)
    .describe('S3 actions, with `*` as a wildcard: `s3:GetObject`, `s3:List*`, `*`.'),
  resources: z
    .array(z.string().min(1))
    .min(1)
    .describe('Buckets and keys, with `*` as a wildcard: `images`, `images/public/*`, `*`.'),
});

const s3 = z.strictObject({
  host: z.string().default('127.0.0.1').describe('Address that the S3 front listens on.'),
  port: port.default(9000).describe('Port of the S3 front; 0 takes a free one.'),
  region: z.string().min(1).default('us-east-1').describe('Region that clients sign for.'),
  domains: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Domains for virtual-hosted addressing: with `s3.example.com`, `images.s3.example.com` is the bucket `images`.',
    ),
  externalUrls: z
    .array(z.url({ protocol: /^https?$/ }))
    .default([])
    .describe(
      'URLs that clients use where a proxy in front rewrites the Host header; their hosts are accepted in signatures. Never guessed from forwarded headers.',
    ),
  accountId: z
    .string()
    .regex(/^\d{12}$/, 'expected twelve digits')
    .optional()
    .describe(
      'The account that owns every bucket, compared with `x-amz-expected-bucket-owner`. Default: `000000000000` over the filesystem store; over an S3 store that one compares.',
    ),
  tls: z
    .strictObject({ certificate: z.string().min(1), key: z.string().min(1) })
    .optional()
    .describe('PEM files; absent: plain HTTP.'),
  maxConnections: z
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('Open client connections; further ones are refused.'),
  drainSeconds: seconds.default(30).describe('How long a graceful stop waits for requests in flight.'),
});

const admin = z.strictObject({
  host: z
    .string()
    .default('127.0.0.1')
    .describe(
      'Address of `/healthz`, `/readyz` and `/metrics`. They need no credentials: keep it on a private address.',
    ),
  port: port.default(9001).describe('Port of the admin server; 0 takes a free one.'),
});

const filesystemStore = z.strictObject({
  type: z.literal('filesystem'),
  path: z.string().min(1).default('./data').describe('Folder that holds a folder per bucket.'),
});

const s3Store = z.strictObject({
  type: z.literal('s3'),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Endpoint of the backing S3; absent: AWS.'),
  region: z.string().min(1).default('us-east-1'),
  accessKeyId: z.string().min(1).optional().describe("Absent: the AWS SDK's default provider chain."),
  secretAccessKey: z.string().min(1).optional(),
  sessionToken: z.string().min(1).optional(),
  bucketPrefix: z.string().default('').describe('Put in front of a bucket name to get the backing bucket.'),
  buckets: z
    .record(z.string(), z.string())
    .default({})
    .describe('Backing bucket by name, before `bucketPrefix` is tried.'),
  forcePathStyle: z.boolean().default(true),
  maxConnections: z.number().int().min(1).default(128).describe('Sockets to the backing S3.'),
  deadlineSeconds: seconds
    .default(30)
    .describe('Time for a request with its retries, up to the first byte of the answer.'),
});

export const policySchema = z
  .strictObject({
    match: z.string().min(1).describe('`bucket/prefix*`; the first policy that matches wins.'),
    put: z
      .enum(['latent', 'encode', 'verbatim'])
      .default('latent')
      .describe(
        '`latent`: latents are stored as latents, all else verbatim. `encode`: PNGs too become latents, where the floors below are reached; docs/encoding.md. `verbatim`: everything is stored byte for byte.',
      ),
    model: z.string().min(1).optional().describe('Model of latents that do not name one.'),
    decodeOnPut: z
      .boolean()
      .default(true)
      .describe(
        'Decode at PUT: proves that the latent decodes, records the PNG facts and warms the cache. `false` moves that work to the first HEAD, LIST or GET.',
      ),
    codec: z
      .enum(['pcodec', 'predictive', 'smallest'])
      .default('pcodec')
      .describe(
        'How latents are compressed. `pcodec`: official pcodec tools read the payload. `predictive`: 7 to 13 % smaller on the latents of common models, read by LatentBox only (docs/predictive-codec.md). `smallest`: the smaller of both for each latent. Applies to what is stored from then on; everything stored stays readable.',
      ),
    candidates: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        '`encode`: models to try, in order. Default: `model`, else all installed ones with an encoder, `models.default` first.',
      ),
    psnr: z
      .number()
      .min(20)
      .max(100)
      .default(38)
      .describe('`encode`: least PSNR of the decoded picture against the upload, in dB; below it the PNG is kept.'),
    ssim: z.number().min(0).max(1).default(0.98).describe('`encode`: least SSIM of the decoded picture.'),
    minSaving: z
      .number()
      .min(0)
      .max(1)
      .default(0.25)
      .describe("`encode`: least share of the PNG's bytes that the latent must save."),
    refineSteps: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(40)
      .describe("`encode`: most steps along the decoder's gradient; each costs about three decodes. 0: none."),
    refineSeconds: z
      .number()
      .min(0)
      .max(3600)
      .default(20)
      .describe('`encode`: time for the search over all candidates; the best so far is taken then.'),
    size: z
      .enum(['own', 'strict'])
      .default('own')
      .describe(
        '`encode`: the PNG served has the uploaded length wherever it fits. Where it does not: `own` gives it its own length, `strict` keeps the upload.',
      ),
    convertC2pa: z
      .boolean()
      .default(false)
      .describe(
        '`encode`: convert pictures with C2PA content credentials too. They come back byte for byte and do not match the new pixels.',
      ),
  })
  .describe('How objects under a prefix are stored.');

const kserve = z.strictObject({
  endpoints: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .describe('Base URLs, such as `http://triton:8000`; requests go to the one with the fewest outstanding.'),
  models: z
    .record(z.string(), z.strictObject({ name: z.string().min(1), version: z.string().min(1).optional() }))
    .describe('Remote model by the name of the installed one; models not named stay local.'),
  concurrency: z.number().int().min(1).max(1024).default(4).describe('Requests that one endpoint is given at once.'),
  deadlineSeconds: seconds.default(30).describe('Time for one decode with all its tries.'),
});

export const configSchema = z.strictObject({
  s3: s3.prefault({}),
  admin: admin.prefault({}),
  store: z.discriminatedUnion('type', [filesystemStore, s3Store]).prefault({ type: 'filesystem' }),
  state: z
    .strictObject({
      path: z
        .string()
        .min(1)
        .optional()
        .describe(
          'Folder for what can be made again (LIST facts, prepared models) and for the development credentials. Default: `.latentbox` inside the filesystem store, else `./data/.latentbox`.',
        ),
    })
    .prefault({}),
  credentials: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        accessKeyId: z.string().min(3).max(128),
        secretAccessKey: z.string().min(8),
        sessionToken: z
          .string()
          .min(1)
          .optional()
          .describe('Where set, requests must carry it as `x-amz-security-token`.'),
        allow: z.array(rule).default([{ actions: ['*'], resources: ['*'] }]),
      }),
    )
    .default([])
    .describe(
      'Who may do what. Empty: development credentials are made once, kept in the state folder and printed at start.',
    ),
  anonymous: z.array(rule).default([]).describe('What a request without credentials may do; reads only.'),
  models: z
    .strictObject({
      path: z
        .union([z.string().min(1), z.array(z.string().min(1))])
        .optional()
        .describe('Folder or folders of installed models, beside the bundled one.'),
      default: z
        .string()
        .min(1)
        .optional()
        .describe('Model of latents that neither name one nor match a policy that does.'),
    })
    .prefault({}),
  cache: z
    .strictObject({
      bytes: byteSize(memory)
        .prefault('25%')
        .describe('Budget of both tiers together, as bytes or a share of memory. 0 switches the cache off.'),
      alpha: z
        .union([z.literal('auto'), z.number().min(0).max(1)], { error: 'expected "auto" or a number from 0 to 1' })
        .default('auto')
        .describe('Share of the image tier. `auto`: it moves to where a byte saves most time; docs/cache.md.'),
      policy: z
        .enum(CACHE_POLICIES)
        .default('adaptive')
        .describe(
          '`adaptive`: SIEVE in the image tier, evicted images fall back to the latent tier, the border goes to the least cost that five small shadow caches show. `published`: two LRU tiers and a fixed step, for comparison.',
        ),
      promotionHits: z
        .number()
        .int()
        .min(1)
        .max(1000)
        .optional()
        .describe('Latent hits that move an object to the image tier. Default: 1, and 2 with the policy `published`.'),
      tail: z
        .number()
        .gt(0)
        .max(0.5)
        .default(DEFAULT_TAIL)
        .describe(
          'Share of an LRU tier that counts as its tail: what the policy `published` moves its border by, and a metric.',
        ),
      window: z
        .union([z.literal('auto'), z.number().int().min(100)], {
          error: 'expected "auto" or a number of requests, at least 100',
        })
        .default('auto')
        .describe('Requests between two moves of the border. `auto`: in proportion to the number of cached objects.'),
      onPut: z.enum(['image', 'latent', 'none']).default('latent').describe('Tier that a stored latent enters at PUT.'),
    })
    .prefault({}),
  decode: z
    .strictObject({
      providers: z
        .union([z.literal('auto'), z.array(z.enum(['cpu', 'webgpu', 'cuda', 'tensorrt', 'coreml', 'dml'])).min(1)], {
          error: 'expected "auto" or a list of cpu, webgpu, cuda, tensorrt, coreml, dml',
        })
        .default('auto')
        .describe('Execution providers to try, best first.'),
      threads: z
        .number()
        .int()
        .min(1)
        .max(256)
        .default(availableParallelism())
        .describe('Threads of one CPU inference.'),
      codecWorkers: z
        .number()
        .int()
        .min(1)
        .max(256)
        .default(Math.max(1, Math.floor(availableParallelism() / 2)))
        .describe('Threads that decompress latents and write PNGs.'),
      queueDepth: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(64)
        .describe('Decodes that may wait; one more is answered 503 SlowDown.'),
      bytesInFlight: byteSize(memory, 16 << 20)
        .prefault('10%')
        .describe('Bytes of latents, pixels and PNGs between fetch and answer.'),
      kserve: kserve.optional().describe('Remote decoders of the KServe v2 protocol; docs/gpu.md.'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      latentBytes: byteSize(memory, 1024)
        .prefault('128MiB')
        .describe('Largest upload that is looked at as a latent; a larger one is stored verbatim.'),
      pngBytes: byteSize(memory, 1024)
        .prefault('64MiB')
        .describe('Largest PNG that is encoded; a larger one is stored verbatim.'),
      imagePixels: z
        .number()
        .int()
        .min(64)
        .default(1 << 26)
        .describe('Largest picture that a latent may decode to, in pixels.'),
    })
    .prefault({}),
  policies: z.array(policySchema).default([]),
  encode: z
    .strictObject({
      concurrency: z.number().int().min(1).max(256).default(2).describe('Pictures that are being encoded together.'),
      queueDepth: z
        .number()
        .int()
        .min(1)
        .max(100_000)
        .default(64)
        .describe('Uploads that may wait to be encoded; one more is answered 503 SlowDown.'),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
      format: z
        .enum(['auto', 'json', 'pretty'])
        .default('auto')
        .describe('`auto`: pretty on a terminal, JSON otherwise.'),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type PolicyConfig = Config['policies'][number];
