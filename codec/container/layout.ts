/** The fixed first bytes of a container; `docs/container.md` is the specification. */
import { crc32 } from 'node:zlib';
import { CodecError } from '../errors.js';

/** As PNG's signature: a byte with the high bit, the name, and line ends that a text transfer would damage. */
export const CONTAINER_MAGIC: Uint8Array = Uint8Array.of(0x89, 0x4c, 0x42, 0x58, 0x0d, 0x0a, 0x1a, 0x0a);

export const CONTAINER_VERSION = 1;

/** Magic, version, header length, header CRC-32. */
export const PREFIX_BYTES = 20;

const VERSION_OFFSET = 8;
const LENGTH_OFFSET = 12;
const CRC_OFFSET = 16;

/** Joins prefix, header and payload into a file. */
export function joinContainer(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const file = new Uint8Array(PREFIX_BYTES + header.byteLength + payload.byteLength);
  const view = new DataView(file.buffer);
  file.set(CONTAINER_MAGIC);
  view.setUint32(VERSION_OFFSET, CONTAINER_VERSION, true);
  view.setUint32(LENGTH_OFFSET, header.byteLength, true);
  view.setUint32(CRC_OFFSET, crc32(header), true);
  file.set(header, PREFIX_BYTES);
  file.set(payload, PREFIX_BYTES + header.byteLength);
  return file;
}

/**
 * The header's bytes, sharing the memory of `bytes`.
 *
 * @throws CodecError when the bytes are no container of a known version, or do not hold the whole header
 */
export function headerBytes(bytes: Uint8Array, maxHeaderBytes: number): Uint8Array {
  if (!CONTAINER_MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw new CodecError('container', 'magic', 'no .lbx file');
  }
  if (bytes.byteLength < PREFIX_BYTES) throw new CodecError('container', 'header length', 'the file ends before it');
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  const version = view.getUint32(VERSION_OFFSET, true);
  if (version !== CONTAINER_VERSION) {
    throw new CodecError('container', 'version', `${version} is unknown; this reader knows ${CONTAINER_VERSION}`);
  }
  const length = view.getUint32(LENGTH_OFFSET, true);
  if (length > maxHeaderBytes) {
    throw new CodecError('container', 'header length', `${length} bytes, the limit is ${maxHeaderBytes}`);
  }
  if (length > bytes.byteLength - PREFIX_BYTES) {
    throw new CodecError('container', 'header length', `${length} bytes, there are ${bytes.byteLength - PREFIX_BYTES}`);
  }
  const header = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  if (crc32(header) !== view.getUint32(CRC_OFFSET, true)) {
    throw new CodecError('container', 'header CRC', 'does not match: the header is damaged');
  }
  return header;
}
