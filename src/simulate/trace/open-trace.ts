/** From the options of a command line to a trace: the one door of the simulator, the planner and the experiments. */
import { catalogueSize, generateRequests, SYNTHETIC_DEFAULTS, type SyntheticOptions } from './generator.js';
import type { Trace } from './trace.js';

export const TRACE_FORMATS = ['s3', 'cloudfront', 'csv', 'oracleGeneral'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** Plain data, so that it can be posted to a worker. Without `file`, a synthetic trace. */
export interface TraceOptions extends Partial<SyntheticOptions> {
  readonly file?: string;
  readonly format?: TraceFormat;
}

/**
 * The trace that the options name.
 *
 * @throws RangeError where an option is out of its bounds
 */
export function openTrace(options: TraceOptions): Trace {
  if (options.file !== undefined) throw new RangeError('reading a trace from a file is not there yet');
  return syntheticTrace(options);
}

/** A synthetic trace; unset options are the published workload's. */
export function syntheticTrace(options: Partial<SyntheticOptions>): Trace {
  const full = { ...SYNTHETIC_DEFAULTS, ...options };
  return {
    name: `synthetic, ${full.requests.toLocaleString('en')} requests, seed ${full.seed}`,
    requests: full.requests,
    objects: catalogueSize(full.requests),
    async *batches() {
      yield* generateRequests(full);
    },
  };
}
