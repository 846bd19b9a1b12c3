/** What a trace gives, as rows that a test can compare. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTrace, type TraceOptions } from '../open-trace.js';

export interface Row {
  readonly time: number;
  readonly object: number;
  readonly imageBytes: number;
  readonly latentBytes: number;
}

export async function collect(options: TraceOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { length, times, objects, imageBytes, latentBytes } of openTrace(options).batches()) {
    for (let i = 0; i < length; i++) {
      rows.push({
        time: times[i] ?? NaN,
        object: objects[i] ?? NaN,
        imageBytes: imageBytes[i] ?? NaN,
        latentBytes: latentBytes[i] ?? NaN,
      });
    }
  }
  return rows;
}

/** What reading this content as a trace gives; the file is gone afterwards. */
export async function collectContent(
  content: string | Uint8Array,
  options: Omit<TraceOptions, 'file'>,
  name = 'trace.log',
): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-trace-'));
  try {
    const file = join(folder, name);
    await writeFile(file, content);
    return await collect({ ...options, file });
  } finally {
    await rm(folder, { recursive: true });
  }
}
