import { createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { S3Error } from '../errors.js';
import type { WireRequest } from '../wire-request.js';
import { authenticate } from './authenticate.js';
import { staticCredentials } from './credentials.js';

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE';
const allow = [{ actions: ['*'], resources: ['*'] }];
const deps = {
  credentials: staticCredentials([{ name: 'example', accessKeyId, secretAccessKey, allow }]),
  region: 'us-east-1',
  domains: ['s3.amazonaws.com'],
  now: () => new Date(1_175_139_000_000),
};

function wire(rawPath: string, rawQuery: string, host = 'gateway:9000', method = 'GET'): WireRequest {
  return {
    method,
    rawPath,
    rawQuery,
    headers: [['host', host]],
    body: Readable.from([]),
    remoteAddress: undefined,
    secure: false,
  };
}

function sign(text: string): string {
  return encodeURIComponent(createHmac('sha1', secretAccessKey).update(text).digest('base64'));
}

async function faultOf(request: WireRequest): Promise<S3Error> {
  const fault: unknown = await authenticate(request, deps).catch((error: unknown) => error);
  if (!(fault instanceof S3Error)) throw new Error('expected a refusal');
  return fault;
}

describe('a presigned URL of version 2', () => {
  it("is accepted in Amazon's published example, a virtual-hosted address", async () => {
    const query = `AWSAccessKeyId=${accessKeyId}&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620`;
    const { credentialName } = await authenticate(wire('/photos/puppy.jpg', query, 'johnsmith.s3.amazonaws.com'), deps);
    expect(credentialName).toBe('example');
  });

  it('is accepted path-style, with overrides under the signature', async () => {
    const text = 'GET\n\n\n1175139620\n/images/a%20b.png?response-content-type=text/plain';
    const query = `response-content-type=text%2Fplain&AWSAccessKeyId=${accessKeyId}&Signature=${sign(text)}&Expires=1175139620`;
    expect((await authenticate(wire('/images/a%20b.png', query), deps)).method).toBe('query');
  });

  it.each([
    ['another key', '/images/other', 'SignatureDoesNotMatch'],
    ['another method', '/images/a', 'SignatureDoesNotMatch'],
  ])('is refused for %s', async (what, path, code) => {
    const query = `AWSAccessKeyId=${accessKeyId}&Signature=${sign('GET\n\n\n1175139620\n/images/a')}&Expires=1175139620`;
    expect((await faultOf(wire(path, query, 'h', what === 'another method' ? 'HEAD' : 'GET'))).code).toBe(code);
  });

  it('opens no other bucket by another Host', async () => {
    const query = `AWSAccessKeyId=${accessKeyId}&Signature=${sign('GET\n\n\n1175139620\n/public/private/x.png')}&Expires=1175139620`;
    expect((await authenticate(wire('/public/private/x.png', query), deps)).method).toBe('query');
    for (const host of ['public.evil', 'public.s3.amazonaws.com.evil'])
      expect((await faultOf(wire('/private/x.png', query, host))).code).toBe('SignatureDoesNotMatch');
  });

  it.each([
    ['a listing', '/images/', 'GET', ''],
    ['a write', '/images/a', 'PUT', ''],
    ['a parameter that it does not sign', '/images/a', 'GET', '&x-lbx-format=latent'],
  ])('is refused for %s', async (_what, path, method, extra) => {
    const query = `AWSAccessKeyId=${accessKeyId}&Signature=${sign(`${method}\n\n\n1175139620\n${path}`)}&Expires=1175139620${extra}`;
    expect((await faultOf(wire(path, query, 'h', method))).code).toBe('InvalidRequest');
  });

  it('is refused once it has expired, or names no known key', async () => {
    const expired = `AWSAccessKeyId=${accessKeyId}&Signature=${sign('GET\n\n\n1175138999\n/images/a')}&Expires=1175138999`;
    expect(await faultOf(wire('/images/a', expired))).toMatchObject({
      code: 'AccessDenied',
      message: 'Request has expired',
    });
    expect((await faultOf(wire('/images/a', 'AWSAccessKeyId=nobody&Signature=x&Expires=1175139620'))).code).toBe(
      'InvalidAccessKeyId',
    );
    expect((await faultOf(wire('/images/a', `AWSAccessKeyId=${accessKeyId}&Expires=1175139620`))).code).toBe(
      'AccessDenied',
    );
  });
});
