import fc from 'fast-check';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Frame } from './frames.js';
import { FrameReader, writeFrame } from './frames.js';

function encoded(header: unknown, buffers: readonly Uint8Array[]): Buffer {
  const pieces: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      pieces.push(chunk);
      done();
    },
  });
  writeFrame(sink, header, buffers);
  return Buffer.concat(pieces);
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const frame = fc.record({
      header: fc.record({ id: fc.nat(), text: fc.string() }),
      buffers: fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 40 }), (frames, step) => {
        const stream = Buffer.concat(frames.map(({ header, buffers }) => encoded(header, buffers)));
        const received: Frame[] = [];
        const reader = new FrameReader((one) => received.push(one));
        for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
        expect(received.map(({ header }) => header)).toEqual(frames.map(({ header }) => header));
        expect(received.map(({ buffers }) => buffers.map((part) => [...part]))).toEqual(
          frames.map(({ buffers }) => buffers.map((part) => [...part])),
        );
      }),
    );
  });

  it('refuses sizes that no frame of ours has before it reserves memory for them', () => {
    const reader = new FrameReader(() => undefined);
    expect(() => reader.push(Buffer.alloc(8, 0xff))).toThrow('not a frame');
  });
});
