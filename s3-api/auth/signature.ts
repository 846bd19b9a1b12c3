/** The arithmetic of AWS Signature Version 4: keys, strings to sign, and comparison in constant time. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Credential } from './credentials.js';
import type { CredentialScope } from './scope.js';
import type { ChunkSigningContext } from './types.js';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A presigned URL lives up to seven days, so that eight days' keys may be in use at once. */
const CACHED_KEYS_PER_CREDENTIAL = 16;

const signingKeys = new WeakMap<Credential, Map<string, Buffer>>();

/** The key of one day, region and service: four HMACs, remembered as long as the credential object lives. */
export function signingKey(credential: Credential, scope: CredentialScope): Buffer {
  let keys = signingKeys.get(credential);
  if (keys === undefined) signingKeys.set(credential, (keys = new Map<string, Buffer>()));
  const cached = keys.get(scope.text);
  if (cached !== undefined) return cached;
  const dateKey = hmac(`AWS4${credential.secretAccessKey}`, scope.date);
  const key = hmac(hmac(hmac(dateKey, scope.region), scope.service), 'aws4_request');
  if (keys.size >= CACHED_KEYS_PER_CREDENTIAL) {
    const [oldest] = keys.keys();
    if (oldest !== undefined) keys.delete(oldest);
  }
  keys.set(scope.text, key);
  return key;
}

/** `canonicalRequest` holds header values as Latin-1, so that its octets are the wire's. */
export function stringToSign(timestamp: string, scope: string, canonicalRequest: string): string {
  const digest = hash('sha256', Buffer.from(canonicalRequest, 'latin1'), 'hex');
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${digest}`;
}

export function sign(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** Signature of one aws-chunked chunk whose bytes have this hex SHA-256. */
export function signChunk(context: ChunkSigningContext, previous: string, sha256: string): string {
  const head = `${ALGORITHM}-PAYLOAD\n${context.timestamp}\n${context.scope}`;
  return sign(context.signingKey, `${head}\n${previous}\n${EMPTY_SHA256}\n${sha256}`);
}

/** Signature of the trailer section, given as `name:value\n` lines. */
export function signTrailer(context: ChunkSigningContext, previous: string, trailer: string): string {
  const head = `${ALGORITHM}-TRAILER\n${context.timestamp}\n${context.scope}`;
  return sign(context.signingKey, `${head}\n${previous}\n${hash('sha256', Buffer.from(trailer, 'latin1'), 'hex')}`);
}

/** Equal texts, in a time that tells nothing of where they differ. Their lengths are no secret. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
