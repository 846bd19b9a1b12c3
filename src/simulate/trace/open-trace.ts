/** From the options of a command line to a trace: the one door of the simulator, the planner and the experiments. */
import { catalogueSize, generateRequests, SYNTHETIC_DEFAULTS, type SyntheticOptions } from './generator.js';
import { cloudFrontParser } from './readers/cloudfront-log.js';
import { csvParser, parseCsvColumns } from './readers/csv.js';
import { readOracleGeneral } from './readers/oracle-general.js';
import type { LineParser } from './readers/record.js';
import { parseS3AccessLogLine } from './readers/s3-access-log.js';
import { readTextTrace } from './readers/text-trace.js';
import { DEFAULT_SORT_WINDOW } from './readers/time-order.js';
import { PUBLISHED_SIZES } from './sizes.js';
import type { Trace } from './trace.js';

export const TRACE_FORMATS = ['s3', 'cloudfront', 'csv', 'oracleGeneral'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** Plain data, so that it can be posted to a worker. Without `file`, a synthetic trace. */
export interface TraceOptions extends Partial<SyntheticOptions> {
  /** A file, or for text formats a folder of files, read in the order of their names; `.gz` is unpacked. */
  readonly file?: string;
  /** Needed with `file`. */
  readonly format?: TraceFormat;
  /** Where a file tells no latent sizes: their share of the PNG's size. Default: the published means' ratio, 0.2. */
  readonly latentShare?: number;
  /** Columns of a CSV in libCacheSim's words; default: by the header, else time, object, size. */
  readonly csvColumns?: string;
  /** Text records that may be out of order among themselves. */
  readonly sortWindow?: number;
}

/**
 * The trace that the options name.
 *
 * @throws RangeError where an option is out of its bounds
 */
export function openTrace(options: TraceOptions): Trace {
  const { file, format, latentShare = PUBLISHED_SIZES.meanLatentBytes / PUBLISHED_SIZES.meanImageBytes } = options;
  if (file === undefined) return syntheticTrace(options);
  if (format === undefined) throw new RangeError(`a trace file needs its format: ${TRACE_FORMATS.join(', ')}`);
  if (!(latentShare > 0 && latentShare <= 1)) throw new RangeError('latentShare must be over 0, at most 1');
  const sortWindow = options.sortWindow ?? DEFAULT_SORT_WINDOW;
  if (!(Number.isInteger(sortWindow) && sortWindow >= 1)) throw new RangeError('sortWindow must be at least 1 record');
  const parser = format === 'oracleGeneral' ? undefined : textParser(format, options.csvColumns);
  return {
    name: `${format} trace ${file}`,
    requests: undefined,
    objects: undefined,
    batches: () =>
      parser === undefined
        ? readOracleGeneral(file, latentShare)
        : readTextTrace({ file, parser, latentShare, sortWindow }),
  };
}

function textParser(format: 's3' | 'cloudfront' | 'csv', csvColumns: string | undefined): () => LineParser {
  switch (format) {
    case 's3':
      return () => parseS3AccessLogLine;
    case 'cloudfront':
      return cloudFrontParser;
    case 'csv': {
      const columns = csvColumns === undefined ? undefined : parseCsvColumns(csvColumns);
      return () => csvParser(columns);
    }
  }
}

/** A synthetic trace; unset options are the published workload's. */
export function syntheticTrace(options: Partial<SyntheticOptions>): Trace {
  const full: SyntheticOptions = { ...SYNTHETIC_DEFAULTS, ...options };
  return {
    name: `synthetic, ${full.requests.toLocaleString('en')} requests, seed ${full.seed}`,
    requests: full.requests,
    objects: catalogueSize(full.requests),
    async *batches() {
      yield* generateRequests(full);
    },
  };
}
