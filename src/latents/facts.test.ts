import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UserMetadata } from '../../s3-api/index.js';
import {
  CONTAINER_CONTENT_TYPE,
  factsFromMetadata,
  factsToMetadata,
  imageEtag,
  metadataBytes,
  splitReservedMetadata,
  type LatentFacts,
} from './facts.js';

const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
const facts: fc.Arbitrary<LatentFacts> = fc.record(
  {
    model: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/),
    width: fc.integer({ min: 1, max: 65_536 }),
    height: fc.integer({ min: 1, max: 65_536 }),
    tensor: fc.constantFrom('f16:16x64x64', 'bf16:4x1x1', 'f32:128x32x32'),
    codec: fc.constantFrom('pcodec', 'predictive'),
    contentId: hex,
    render: fc.record({
      size: fc.integer({ min: 1, max: 2 ** 40 }),
      md5: hex,
      crc64nvme: fc.constant('AAAAAAAAAAA='),
      decoderClass: hex,
      pngProfile: fc.constant('lbx-png-1'),
    }),
    metadataInContainer: fc.boolean(),
  },
  { requiredKeys: ['model', 'width', 'height', 'tensor', 'contentId', 'metadataInContainer'] },
);

describe('the facts of a latent as metadata', () => {
  it('come back as they were, and take no more of the 2 KB than is set aside', () => {
    fc.assert(
      fc.property(facts, (original) => {
        const metadata = factsToMetadata(original);
        expect(factsFromMetadata(stored(metadata))).toEqual(original);
        expect(metadataBytes(metadata)).toBeLessThanOrEqual(640);
        expect(splitReservedMetadata({ ...metadata, own: '1' }).own).toEqual({ own: '1' });
      }),
    );
  });

  it('are none where the metadata is not ours or damaged', () => {
    expect(factsFromMetadata(stored({}))).toBeUndefined();
    expect(factsFromMetadata(stored({ 'lbx-format': 'latent-1' }))).toBeUndefined();
    expect(factsFromMetadata(stored({ 'lbx-format': 'latent-2' }))).toBeUndefined();
  });
});

describe('imageEtag', () => {
  it('changes with everything that may change a byte, and never looks like an MD5', () => {
    const etags = [
      imageEtag({ contentId: 'a', model: 'm' }, 'class', 'png-1'),
      imageEtag({ contentId: 'b', model: 'm' }, 'class', 'png-1'),
      imageEtag({ contentId: 'a', model: 'n' }, 'class', 'png-1'),
      imageEtag({ contentId: 'a', model: 'm' }, 'other', 'png-1'),
      imageEtag({ contentId: 'a', model: 'm' }, 'class', 'png-2'),
    ];
    expect(new Set(etags).size).toBe(etags.length);
    for (const etag of etags) expect(etag).toMatch(/^[0-9a-f]{32}-1$/);
  });
});

it('does not believe facts that a server kept of an object which was overwritten', () => {
  const facts = {
    'lbx-format': 'latent-1',
    'lbx-model': 'm',
    'lbx-image': '8x8',
    'lbx-tensor': 'f16:4x1x1',
    'lbx-content': '0'.repeat(32),
  };
  expect(factsFromMetadata(stored(facts))).toBeDefined();
  expect(factsFromMetadata({ systemMetadata: { contentType: 'image/jpeg' }, userMetadata: facts })).toBeUndefined();
});

function stored(userMetadata: UserMetadata) {
  return { systemMetadata: { contentType: CONTAINER_CONTENT_TYPE }, userMetadata };
}
