/**
 * The protobuf wire format, as far as ONNX needs it: fields in and out, without copying payloads.
 *
 * ONNX weights are single `bytes` fields of many megabytes. A reader that yields views and a writer that keeps large
 * payloads by reference move them from file to file without a copy, which general protobuf libraries do not.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** Payloads at least this long are referenced, not copied into the writer's buffer. */
const BY_REFERENCE_BYTES = 1024;
const INITIAL_BUFFER_BYTES = 256;

/** One field as it lies in a message. `number` is the field's number in the schema. */
export type WireField =
  | { readonly number: number; readonly wireType: typeof WIRE_VARINT; readonly value: bigint; readonly raw: Uint8Array }
  | {
      readonly number: number;
      readonly wireType: typeof WIRE_FIXED64 | typeof WIRE_BYTES | typeof WIRE_FIXED32;
      /** A view into the message. */
      readonly bytes: Uint8Array;
      /** Tag and value, a view: written back as it is where the field is not known. */
      readonly raw: Uint8Array;
    };

/** Reads one varint at `offset`; returns the value as an unsigned 64-bit number and the offset after it. */
function readVarint(bytes: Uint8Array, offset: number): { value: bigint; next: number } {
  // Seven bytes (49 bits) fit a double exactly; only negative int64s need more.
  let low = 0;
  let factor = 1;
  for (let index = 0; index < 7; index += 1) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new RangeError('a number runs past the end of its message');
    low += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value: BigInt(low), next: offset + index + 1 };
    factor *= 128;
  }
  let value = BigInt(low);
  for (let index = 7; index < 10; index += 1) {
    const byte = bytes[offset + index];
    if (byte === undefined) throw new RangeError('a number runs past the end of its message');
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: offset + index + 1 };
  }
  throw new RangeError('a number is longer than ten bytes');
}

/**
 * The fields of one message in order, as views.
 * @throws RangeError where the bytes are not a protobuf message.
 */
export function* readFields(message: Uint8Array): Generator<WireField, void, undefined> {
  let offset = 0;
  while (offset < message.length) {
    const start = offset;
    const tag = readVarint(message, offset);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    if (number === 0) throw new RangeError(`field number 0 at byte ${start}`);
    offset = tag.next;
    if (wireType === WIRE_VARINT) {
      const { value, next } = readVarint(message, offset);
      offset = next;
      yield { number, wireType, value, raw: message.subarray(start, offset) };
      continue;
    }
    let length: number;
    if (wireType === WIRE_FIXED64) length = 8;
    else if (wireType === WIRE_FIXED32) length = 4;
    else if (wireType === WIRE_BYTES) {
      const prefix = readVarint(message, offset);
      length = Number(prefix.value);
      offset = prefix.next;
    } else throw new RangeError(`wire type ${wireType} at byte ${start}`);
    if (length > message.length - offset) throw new RangeError(`field ${number} at byte ${start} runs past the end`);
    const bytes = message.subarray(offset, offset + length);
    offset += length;
    yield { number, wireType, bytes, raw: message.subarray(start, offset) };
  }
}

/** The varints of a packed repeated field, as unsigned 64-bit numbers. */
export function readPackedVarints(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const { value, next } = readVarint(bytes, offset);
    values.push(value);
    offset = next;
  }
  return values;
}

const utf8Decoder = new TextDecoder('utf-8');
const utf8Encoder = new TextEncoder();

/** A `string` field's text. */
export function readText(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes);
}

/** Builds one message. Small fields go to a buffer of its own, large payloads stay where they are. */
export class WireWriter {
  readonly #chunks: Uint8Array[] = [];
  #buffer = new Uint8Array(INITIAL_BUFFER_BYTES);
  #used = 0;
  #flushed = 0;

  /** Bytes written so far. */
  get byteLength(): number {
    return this.#flushed + this.#used;
  }

  /** A varint field: enum, bool, int32, int64 (negative numbers in two's complement). */
  varint(number: number, value: number | bigint): this {
    this.#tag(number, WIRE_VARINT);
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** A `float` field. */
  float(number: number, value: number): this {
    this.#tag(number, WIRE_FIXED32);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#append(bytes);
    return this;
  }

  text(number: number, value: string): this {
    return this.bytes(number, utf8Encoder.encode(value));
  }

  bytes(number: number, value: Uint8Array): this {
    this.#tag(number, WIRE_BYTES);
    this.#varint(BigInt(value.length));
    this.#append(value);
    return this;
  }

  /** A nested message. */
  message(number: number, fill: (writer: WireWriter) => void): this {
    const child = new WireWriter();
    fill(child);
    this.#tag(number, WIRE_BYTES);
    this.#varint(BigInt(child.byteLength));
    for (const chunk of child.finish()) this.#append(chunk);
    return this;
  }

  /** Whole fields, tag included, as a reader gave them. */
  raw(fields: readonly Uint8Array[]): this {
    for (const field of fields) this.#append(field);
    return this;
  }

  /** The message as consecutive pieces, ready for one vectored write. */
  finish(): readonly Uint8Array[] {
    this.#flush();
    return this.#chunks;
  }

  #tag(number: number, wireType: number): void {
    this.#varint((BigInt(number) << 3n) | BigInt(wireType));
  }

  #varint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7fn) {
      this.#buffer[this.#used++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#used++] = Number(rest);
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length >= BY_REFERENCE_BYTES) {
      this.#flush();
      this.#chunks.push(bytes);
      this.#flushed += bytes.length;
      return;
    }
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#used + bytes));
    grown.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = grown;
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#chunks.push(this.#buffer.subarray(0, this.#used));
    this.#flushed += this.#used;
    this.#buffer = new Uint8Array(INITIAL_BUFFER_BYTES);
    this.#used = 0;
  }
}
