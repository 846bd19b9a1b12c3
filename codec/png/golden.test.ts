import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodePng, PNG_ENCODER_PROFILE } from './encode-png.js';
import type { PngEffort, PngLayout } from './layout.js';
import { KINDS, syntheticPicture } from './testing/pictures.js';

const LAYOUTS: readonly PngLayout[] = [
  { width: 333, height: 211, channels: 3 },
  { width: 1024, height: 1100, channels: 4 },
];
const EFFORTS: readonly PngEffort[] = ['fast', 'small', 'smallest'];

function digest(effort: PngEffort): string {
  const hash = createHash('sha256');
  for (const layout of LAYOUTS) {
    // The slowest effort takes seconds for the large layout.
    if (effort === 'smallest' && layout.width > 1000) continue;
    for (const kind of KINDS) hash.update(encodePng(syntheticPicture(kind, layout, 11), { ...layout, effort }));
  }
  return hash.digest('hex');
}

describe('the encoder profile', () => {
  it('names these exact bytes: when they change, so must the name', () => {
    expect({ profile: PNG_ENCODER_PROFILE, digests: EFFORTS.map(digest) }).toMatchInlineSnapshot(`
      {
        "digests": [
          "0d271b751de0b8c227512ba6e30dbebae02d050616b327b0c189ec1ddde05fb6",
          "82e0a39ed272a33c0f5967b797cb3a251bc460f78d39a562845aa6f9ea2d48ac",
          "1610dc98437c893b3e3f7ec56f8830d2d9dc0459aca66d85fa4a94e3dc769cc8",
        ],
        "profile": "lbx-png-1",
      }
    `);
  }, 60_000);
});
