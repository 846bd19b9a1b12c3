/** How images are read, from a trace: views each, soon after birth and in the long run. */
import type { Trace } from '../simulate/trace/trace.js';

export interface Demand {
  readonly requests: number;
  readonly objects: number;
  readonly seconds: number;
}

const YEAR_SECONDS = 365.25 * 86_400;

/** Reads a trace through once. */
export async function measureDemand(trace: Trace): Promise<Demand> {
  let requests = 0;
  let objects = 0;
  let first: number | undefined;
  let last = 0;
  for await (const batch of trace.batches()) {
    for (let i = 0; i < batch.length; i++) objects = Math.max(objects, (batch.objects[i] ?? 0) + 1);
    first ??= batch.times[0];
    last = batch.times[batch.length - 1] ?? last;
    requests += batch.length;
  }
  return { requests, objects, seconds: last - (first ?? 0) };
}

/** Views that an image of the bucket gets in a year, the images that the trace never asked for included. */
export function viewsPerYear({ requests, objects, seconds }: Demand, images: number): number {
  return seconds === 0 ? 0 : requests / Math.max(images, objects) / (seconds / YEAR_SECONDS);
}
