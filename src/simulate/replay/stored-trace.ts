/** A trace in shared memory: read once, replayed by many workers at the same time. */
import type { Trace } from '../trace/trace.js';

export interface StoredTrace {
  readonly name: string;
  /** Object of each request; over shared memory. */
  readonly objects: Uint32Array;
  /** Bytes by object, as first seen. */
  readonly imageBytes: Uint32Array;
  readonly latentBytes: Uint32Array;
  /** Seconds since the trace's first instant, of every `TIME_STRIDE`-th request. */
  readonly times: Float64Array;
  /** PNG bytes of all objects together: what a cache share is a share of. */
  readonly workingSetBytes: number;
}

export const TIME_STRIDE = 1024;

const FIRST_REQUESTS = 1 << 20;
const FIRST_OBJECTS = 1 << 16;

/**
 * Reads a trace to its end.
 *
 * @param onProgress told of the requests read so far, after each batch
 * @throws TraceError where a file is not what its format says
 */
export async function storeTrace(trace: Trace, onProgress: (requests: number) => void): Promise<StoredTrace> {
  let objects = sharedUint32(trace.requests ?? FIRST_REQUESTS);
  let imageBytes = sharedUint32(trace.objects ?? FIRST_OBJECTS);
  let latentBytes = sharedUint32(trace.objects ?? FIRST_OBJECTS);
  const times: number[] = [];
  let requests = 0;
  let known = 0;
  let workingSetBytes = 0;
  for await (const batch of trace.batches()) {
    if (requests + batch.length > objects.length)
      objects = larger(objects, Math.max(2 * objects.length, requests + batch.length));
    for (let i = 0; i < batch.length; i += 1) {
      if (requests % TIME_STRIDE === 0) times.push(batch.times[i] ?? 0);
      const object = batch.objects[i] ?? 0;
      objects[requests] = object;
      requests += 1;
      if (object < known) continue;
      if (object >= imageBytes.length) {
        imageBytes = larger(imageBytes, 2 * object);
        latentBytes = larger(latentBytes, 2 * object);
      }
      imageBytes[object] = batch.imageBytes[i] ?? 0;
      latentBytes[object] = batch.latentBytes[i] ?? 0;
      workingSetBytes += batch.imageBytes[i] ?? 0;
      known = object + 1;
    }
    onProgress(requests);
  }
  return {
    name: trace.name,
    objects: objects.subarray(0, requests),
    imageBytes: imageBytes.subarray(0, known),
    latentBytes: latentBytes.subarray(0, known),
    times: Float64Array.from(times),
    workingSetBytes,
  };
}

function sharedUint32(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(4 * Math.max(1, length)));
}

function larger(old: Uint32Array, length: number): Uint32Array {
  const array = sharedUint32(length);
  array.set(old);
  return array;
}
