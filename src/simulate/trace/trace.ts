/**
 * What a trace is: requests for images in the order of time, streamed as batches of parallel arrays, so that a replay
 * of 10^8 requests allocates nothing for each of them.
 */

/** Requests that a batch holds at most. */
export const BATCH_REQUESTS = 8192;

/**
 * A run of requests as parallel arrays. Only the first `length` places count. The arrays belong to the trace and are
 * filled again for the next batch: copy what must outlive the iteration.
 */
export interface TraceBatch {
  readonly length: number;
  /** Seconds since the trace's first instant; never decreasing, across batches too. */
  readonly times: Float64Array;
  /** Dense number of the object: the first object seen is 0, each new one takes the next number. */
  readonly objects: Uint32Array;
  /** Size of the requested object as a PNG, in bytes. */
  readonly imageBytes: Uint32Array;
  /** Size of the requested object as a compressed latent, in bytes. */
  readonly latentBytes: Uint32Array;
}

export interface Trace {
  /** What it is, with its seed or its file, for the head of a report. */
  readonly name: string;
  /** How many requests it has; undefined where only reading it through would say. */
  readonly requests: number | undefined;
  /** How many objects it has; undefined where only reading it through would say. */
  readonly objects: number | undefined;
  /**
   * The requests, from the first one; every call starts again, and calls share nothing.
   *
   * @throws TraceError (while iterating) where a file is not what its format says
   */
  batches(): AsyncIterable<TraceBatch>;
}

/** A batch under construction. */
export class BatchWriter implements TraceBatch {
  length = 0;
  readonly times: Float64Array;
  readonly objects: Uint32Array;
  readonly imageBytes: Uint32Array;
  readonly latentBytes: Uint32Array;

  constructor(readonly capacity = BATCH_REQUESTS) {
    this.times = new Float64Array(capacity);
    this.objects = new Uint32Array(capacity);
    this.imageBytes = new Uint32Array(capacity);
    this.latentBytes = new Uint32Array(capacity);
  }

  get full(): boolean {
    return this.length === this.capacity;
  }

  add(time: number, object: number, imageBytes: number, latentBytes: number): void {
    const at = this.length++;
    this.times[at] = time;
    this.objects[at] = object;
    this.imageBytes[at] = imageBytes;
    this.latentBytes[at] = latentBytes;
  }
}
