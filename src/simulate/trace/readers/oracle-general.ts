/**
 * libCacheSim's binary oracleGeneral: records of 24 bytes, little-endian, without padding: seconds (u32), object (u64),
 * size (u32), and the request at which the object comes next (i64), which a cache that cannot foresee has no use for.
 *
 * @see https://github.com/1a1a11a/libCacheSim (traceReader/customizedReader/oracle/oracleGeneralBin.h)
 */
import { open } from 'node:fs/promises';
import { TraceError } from '../trace-error.js';
import { BatchWriter, type TraceBatch } from '../trace.js';
import { IdNumbers } from './id-numbers.js';
import { estimatedLatentBytes } from './text-trace.js';

export const RECORD_BYTES = 24;
const AT = { time: 0, object: 4, size: 12 } as const;
const CHUNK_RECORDS = 1 << 14;
const ZSTD_MAGIC = 0xfd2fb528;

/** @throws TraceError at the first faulty record */
export async function* readOracleGeneral(file: string, latentShare: number): AsyncGenerator<TraceBatch, void> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new TraceError({ file, problem: `cannot be opened: ${(cause as Error).message}` });
  });
  try {
    const { size } = await handle.stat();
    const numbers = new IdNumbers();
    const sizes: number[] = [];
    const batch = new BatchWriter();
    const bytes = new Uint8Array(CHUNK_RECORDS * RECORD_BYTES);
    const view = new DataView(bytes.buffer);
    let record = 0;
    let lastTime = 0;
    let origin: number | undefined;
    for (let position = 0; position < size;) {
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, position);
      if (position === 0 && bytesRead >= 4 && view.getUint32(0, true) === ZSTD_MAGIC)
        throw new TraceError({ file, problem: 'is compressed; unpack it first: zstd -d FILE' });
      const whole = bytesRead - (bytesRead % RECORD_BYTES);
      if (whole === 0)
        throw new TraceError({
          file,
          line: record + 1,
          problem: `the record has ${bytesRead} bytes; expected records of ${RECORD_BYTES}`,
        });
      for (let at = 0; at < whole; at += RECORD_BYTES) {
        record += 1;
        const time = view.getUint32(at + AT.time, true);
        const bytesOfObject = view.getUint32(at + AT.size, true);
        if (time < lastTime)
          throw new TraceError({ file, line: record, field: 'time', problem: `${time} comes after ${lastTime}` });
        if (bytesOfObject === 0)
          throw new TraceError({ file, line: record, field: 'size', problem: '0: expected at least 1 byte' });
        lastTime = time;
        origin ??= time;
        const object = numbers.number(view.getUint32(at + AT.object, true), view.getUint32(at + AT.object + 4, true));
        const imageBytes = (sizes[object] ??= bytesOfObject);
        batch.add(time - origin, object, imageBytes, estimatedLatentBytes(object, imageBytes, latentShare));
        if (batch.full) {
          yield batch;
          batch.length = 0;
        }
      }
      position += whole;
    }
    if (batch.length > 0) yield batch;
  } finally {
    await handle.close();
  }
}
