/** What is wrong with a trace file: where, in which field, and what would be right. */

export interface TraceFault {
  /** The file, as it was named. */
  readonly file: string;
  /** Line of a text file, or record of a binary one, from 1; absent where the fault is the file's as a whole. */
  readonly line?: number;
  /** The format's own name of the field. */
  readonly field?: string;
  /** What is wrong, with the value that is there, and what is expected. */
  readonly problem: string;
}

/** A trace file is not what its format says. Reading stops at the first such line: a guess would falsify figures. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly file: string;
  readonly line: number | undefined;
  readonly field: string | undefined;

  constructor({ file, line, field, problem }: TraceFault) {
    const where = line === undefined ? file : `${file}:${line}`;
    super(field === undefined ? `${where}: ${problem}` : `${where}: field "${field}": ${problem}`);
    this.file = file;
    this.line = line;
    this.field = field;
  }
}

const SHOWN_CHARACTERS = 60;

/** A value as an error shows it: quoted, and cut where it is long. */
export function shown(value: string): string {
  return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
}
