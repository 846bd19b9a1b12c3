/** Between the latents that a diffusion model speaks and those that its VAE takes, as graph nodes. */
import { ELEMENT_TYPE, type ElementType } from '../onnx/model.js';
import { type GraphBuilder, int, ints, text } from '../onnx/graph-builder.js';
import type { LatentStatistics } from '../installed-model.js';

/** How a family's latents relate to its VAE's input. */
export interface LatentSpace {
  /** Channels of a latent as it is stored: the VAE's channels times `patchSize`². */
  readonly channels: number;
  readonly statistics: LatentStatistics;
  /** Side of the squares of latent cells that are folded into channels (FLUX.2: 2); 1 where none are. */
  readonly patchSize: number;
}

/** Channels of the VAE's own latent. */
export function vaeChannels(space: LatentSpace): number {
  return space.channels / space.patchSize ** 2;
}

/**
 * Scaled latents `[B, C, h, w]` to the VAE's own: `z = scaled·std + mean` in float32, then patches unfolded in the order
 * of FLUX.2's `_unpatchify_latents` (channel c·4 + 2·dy + dx), which is DepthToSpace's CRD.
 */
export function unscale(builder: GraphBuilder, scaled: string, space: LatentSpace, type: ElementType): string {
  let value = type === ELEMENT_TYPE.float32 ? scaled : builder.cast(scaled, ELEMENT_TYPE.float32);
  const { mean, std } = space.statistics;
  if (std.some((factor) => factor !== 1)) value = builder.op('Mul', [value, perChannel(builder, std)]);
  if (mean.some((shift) => shift !== 0)) value = builder.op('Add', [value, perChannel(builder, mean)]);
  if (type !== ELEMENT_TYPE.float32) value = builder.cast(value, type);
  if (space.patchSize === 1) return value;
  return builder.op('DepthToSpace', [value], { blocksize: int(space.patchSize), mode: text('CRD') });
}

/** The inverse: the VAE's own latents, in float32, to scaled ones. */
export function scale(builder: GraphBuilder, raw: string, space: LatentSpace): string {
  let value = raw;
  if (space.patchSize > 1) {
    // SpaceToDepth puts the position before the channel; the stored order has the channel first.
    const positions = space.patchSize ** 2;
    const channels = vaeChannels(space);
    const order = Array.from(
      { length: space.channels },
      (_, i) => (i % positions) * channels + Math.floor(i / positions),
    );
    value = builder.op('SpaceToDepth', [value], { blocksize: int(space.patchSize) });
    value = builder.op('Gather', [value, builder.integers(order)], { axis: int(1) });
  }
  const { mean, std } = space.statistics;
  if (mean.some((shift) => shift !== 0)) value = builder.op('Sub', [value, perChannel(builder, mean)]);
  if (std.some((factor) => factor !== 1)) value = builder.op('Div', [value, perChannel(builder, std)]);
  return value;
}

/** A scalar where all channels agree, else `[1, C, 1, 1]`. */
function perChannel(builder: GraphBuilder, values: readonly number[]): string {
  const first = values[0] ?? 0;
  if (values.every((value) => value === first)) return builder.scalar(first);
  return builder.floats(values, [1, values.length, 1, 1]);
}

/** NCHW to NHWC. */
export const TO_CHANNELS_LAST = ints(0, 2, 3, 1);
/** NHWC to NCHW. */
export const TO_CHANNELS_FIRST = ints(0, 3, 1, 2);
