/** What a file is, by its first bytes. */
import { CONTAINER_MAGIC } from '../container/layout.js';
import { NPY_MAGIC } from './npy.js';

export type DetectedFormat = 'npy' | 'safetensors' | 'container' | 'png' | 'pickle' | 'unknown';

/** Enough for every verdict; fewer bytes give `unknown` where they do not suffice. */
export const DETECT_BYTES = 64;

const PNG_SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const ZIP_LOCAL_FILE = Uint8Array.of(0x50, 0x4b, 0x03, 0x04);
const ZIP_NAME_OFFSET = 30;
const OPEN_BRACE = 0x7b;
/** A safetensors header cannot plausibly be longer; text files have letters in these bytes and so declare far more. */
const MAX_PLAUSIBLE_HEADER = 1n << 40n;

/**
 * Looks only at the given bytes. `safetensors` means that the file claims to be one, not that it is sound: a header
 * that is declared longer than the file is the reader's to refuse.
 */
export function detectFormat(firstBytes: Uint8Array): DetectedFormat {
  if (startsWith(firstBytes, NPY_MAGIC)) return 'npy';
  if (startsWith(firstBytes, CONTAINER_MAGIC)) return 'container';
  if (startsWith(firstBytes, PNG_SIGNATURE)) return 'png';
  if (isPickle(firstBytes)) return 'pickle';
  if (isSafetensors(firstBytes)) return 'safetensors';
  return 'unknown';
}

function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 10 || bytes[8] !== OPEN_BRACE) return false;
  const declared = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  // After the brace: a key, the end, or white space.
  return (
    declared >= 2n && declared < MAX_PLAUSIBLE_HEADER && [0x22, 0x7d, 0x20, 0x09, 0x0a, 0x0d].includes(bytes[9] ?? 0)
  );
}

/** A bare pickle of protocol 2 to 5, or the zip of pickles that torch.save writes (its first entry is NAME/data.pkl). */
function isPickle(bytes: Uint8Array): boolean {
  const [first, protocol = 0, opcode = 0] = bytes;
  // The opcodes that pickles begin with: FRAME, LONG1 (torch's magic number), EMPTY_DICT, GLOBAL, EMPTY_LIST.
  if (first === 0x80 && protocol >= 2 && protocol <= 5) return [0x95, 0x8a, 0x7d, 0x63, 0x5d].includes(opcode);
  if (!startsWith(bytes, ZIP_LOCAL_FILE)) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, DETECT_BYTES)).toString('latin1');
  return /^[^\0]*?\bdata\.pkl/.test(text.slice(ZIP_NAME_OFFSET));
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.byteLength >= prefix.byteLength && prefix.every((byte, index) => bytes[index] === byte);
}
