import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyOf, failingBody, noise } from '../testing/contract/context.js';
import { inPieces, PART_BYTES, partSizes, readSmall } from './upload-body.js';

async function piecesOf(bytes: Buffer, chunk: number, size: (n: number) => number): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of inPieces(bodyOf(bytes, chunk), size)) pieces.push(Buffer.from(piece));
  return pieces;
}

describe('upload bodies', () => {
  it('are cut into pieces of the sizes asked for, however they arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(300),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        async (length, chunk, size) => {
          const bytes = noise(length);
          const pieces = await piecesOf(bytes, chunk, (n) => size + n);
          expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
          expect(pieces.length).toBeGreaterThan(0);
          for (const [i, piece] of pieces.slice(0, -1).entries()) expect(piece.length).toBe(size + i + 1);
          if (length > 0) expect(pieces.at(-1)?.length).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('fit into 10,000 parts of at most 5 GiB up to 5 TiB, their length known or not', () => {
    const largest = 5 * 2 ** 40;
    expect(partSizes(largest)(1) * 10_000).toBeGreaterThanOrEqual(largest);
    expect(partSizes(100)(1)).toBe(PART_BYTES);
    const unknown = partSizes(undefined);
    expect(unknown(1)).toBe(PART_BYTES);
    expect(unknown(10_000)).toBeLessThanOrEqual(256 << 20);
    let sum = 0;
    for (let n = 1; n <= 10_000; n++) sum += unknown(n);
    expect(sum).toBeGreaterThan(10 ** 12);
  });

  it('that are small are read whole, and refused where their length is not the announced one', async () => {
    expect(Buffer.from(await readSmall(bodyOf('12345'), 5)).toString()).toBe('12345');
    for (const announced of [4, 6])
      await expect(readSmall(bodyOf('12345'), announced)).rejects.toMatchObject({ code: 'IncompleteBody' });
    const error = new Error('cut');
    await expect(readSmall(failingBody('12', error), 5)).rejects.toBe(error);
  });
});
