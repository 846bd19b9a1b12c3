/** Takes strips of a shared picture from a shared counter until none is left. */
import { parentPort } from 'node:worker_threads';
import type { EncodedPngStrip } from '../../codec/index.js';
import { encodePngStrip, planPngStrips } from '../../codec/index.js';
import type { StripTask } from './png-workers.js';

parentPort?.on('message', ({ pixels, layout, next }: StripTask) => {
  const strips = planPngStrips(layout);
  const done: [number, EncodedPngStrip][] = [];
  for (;;) {
    const index = Atomics.add(next, 0, 1);
    const strip = strips[index];
    if (strip === undefined) break;
    done.push([index, encodePngStrip(pixels, layout, strip)]);
  }
  parentPort?.postMessage(
    done,
    done.map(([, strip]) => strip.data.buffer as ArrayBuffer),
  );
});
