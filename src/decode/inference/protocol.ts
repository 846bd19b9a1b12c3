/**
 * What the gateway and its inference processes say to each other: one JSON header a frame, with the bytes of tensors in
 * the exchange or behind it.
 */
import { z } from 'zod';

/** Providers that run inside an inference process, in no order. */
export const LOCAL_PROVIDERS = ['cpu', 'webgpu', 'cuda', 'tensorrt', 'coreml', 'dml'] as const;
export type LocalProvider = (typeof LOCAL_PROVIDERS)[number];

const tensorHeader = z.object({
  name: z.string(),
  type: z.enum(['float32', 'float16', 'uint8']),
  dims: z.array(z.number().int().nonnegative()),
  /** Where its bytes lie in the exchange; absent: they are the frame's next part. */
  at: z.number().int().nonnegative().optional(),
});
export type TensorHeader = z.output<typeof tensorHeader>;

const id = z.number().int();

export const requestSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('hello'), id }),
  z.object({
    op: z.literal('load'),
    id,
    /** Name under which `run` finds the session. */
    session: z.string(),
    path: z.string(),
    provider: z.enum(LOCAL_PROVIDERS),
    deviceId: z.number().int(),
    threads: z.number().int(),
  }),
  z.object({
    op: z.literal('run'),
    id,
    session: z.string(),
    tensors: z.array(tensorHeader),
    /** Part of the exchange that outputs may be put into; absent: all of them go into the frame. */
    room: z.object({ at: z.number().int().nonnegative(), bytes: z.number().int().nonnegative() }).optional(),
  }),
  /** Drops the job `id` if it has not begun; its answer then says so. */
  z.object({ op: z.literal('cancel'), id }),
]);
export type Request = z.output<typeof requestSchema>;

export const replySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), id, runtimeVersion: z.string(), backends: z.array(z.string()) }),
  z.object({ kind: z.literal('loaded'), id, ms: z.number() }),
  /** `startedAt` is in Unix milliseconds, so that the two processes agree on it. */
  z.object({ kind: z.literal('result'), id, startedAt: z.number(), ms: z.number(), tensors: z.array(tensorHeader) }),
  z.object({ kind: z.literal('cancelled'), id }),
  z.object({ kind: z.literal('failed'), id, message: z.string() }),
]);
export type Reply = z.output<typeof replySchema>;

/** A header with the bytes of those of its tensors that do not lie in the exchange, in its order. */
export interface Packet<Header> {
  readonly header: Header;
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}
