/** Fills the backing server: a latent for each object of the trace, and the PNG that the gateway makes of it. */
import { Readable } from 'node:stream';
import { configSchema } from '../../../src/config/schema.js';
import { testContainer } from '../../../src/decode/testing/test-container.js';
import { S3Store } from '../../../src/stores/s3/s3-store.js';
import { startGateway, type Backend } from './gateway.js';

export const LATENT_BUCKET = 'latents';
export const PNG_BUCKET = 'pngs';
const UPLOADS_AT_ONCE = 4;
const TIMEOUT_MS = 120_000;

export interface StoredImages {
  /** Bytes by object, as they lie in the backing server. */
  readonly imageBytes: Uint32Array;
  readonly latentBytes: Uint32Array;
}

export const keyOf = (object: number): string => `${object}.png`;

export interface FillOptions {
  readonly objects: number;
  /** Pixels of a picture's side. */
  readonly side: number;
  readonly model: { readonly name: string; readonly channels: number; readonly factor: number };
  readonly onProgress: (done: number) => void;
}

export async function fillBackend(backend: Backend, options: FillOptions): Promise<StoredImages> {
  const gateway = await startGateway(backend, { bytes: '64MiB', onPut: 'image', alpha: 1 });
  const through = storeAt({ endpoint: gateway.endpoint, ...gateway.credentials });
  const behind = storeAt(backend);
  const sizes = {
    imageBytes: new Uint32Array(options.objects),
    latentBytes: new Uint32Array(options.objects),
  };
  try {
    for (const bucket of [LATENT_BUCKET, PNG_BUCKET]) await through.createBucket(bucket, signal());
    let next = 0;
    let done = 0;
    const upload = async (): Promise<void> => {
      while (next < options.objects) {
        const object = next++;
        await uploadOne(object, options, { through, behind, endpoint: gateway.endpoint }, sizes);
        options.onProgress(++done);
      }
    };
    await Promise.all(Array.from({ length: UPLOADS_AT_ONCE }, upload));
    return sizes;
  } finally {
    await Promise.all([through.close(), behind.close()]);
    await gateway.close();
  }
}

interface Stores {
  readonly through: S3Store;
  readonly behind: S3Store;
  readonly endpoint: string;
}

async function uploadOne(
  object: number,
  { side, model }: FillOptions,
  { through, behind, endpoint }: Stores,
  sizes: StoredImages,
): Promise<void> {
  const key = keyOf(object);
  const { name, channels, factor } = model;
  // Pictures differ in size, so that the cache meets entries of more than one.
  const width = side + factor * ((object * 7) % 5);
  const container = testContainer({ model: name, channels, factor, width, height: side, seed: object + 1 });
  await put(through, LATENT_BUCKET, key, container);
  const answer = await fetch(`${endpoint}/${LATENT_BUCKET}/${key}`);
  const png = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`GET ${key}: ${answer.status} ${Buffer.from(png).toString().slice(0, 300)}`);
  await put(behind, PNG_BUCKET, key, png);
  sizes.imageBytes[object] = png.byteLength;
  const { info } = await behind.headObject(LATENT_BUCKET, key, {}, signal());
  sizes.latentBytes[object] = info.size;
}

async function put(store: S3Store, bucket: string, key: string, bytes: Uint8Array): Promise<void> {
  const options = { contentLength: bytes.byteLength, systemMetadata: {}, userMetadata: {} };
  await store.putObject(bucket, key, Readable.from([bytes]), options, signal());
}

function storeAt(backend: Backend): S3Store {
  const { store } = configSchema.parse({ store: { type: 's3', ...backend } });
  if (store.type !== 's3') throw new Error('an S3 store was configured');
  return new S3Store(store);
}

const signal = (): AbortSignal => AbortSignal.timeout(TIMEOUT_MS);
