/** Names what a decoder's pixels depend on, for ETags and for residuals that must meet the decoder they were made with. */
import { createHash } from 'node:crypto';

export interface DecoderIdentity {
  /** The model's fingerprint. */
  readonly fingerprint: string;
  readonly provider: string;
  /** Version of the runtime (or, for a remote server, its name and version). */
  readonly runtimeVersion: string;
  readonly deviceFamily: string;
}

/** Lower-case hex, 32 digits: equal for decoders that are expected to give equal pixels. */
export function decoderClassOf(identity: DecoderIdentity): string {
  const { fingerprint, provider, runtimeVersion, deviceFamily } = identity;
  const text = JSON.stringify(['decoder-class-1', fingerprint, provider, runtimeVersion, deviceFamily]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
