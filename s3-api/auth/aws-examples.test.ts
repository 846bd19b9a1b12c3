import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { decodeRequestBody } from '../body/decode-request-body.js';
import { authenticate } from './authenticate.js';
import {
  bucketGet,
  chunkedPut,
  exampleDeps,
  getWithRange,
  presignedGet,
  putObject,
  trailerPut,
} from './testing/aws-examples.js';

describe("Amazon's worked examples", () => {
  it.each([
    ['GET with a range', getWithRange()],
    ['PUT of an escaped key', putObject()],
    ['GET lifecycle', bucketGet('lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543')],
    [
      'GET bucket (list objects)',
      bucketGet('max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'),
    ],
    ['presigned GET', presignedGet()],
  ])('verifies the %s', async (_name, request) => {
    const authenticated = await authenticate(request, exampleDeps());
    expect(authenticated.credentialName).toBe('example');
    expect(authenticated.accessKeyId).toBe('AKIAIOSFODNN7EXAMPLE');
  });

  it('verifies the chunked upload with its three chunk signatures', async () => {
    const request = chunkedPut();
    const { body, contentLength } = decodeRequestBody(request, await authenticate(request, exampleDeps()));
    expect(contentLength).toBe(66_560);
    expect(Buffer.alloc(66_560, 'a').equals(await buffer(body))).toBe(true);
  });

  it('verifies the chunked upload with a trailing checksum and its signature', async () => {
    const request = trailerPut();
    const { body, checksum } = decodeRequestBody(request, await authenticate(request, exampleDeps()));
    expect(checksum?.algorithm).toBe('CRC32C');
    expect(Buffer.alloc(66_560, 'a').equals(await buffer(body))).toBe(true);
    expect(checksum?.value()).toBe('sOO8/Q==');
  });
});
