/** The lines of text files, a chunk at a time, with the numbers that errors name; files ending in .gz are unpacked. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TraceError } from '../trace-error.js';

/** Longer lines are no log records: S3 bounds a request line at 8 KiB and a user agent likewise. */
export const MAX_LINE_CHARACTERS = 1 << 20;
const CHUNK_BYTES = 1 << 18;

export interface LineBlock {
  /** Number of the first line, from 1. */
  readonly first: number;
  /** Without their line ends; CR LF counts as one. */
  readonly lines: readonly string[];
}

/** @throws TraceError where the file cannot be read, is no UTF-8 text, or has a line over `MAX_LINE_CHARACTERS` */
export async function* readLines(file: string): AsyncGenerator<LineBlock, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let first = 1;
  let rest = '';
  try {
    for await (const chunk of openText(file)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS)
        throw new TraceError({
          file,
          line: first + lines.length,
          problem: `the line is over ${MAX_LINE_CHARACTERS} characters; is this a text file with line ends?`,
        });
      if (lines.length === 0) continue;
      yield { first, lines: lines.map(withoutReturn) };
      first += lines.length;
    }
    rest += decoder.decode();
  } catch (cause) {
    if (cause instanceof TraceError) throw cause;
    throw new TraceError({ file, problem: `cannot be read as text: ${(cause as Error).message}` });
  }
  if (rest !== '') yield { first, lines: [withoutReturn(rest)] };
}

async function* openText(file: string): AsyncGenerator<Uint8Array, void> {
  const source = createReadStream(file, { highWaterMark: CHUNK_BYTES });
  let text: Readable = source;
  if (file.endsWith('.gz')) {
    const gunzip = createGunzip();
    source.on('error', (error) => gunzip.destroy(error));
    text = source.pipe(gunzip);
  }
  try {
    yield* text as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    text.destroy();
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
