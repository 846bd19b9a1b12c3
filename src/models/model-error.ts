/** The one error that reading, writing, preparing and checking models throws. */

/** What is wrong, as a closed set, so that metrics and exit codes need not read messages. */
export type ModelErrorReason =
  /** A file is missing or cannot be read. */
  | 'missing-file'
  /** A file is not what its name says (protobuf, safetensors, JSON). */
  | 'broken-file'
  /** A constant that only the model's publisher knows is absent. */
  | 'missing-constant'
  /** Names, ranks, channels or element types do not fit a VAE, or the parts do not fit each other. */
  | 'shape-mismatch'
  /** An architecture, operator or version that this version does not know. */
  | 'unsupported'
  /** The graph runs, but its output holds NaN or infinity. */
  | 'not-finite'
  /** The runtime refused the graph. */
  | 'runtime'
  /** The name is taken or is not a valid model name. */
  | 'bad-name';

/** `subject` is the file or folder at fault; `message` says what is wrong and how to mend it, in one line. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  constructor(
    readonly reason: ModelErrorReason,
    readonly subject: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${subject}: ${problem}`, options);
  }
}

/** The text of whatever was thrown, in one line. */
export function describeCause(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split('\n', 1)[0] ?? text;
}
