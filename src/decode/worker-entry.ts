/** Where the compiled entries of worker threads and child processes lie. */

const COMPILED = '.js';

/**
 * The entry `name` (relative to this folder, without extension) as compiled JavaScript: beside this module where it is
 * compiled itself; in `dist/` where a test runs the sources, since Node cannot start a worker from TypeScript.
 */
export function workerEntry(name: string): URL {
  const here = import.meta.url;
  return here.endsWith(COMPILED) ? new URL(`./${name}.js`, here) : new URL(`../../dist/src/decode/${name}.js`, here);
}
