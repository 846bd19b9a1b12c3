/** One request as a reader found it in a file, before objects are numbered and times are put in order. */
export interface LogRecord {
  /** Seconds, from any origin that is the same for the whole file. */
  readonly time: number;
  readonly key: string;
  /** The object's size as a PNG; undefined where the record does not say, and an earlier one of the object does. */
  readonly imageBytes: number | undefined;
  /** The object's size as a latent, where the file says. */
  readonly latentBytes: number | undefined;
}

/** Reads one line; undefined where it is no request for an object's bytes. Throws FieldFault. */
export type LineParser = (line: string) => LogRecord | undefined;
