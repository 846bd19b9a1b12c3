/** `docs/container.md` and the code say the same. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPython, whyNoOfficialPcodec } from '../testing/official-pcodec.js';
import { correlatedValues, everyPattern, tensorOf, truncateToBf16 } from '../testing/tensors.js';
import type { Tensor } from '../tensor.js';
import { decodeContainer, encodeContainer } from './container.js';

const page = readFileSync(new URL('../../docs/container.md', import.meta.url), 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([^\`]*)\`\`\``).exec(page)?.[1] ?? '';

const example = Buffer.concat(
  block('hexdump')
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line.slice(6, 53).replaceAll(' ', ''), 'hex')),
);
const image = {
  model: 'tiny',
  tensor: {
    dtype: 'f16',
    shape: [1, 2, 2],
    data: new Uint8Array(Uint16Array.of(0, 0x3c00, 0xc000, 0x8000).buffer),
  } as Tensor,
  width: 16,
  height: 15,
  scaled: true,
  origin: { kind: 'supplied' } as const,
  pngChunks: { beforeIdat: [{ type: 'gAMA', data: Uint8Array.of(0, 0, 0xb1, 0x8f) }], afterIdat: [] },
};

describe('the worked example of docs/container.md', () => {
  it('is what the writer writes', () => {
    expect(Buffer.from(encodeContainer(image)).toString('hex')).toBe(example.toString('hex'));
  });

  it('reads as the image that the page names', () => {
    const { header, tensor, ...rest } = decodeContainer(example);
    expect({ ...rest, tensor: { ...tensor, data: [...tensor.data] } }).toMatchObject({
      ...image,
      pngChunks: { beforeIdat: [{ type: 'gAMA', data: Buffer.from([0, 0, 0xb1, 0x8f]) }] },
      tensor: { ...image.tensor, data: [...image.tensor.data] },
    });
    expect(header).toMatchObject({ payloadOffset: 0x1c6, payloadLength: 29, codec: { mode: 'float-quant:10' } });
  });
});

const missing = whyNoOfficialPcodec();

describe.skipIf(missing !== undefined)(
  `the Python reader of docs/container.md${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    const values = correlatedValues(4 * 32 * 32, 0.9);
    it.each<[string, Tensor]>([
      ['f16 of every pattern', everyPattern('f16')],
      ['bf16 of every pattern', everyPattern('bf16')],
      ['f32', tensorOf('f32', [4, 32, 32], new Uint8Array(values.buffer))],
      ['bf16', tensorOf('bf16', [4, 32, 32], truncateToBf16(values))],
      ['one element', tensorOf('f16', [1, 1, 1], Uint8Array.of(0, 0x7e))],
      ['no element', tensorOf('f16', [0, 4, 4], new Uint8Array(0))],
    ])('gets the very bytes of %s', (_, tensor) => {
      const folder = mkdtempSync(join(tmpdir(), 'latentbox-format-'));
      const file = join(folder, 'latent.lbx');
      writeFileSync(file, encodeContainer({ ...image, tensor, width: 16, height: 16 }));
      const printed = runPython(
        `${block('python')}\nprint(list(latent.shape), 'of', latent.tobytes().hex() or 'nothing')`,
        file,
      ).trim();
      rmSync(folder, { recursive: true });
      expect(printed).toBe(`[${tensor.shape.join(', ')}] of ${Buffer.from(tensor.data).toString('hex') || 'nothing'}`);
    });
  },
);
