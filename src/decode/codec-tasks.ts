/** What the codec workers do, as plain functions and messages: open containers, write PNGs, compose pixels. */
import type { CodecFormat, PngAncillaryChunks, PngEffort } from '../../codec/index.js';
import { decodeContainer } from '../../codec/index.js';
import type { GraphPrecision, LatentStatistics } from '../models/installed-model.js';
import { prepareLatent } from './prepare-latent.js';
import { writeSizedPng, type PngSize } from './sized-png.js';
import type { TileOptions, TilePlan } from './tiles.js';
import { composeTiles, cutTiles, planTiles } from './tiles.js';

export interface OpenTask {
  readonly kind: 'open';
  /** A whole `.lbx` file; its payload and tensor hashes are verified. */
  readonly container: Uint8Array;
  /** Element types that the device takes, the graph's own first. */
  readonly accepted: readonly [GraphPrecision, ...GraphPrecision[]];
  readonly statistics: LatentStatistics;
  readonly tiling: TileOptions;
}

export interface OpenedLatent {
  readonly plan: TilePlan;
  /** Element type of the tiles. */
  readonly precision: GraphPrecision;
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
  /** The first to try. Default `fast`. */
  readonly effort?: PngEffort;
}

export type CodecTask = OpenTask | PixelsTask | PngTask;

/** Errors cross threads as data: a structured clone keeps neither class nor fields. */
export type CodecFault =
  | { readonly name: 'CodecError'; readonly format: CodecFormat; readonly field: string; readonly message: string }
  | { readonly name: 'Error'; readonly message: string };

export type CodecReply =
  | {
      readonly ok: true;
      readonly ms: number;
      readonly value: OpenedLatent | Uint8Array;
      /** Buffers that came with the task and that its result does not need. */
      readonly spent: readonly ArrayBuffer[];
    }
  | { readonly ok: false; readonly fault: CodecFault };

function open(task: OpenTask): OpenedLatent {
  const image = decodeContainer(task.container);
  const latent = prepareLatent(image.tensor, image.scaled, task.accepted, task.statistics);
  const plan = planTiles(latent.height, latent.width, task.tiling);
  if (image.width > latent.width * plan.factor || image.height > latent.height * plan.factor) {
    throw new RangeError(
      `a latent of ${latent.width}x${latent.height} cells cannot hold ${image.width}x${image.height} pixels`,
    );
  }
  const { width, height, pngChunks: chunks } = image;
  const { precision, channels } = latent;
  return { plan, precision, tiles: cutTiles(latent, plan), channels, width, height, chunks };
}

function png({ tiles, plan, width, height, chunks, size, effort }: PngTask): Uint8Array {
  const pixels = composeTiles(tiles, plan, width, height);
  return writeSizedPng({ pixels, width, height, chunks }, size, effort).png;
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
