/** The payload codecs that this version knows; a new one is a row here and a section in `docs/container.md`. */
import type { PayloadCodec } from './payload-codec.js';
import { pcodecPayload } from './pcodec-payload.js';

export const PAYLOAD_CODECS = { pcodec: pcodecPayload } as const satisfies Readonly<Record<string, PayloadCodec>>;

export type PayloadCodecId = keyof typeof PAYLOAD_CODECS;

/** @returns undefined for an id that this version does not know */
export function findPayloadCodec(id: string): PayloadCodec | undefined {
  return Object.hasOwn(PAYLOAD_CODECS, id) ? PAYLOAD_CODECS[id as PayloadCodecId] : undefined;
}
