/** What `x-amz-content-sha256` says of the body. */
import { S3Error } from '../errors.js';
import type { PayloadDeclaration } from './types.js';

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

const NAMED: ReadonlyMap<string, PayloadDeclaration> = new Map<string, PayloadDeclaration>([
  ['UNSIGNED-PAYLOAD', { kind: 'unsigned' }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { kind: 'streaming', signed: true, trailer: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { kind: 'streaming', signed: true, trailer: true }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { kind: 'streaming', signed: false, trailer: true }],
]);

/** Throws InvalidArgument for what S3 does not know, NotImplemented for SigV4A's streaming modes. */
export function parsePayloadDeclaration(value: string): PayloadDeclaration {
  const named = NAMED.get(value);
  if (named !== undefined) return named;
  if (HEX_SHA256.test(value)) return { kind: 'sha256', hex: value.toLowerCase() };
  if (value.startsWith('STREAMING-AWS4-ECDSA-'))
    throw new S3Error('NotImplemented', 'SigV4A (ECDSA) payload signatures are not implemented; use AWS4-HMAC-SHA256.');
  throw new S3Error(
    'InvalidArgument',
    `x-amz-content-sha256 must be ${[...NAMED.keys()].join(', ')}, or a valid sha256 value.`,
    { fields: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value } },
  );
}
