/** Strips of one picture on several threads: the smallest pool that shows how the pure pieces are put to work. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { EncodedPngStrip, PngLayout } from '../../codec/index.js';
import { assemblePng, planPngStrips } from '../../codec/index.js';

/** What a worker is told: the picture in shared memory, and the counter from which it takes its next strip. */
export interface StripTask {
  readonly pixels: Uint8Array;
  readonly layout: PngLayout;
  readonly next: Int32Array;
}

/** What it answers when no strip is left. */
export type StripAnswer = readonly (readonly [index: number, strip: EncodedPngStrip])[];

/** Threads that have compiled the encoder once and wait for pictures. */
export class PngWorkers {
  private readonly workers: readonly Worker[];

  constructor(count: number) {
    this.workers = Array.from({ length: count }, () => new Worker(new URL('./png-worker.js', import.meta.url)));
  }

  /** Every strip of the picture, in order. */
  async encode(pixels: Uint8Array, layout: PngLayout): Promise<readonly EncodedPngStrip[]> {
    const next = new Int32Array(new SharedArrayBuffer(4));
    const answers = await Promise.all(
      this.workers.map(async (worker) => {
        worker.postMessage({ pixels, layout, next } satisfies StripTask);
        const [answer] = (await once(worker, 'message')) as [StripAnswer];
        return answer;
      }),
    );
    return answers
      .flat()
      .sort(([a], [b]) => a - b)
      .map(([, strip]) => strip);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

/** @param pixels in shared memory, so that no worker needs a copy */
export async function encodeOnWorkers(workers: PngWorkers, pixels: Uint8Array, layout: PngLayout): Promise<Uint8Array> {
  const strips = await workers.encode(pixels, layout);
  if (strips.length !== planPngStrips(layout).length) throw new Error('a worker lost a strip');
  return assemblePng(strips, layout);
}
