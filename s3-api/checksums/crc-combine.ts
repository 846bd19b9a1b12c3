/**
 * The CRC of a concatenation from the CRCs of its pieces, without their bytes: crc(A‖B) = crc(A)·x^(8·|B|) + crc(B)
 * in GF(2)[x] modulo the CRC's polynomial (the initial and final inversions cancel out).
 */
import type { ChecksumAlgorithm } from '../object-store.js';
import { DIGEST_BYTES } from './hashers.js';

export type CrcAlgorithm = Extract<ChecksumAlgorithm, 'CRC32' | 'CRC32C' | 'CRC64NVME'>;

/** Reflected polynomials without the leading term: the lowest bit is the highest power of x. */
const POLYNOMIAL: Record<CrcAlgorithm, bigint> = {
  CRC32: 0xedb88320n,
  CRC32C: 0x82f63b78n,
  CRC64NVME: 0x9a6c9329ac4bc9b5n,
};

export interface CrcPiece {
  /** Big-endian digest. */
  readonly crc: Uint8Array;
  /** Bytes that it covers. */
  readonly size: number;
}

/** CRC of the pieces' concatenation; of nothing at all where there are no pieces. */
export function combineCrcs(algorithm: CrcAlgorithm, pieces: Iterable<CrcPiece>): Buffer {
  const bytes = DIGEST_BYTES[algorithm];
  const field = new ReflectedField(POLYNOMIAL[algorithm], BigInt(bytes * 8));
  // Parts of an upload mostly have one size: its power of x is found once.
  const shifts = new Map<number, bigint>();
  let combined = 0n;
  for (const { crc, size } of pieces) {
    let shift = shifts.get(size);
    if (shift === undefined) shifts.set(size, (shift = field.powerOfX(BigInt(size) * 8n)));
    combined = field.multiply(shift, combined) ^ BigInt(`0x${Buffer.from(crc).toString('hex')}`);
  }
  return Buffer.from(combined.toString(16).padStart(bytes * 2, '0'), 'hex');
}

class ReflectedField {
  readonly #polynomial: bigint;
  /** The polynomial 1: the highest bit. */
  readonly #one: bigint;

  constructor(polynomial: bigint, width: bigint) {
    this.#polynomial = polynomial;
    this.#one = 1n << (width - 1n);
  }

  multiply(a: bigint, b: bigint): bigint {
    let product = 0n;
    let factor = b;
    for (let bit = this.#one; bit > 0n && factor > 0n; bit >>= 1n) {
      if ((a & bit) !== 0n) product ^= factor;
      factor = (factor & 1n) === 0n ? factor >> 1n : (factor >> 1n) ^ this.#polynomial;
    }
    return product;
  }

  powerOfX(exponent: bigint): bigint {
    let result = this.#one;
    let square = this.#one >> 1n;
    for (let left = exponent; left > 0n; left >>= 1n) {
      if ((left & 1n) === 1n) result = this.multiply(result, square);
      square = this.multiply(square, square);
    }
    return result;
  }
}
