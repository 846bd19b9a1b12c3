/**
 * A decorator that makes a store slow and unreliable, for tests and simulations. It has no clock and no chance of its
 * own: with a seeded `random` and a virtual `sleep` the same faults happen in every run.
 */
import { Readable } from 'node:stream';
import { errors } from '../../../s3-api/errors.js';
import type { ObjectBody, ObjectContent, ObjectStore } from '../../../s3-api/object-store.js';

export type StoreOperation = keyof ObjectStore;

/** `before`: the store never hears of the call. `after`: it did the work and its answer is lost. `body`: a read breaks off half-way. */
export type FaultStage = 'before' | 'after' | 'body';

export interface Faults {
  /** ms until the call is passed on; 0 for at once. */
  readonly latency?: (operation: StoreOperation, random: () => number) => number;
  /** The fault of this call, if it has one. `body` counts only for `getObject`. */
  readonly failure?: (operation: StoreOperation, random: () => number) => FaultStage | undefined;
  /** What fails. Default: SlowDown. */
  readonly error?: (operation: StoreOperation) => Error;
  /** In [0, 1). */
  readonly random: () => number;
  /** Resolves after so many ms of the test's time; rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
}

type Call = (...parameters: readonly unknown[]) => Promise<unknown>;

/** The store, seen through its faults. Methods beyond the contract (`start`, `close`) are passed on untouched. */
export function withFaults<Store extends ObjectStore>(store: Store, faults: Faults): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = (value as Call).bind(target);
      return isOperation(name) ? faulty(name, call, faults) : call;
    },
  });
}

function faulty(operation: StoreOperation, call: Call, faults: Faults): Call {
  const { latency, failure, error = () => errors.slowDown(), random, sleep } = faults;
  return async (...parameters) => {
    const signal = parameters.find((each): each is AbortSignal => each instanceof AbortSignal);
    const wait = latency?.(operation, random) ?? 0;
    const stage = failure?.(operation, random);
    try {
      if (wait > 0) await sleep(wait, signal ?? new AbortController().signal);
      if (stage === 'before') throw error(operation);
    } catch (fault) {
      // The contract: whoever gets a stream consumes or destroys it.
      for (const each of parameters) if (each instanceof Readable) each.destroy();
      throw fault;
    }
    const result = await call(...parameters);
    if (stage === 'after') {
      if (isContent(result)) discard(result.body);
      throw error(operation);
    }
    return stage === 'body' && isContent(result) ? { ...result, body: broken(result.body, error(operation)) } : result;
  };
}

function isContent(result: unknown): result is ObjectContent {
  return typeof result === 'object' && result !== null && 'body' in result;
}

function discard(body: ObjectBody): void {
  if (body instanceof Readable) body.destroy();
}

/** The first half of what comes, then the error. */
function broken(body: ObjectBody, error: Error): Readable {
  async function* halves(): AsyncGenerator<Uint8Array> {
    if (body instanceof Uint8Array) yield body.subarray(0, body.byteLength >> 1);
    else
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        yield chunk.subarray(0, chunk.byteLength >> 1);
        break;
      }
    throw error;
  }
  return Readable.from(halves(), { objectMode: false });
}

const OPERATIONS: Readonly<Record<StoreOperation, true>> = {
  listBuckets: true,
  createBucket: true,
  headBucket: true,
  deleteBucket: true,
  headObject: true,
  getObject: true,
  putObject: true,
  deleteObject: true,
  copyObject: true,
  listObjects: true,
  listObjectParts: true,
  createMultipartUpload: true,
  uploadPart: true,
  uploadPartCopy: true,
  completeMultipartUpload: true,
  abortMultipartUpload: true,
  listParts: true,
  listMultipartUploads: true,
  getObjectTags: true,
  putObjectTags: true,
  getBucketDocument: true,
  putBucketDocument: true,
};

function isOperation(name: string | symbol): name is StoreOperation {
  return Object.hasOwn(OPERATIONS, name);
}
