/**
 * Buffers of decoded pixels that are used again: the system hands out a new one page by page as it is first written,
 * which takes longer than the copy itself.
 */

/** Buffers that are kept for the next picture of their size: those of a few pictures in flight. */
const MAX_KEPT = 4;
/** All of them together; a larger picture's buffer is let go. */
const MAX_KEPT_BYTES = 1 << 24;

export class BufferPool {
  /** The one that was given last comes last. */
  #kept: ArrayBuffer[] = [];

  /** Bytes that nobody uses now. */
  get bytes(): number {
    return this.#kept.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }

  /** A whole buffer of exactly this length; what it holds is left from its last use. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const index = this.#kept.findLastIndex((buffer) => buffer.byteLength === bytes);
    const [found] = index < 0 ? [] : this.#kept.splice(index, 1);
    return new Uint8Array(found ?? new ArrayBuffer(bytes));
  }

  /** The caller must not touch it any more. The ones that waited longest make room. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === 0 || buffer.byteLength > MAX_KEPT_BYTES) return;
    this.#kept.push(buffer);
    while (this.#kept.length > MAX_KEPT || this.bytes > MAX_KEPT_BYTES) this.#kept.shift();
  }
}
