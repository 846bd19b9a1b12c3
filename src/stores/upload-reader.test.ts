import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, PeekedUpload } from './upload-reader.js';

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 });
const streamOf = (parts: readonly Uint8Array[]) => Readable.from(parts.map((part) => Buffer.from(part)));
const bytesOf = async (stream: Readable) => Buffer.concat((await stream.toArray()) as Buffer[]);

describe('PeekedUpload', () => {
  it('gives the first bytes and loses none, however the upload is split', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 100 }), async (parts, wanted) => {
        const whole = Buffer.concat(parts);
        const upload = await PeekedUpload.of(streamOf(parts), wanted);
        expect(Buffer.from(upload.head).equals(whole.subarray(0, wanted))).toBe(true);
        expect((await bytesOf(upload.rest)).equals(whole)).toBe(true);
      }),
    );
  });

  it('passes the error of an upload on, at the start and later', async () => {
    const failing = (after: number) =>
      Readable.from(
        (async function* () {
          for (let i = 0; i < after; i += 1) yield Buffer.alloc(10);
          throw new Error('truncated');
        })(),
      );
    await expect(PeekedUpload.of(failing(0), 5)).rejects.toThrow('truncated');
    const later = await PeekedUpload.of(failing(3), 5);
    await expect(bytesOf(later.rest)).rejects.toThrow('truncated');
  });
});

describe('collect', () => {
  it('gives all bytes at once up to the limit, and a stream of all of them above it', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 0, max: 300 }), async (parts, limit) => {
        const whole = Buffer.concat(parts);
        const collected = await collect(streamOf(parts), limit);
        expect(collected instanceof Uint8Array).toBe(whole.byteLength <= limit);
        const bytes = collected instanceof Uint8Array ? Buffer.from(collected) : await bytesOf(collected);
        expect(bytes.equals(whole)).toBe(true);
      }),
    );
  });
});
