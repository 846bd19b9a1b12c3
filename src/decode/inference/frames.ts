/**
 * Frames on a pipe between two processes of ours: `u32 header bytes | u32 parts | u32 × parts lengths | header | parts`.
 * Each part is received in a buffer of its own, so that it can be transferred to a thread without a copy.
 */
import type { Writable } from 'node:stream';

/** A frame that is no frame of ours ends the connection: 1 MiB of JSON and 64 tensors are far beyond any real one. */
const MAX_HEADER_BYTES = 1 << 20;
const MAX_PARTS = 64;

export interface Frame {
  readonly header: unknown;
  readonly buffers: Uint8Array<ArrayBuffer>[];
}

/** Writes one frame; the socket keeps references to the parts until they are sent, it does not copy them. */
export function writeFrame(socket: Writable, header: unknown, buffers: readonly Uint8Array[]): void {
  const json = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8 + 4 * buffers.length);
  head.writeUInt32LE(json.length, 0);
  head.writeUInt32LE(buffers.length, 4);
  for (const [i, part] of buffers.entries()) head.writeUInt32LE(part.byteLength, 8 + 4 * i);
  socket.cork();
  socket.write(head);
  socket.write(json);
  for (const part of buffers) if (part.byteLength > 0) socket.write(part);
  socket.uncork();
}

/** Assembles frames from the pieces of a stream. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #target = new Uint8Array(8);
  #filled = 0;
  #lengths: number[] = [];
  #headerBytes = 0;
  #header: unknown;
  #stage: 'sizes' | 'lengths' | 'header' | 'parts' = 'sizes';
  #buffers: Uint8Array<ArrayBuffer>[] = [];

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws RangeError on sizes that no frame of ours has; SyntaxError on a header that is not JSON */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length || this.#filled === this.#target.length) {
      const count = Math.min(chunk.length - at, this.#target.length - this.#filled);
      this.#target.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < this.#target.length) return;
      this.#advance(this.#target);
    }
  }

  #expect(stage: 'sizes' | 'lengths' | 'header' | 'parts', bytes: number): void {
    this.#stage = stage;
    this.#target = new Uint8Array(bytes);
    this.#filled = 0;
  }

  #advance(received: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(received.buffer);
    switch (this.#stage) {
      case 'sizes': {
        this.#headerBytes = view.getUint32(0, true);
        const parts = view.getUint32(4, true);
        if (this.#headerBytes > MAX_HEADER_BYTES || parts > MAX_PARTS)
          throw new RangeError('not a frame of an inference process');
        this.#buffers = [];
        this.#lengths = new Array<number>(parts).fill(0);
        this.#expect('lengths', 4 * parts);
        break;
      }
      case 'lengths':
        this.#lengths = this.#lengths.map((_, i) => view.getUint32(4 * i, true));
        this.#expect('header', this.#headerBytes);
        break;
      case 'header':
        this.#header = JSON.parse(Buffer.from(received).toString());
        this.#nextPart();
        break;
      case 'parts':
        this.#buffers.push(received);
        this.#nextPart();
        break;
    }
  }

  #nextPart(): void {
    const length = this.#lengths[this.#buffers.length];
    if (length !== undefined) {
      this.#expect('parts', length);
      return;
    }
    const frame = { header: this.#header, buffers: this.#buffers };
    this.#expect('sizes', 8);
    this.#onFrame(frame);
  }
}
