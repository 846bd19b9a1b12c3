/** What the codec workers do, as plain functions and messages: open containers, write PNGs, compose pixels. */
import type { CodecFormat, PngAncillaryChunks } from '../../codec/index.js';
import { assemblePng, decodeContainer, encodePngStrip, planPngStrips } from '../../codec/index.js';
import type { GraphPrecision, LatentStatistics } from '../models/installed-model.js';
import { prepareLatent } from './prepare-latent.js';
import type { TileOptions, TilePlan } from './tiles.js';
import { composeTiles, cutTiles, planTiles } from './tiles.js';

export interface OpenTask {
  readonly kind: 'open';
  /** A whole `.lbx` file; its payload and tensor hashes are verified. */
  readonly container: Uint8Array;
  readonly precision: GraphPrecision;
  readonly statistics: LatentStatistics;
  readonly tiling: TileOptions;
}

export interface OpenedLatent {
  readonly plan: TilePlan;
  /** The graph's input per tile, `[1, C, h, w]`, in the plan's row order. */
  readonly tiles: readonly Uint8Array<ArrayBuffer>[];
  readonly channels: number;
  /** Pixels of the picture, without the padding of the decode. */
  readonly width: number;
  readonly height: number;
  readonly chunks: PngAncillaryChunks;
}

export interface PixelsTask {
  readonly kind: 'pixels';
  /** Decoded tiles, 8-bit RGB, in the plan's row order. */
  readonly tiles: readonly Uint8Array[];
  readonly plan: TilePlan;
  readonly width: number;
  readonly height: number;
}

export interface PngTask extends Omit<PixelsTask, 'kind'> {
  readonly kind: 'png';
  readonly chunks: PngAncillaryChunks;
  readonly size?: PngSize;
}

/**
 * How long the file is to be: exactly so many bytes, or its own length and some room, `max(minBytes, ⌈share · length⌉)`,
 * so that another decoder's slightly longer file can be given the same length later. Absent: its own length.
 */
export type PngSize =
  { readonly exact: number } | { readonly slack: { readonly minBytes: number; readonly share: number } };

export type CodecTask = OpenTask | PixelsTask | PngTask;

/** Errors cross threads as data: a structured clone keeps neither class nor fields. */
export type CodecFault =
  | { readonly name: 'CodecError'; readonly format: CodecFormat; readonly field: string; readonly message: string }
  | { readonly name: 'Error'; readonly message: string };

export type CodecReply =
  | { readonly ok: true; readonly ms: number; readonly value: OpenedLatent | Uint8Array }
  | { readonly ok: false; readonly fault: CodecFault };

function open(task: OpenTask): OpenedLatent {
  const image = decodeContainer(task.container);
  const latent = prepareLatent(image.tensor, image.scaled, task.precision, task.statistics);
  const plan = planTiles(latent.height, latent.width, task.tiling);
  if (image.width > latent.width * plan.factor || image.height > latent.height * plan.factor) {
    throw new RangeError(
      `a latent of ${latent.width}x${latent.height} cells cannot hold ${image.width}x${image.height} pixels`,
    );
  }
  const { width, height, pngChunks: chunks } = image;
  return { plan, tiles: cutTiles(latent, plan), channels: latent.channels, width, height, chunks };
}

/** The strips are deflated once; giving the file its length only frames them again. */
function png(task: PngTask): Uint8Array {
  const { width, height, chunks, size } = task;
  const pixels = composeTiles(task.tiles, task.plan, width, height);
  const layout = { width, height, channels: 3 } as const;
  const strips = planPngStrips(layout).map((strip) => encodePngStrip(pixels, layout, strip));
  if (size !== undefined && 'exact' in size) return assemblePng(strips, { ...layout, chunks, padToSize: size.exact });
  const file = assemblePng(strips, { ...layout, chunks });
  if (size === undefined) return file;
  const { minBytes, share } = size.slack;
  const padToSize = file.byteLength + Math.max(minBytes, Math.ceil(file.byteLength * share));
  return assemblePng(strips, { ...layout, chunks, padToSize });
}

/** Does one task. Deterministic: the same task gives the same bytes in any worker. */
export function runCodecTask(task: CodecTask): OpenedLatent | Uint8Array {
  switch (task.kind) {
    case 'open':
      return open(task);
    case 'pixels':
      return composeTiles(task.tiles, task.plan, task.width, task.height);
    case 'png':
      return png(task);
  }
}
