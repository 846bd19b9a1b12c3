/**
 * The target for a coverage-guided fuzzer (libFuzzer's convention: throw on a fault). CRCs are mended in a second run, since
 * no mutation would ever get past them.
 */
import { crc32 } from 'node:zlib';
import { CodecError } from '../../errors.js';
import { readPngChunks } from '../read-chunks.js';

/** @throws Error when the reader fails in any way but its own, or keeps more than it was given */
export function fuzz(data: Uint8Array): void {
  answersOrRefuses(data);
  answersOrRefuses(mendCrcs(data));
}

/** True when the reader answered. */
export function answersOrRefuses(data: Uint8Array): boolean {
  try {
    const { beforePlte = [], beforeIdat, afterIdat } = readPngChunks(data).chunks;
    const kept = [...beforePlte, ...beforeIdat, ...afterIdat].reduce((sum, chunk) => sum + chunk.data.byteLength, 0);
    if (kept > data.byteLength) throw new Error(`kept ${kept} bytes of ${data.byteLength}`);
    return true;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

/** A copy in which every chunk that fits has the right CRC. */
export function mendCrcs(data: Uint8Array): Uint8Array {
  const mended = new Uint8Array(data);
  const view = new DataView(mended.buffer);
  for (let offset = 8; offset + 12 <= mended.byteLength;) {
    const end = offset + 8 + view.getUint32(offset);
    if (end + 4 > mended.byteLength) break;
    view.setUint32(end, crc32(mended.subarray(offset + 4, end)));
    offset = end + 4;
  }
  return mended;
}
