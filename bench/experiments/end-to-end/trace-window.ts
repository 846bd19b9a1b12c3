/** The last requests of a long trace, as a trace of their own: what a server sees in a while of its life. */
import { openTrace } from '../../../src/simulate/trace/open-trace.js';
import { storeTrace } from '../../../src/simulate/replay/stored-trace.js';

/** Objects of the window's requests, numbered in the order of their first request in it. */
export async function traceWindow(options: {
  readonly traceRequests: number;
  readonly requests: number;
  readonly seed: number;
}): Promise<{ readonly objects: Uint32Array; readonly distinct: number }> {
  const trace = await storeTrace(openTrace({ requests: options.traceRequests, seed: options.seed }), () => undefined);
  const numbers = new Map<number, number>();
  const objects = Uint32Array.from(trace.objects.subarray(-options.requests), (object) => {
    const number = numbers.get(object) ?? numbers.size;
    numbers.set(object, number);
    return number;
  });
  return { objects, distinct: numbers.size };
}
