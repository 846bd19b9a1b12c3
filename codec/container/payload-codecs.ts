/** The payload codecs that this version knows; a new one is a row here and a section in `docs/container.md`. */
import type { PayloadCodec } from './payload-codec.js';
import { pcodecPayload } from './pcodec-payload.js';
import { predictivePayload } from './predictive-payload.js';

export const PAYLOAD_CODECS = {
  pcodec: pcodecPayload,
  predictive: predictivePayload,
} as const satisfies Readonly<Record<string, PayloadCodec>>;

export type PayloadCodecId = keyof typeof PAYLOAD_CODECS;

/** How a writer chooses: one codec, or `smallest`, which tries all and keeps the smallest payload. */
export type PayloadCodecChoice = PayloadCodecId | 'smallest';

export function isPayloadCodecId(id: string): id is PayloadCodecId {
  return Object.hasOwn(PAYLOAD_CODECS, id);
}

/** @returns undefined for an id that this version does not know */
export function findPayloadCodec(id: string): PayloadCodec | undefined {
  return isPayloadCodecId(id) ? PAYLOAD_CODECS[id] : undefined;
}
