/** Tiled decoding: where the tiles of a large picture lie, and how their pixels blend, in integers only. */
import type { GraphLatent } from './prepare-latent.js';
import { BYTES_PER_GRAPH_ELEMENT } from './prepare-latent.js';

/** RGB. */
const CHANNELS = 3;

/** When and how a picture is cut. Lengths in latent cells unless they say pixels. */
export interface TileOptions {
  /** Pixels per latent cell and axis. */
  readonly factor: number;
  /** A picture of at most this many (padded) pixels is decoded whole; so is no tile larger. */
  readonly maxPixels: number;
  /**
   * Cells that neighbouring tiles share at least. Half of what lies outside the blended band is context on each side:
   * it is decoded and thrown away, so that no kept pixel sees the tile's border.
   */
  readonly overlap: number;
  /** Cells, in the middle of the overlap, over which one tile fades into the next. */
  readonly blend: number;
  /** The one latent size that the graph takes, where it takes only one. */
  readonly fixed?: { readonly height: number; readonly width: number };
}

/** Published decoders of the f8 families keep their seams under one level with 16 cells of context on each side. */
export const DEFAULT_OVERLAP_CELLS = 48;
export const DEFAULT_BLEND_CELLS = 16;
/** The attention matrix of an SD-class decoder grows with the square of the pixels: 1.07 GB in f32 at 1 MP, 17 GB at 4 MP. */
export const DEFAULT_MAX_TILE_PIXELS = 1_500_000;

/** Equal tiles along one axis: tile i covers `[starts[i], starts[i] + size)` cells. */
export interface AxisPlan {
  readonly size: number;
  readonly starts: readonly number[];
}

export interface TilePlan {
  readonly rows: AxisPlan;
  readonly columns: AxisPlan;
  readonly factor: number;
  readonly blend: number;
}

function spread(length: number, size: number, count: number): AxisPlan {
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.floor((i * (length - size)) / (count - 1)),
  );
  return { size, starts };
}

function planAxis(length: number, largest: number, overlap: number, fixed: number | undefined): AxisPlan {
  const limit = fixed ?? largest;
  if (length <= limit) return { size: fixed ?? length, starts: [0] };
  const count = Math.ceil((length - overlap) / (limit - overlap));
  return spread(length, fixed ?? Math.ceil((length + (count - 1) * overlap) / count), count);
}

/**
 * Cuts a latent of `height` × `width` cells: as few equal tiles as the bound allows, evenly spread.
 * @throws RangeError when a tile would be too small to hold its overlaps, or the overlap to hold its blend
 */
export function planTiles(height: number, width: number, options: TileOptions): TilePlan {
  const { factor, overlap, blend, fixed } = options;
  if (overlap < blend) throw new RangeError(`an overlap of ${overlap} cells cannot hold a blend of ${blend} cells`);
  const cells = Math.floor(options.maxPixels / factor ** 2);
  const common = { factor, blend };
  if (fixed === undefined && height * width <= cells) {
    return { rows: { size: height, starts: [0] }, columns: { size: width, starts: [0] }, ...common };
  }
  const side = Math.floor(Math.sqrt(cells));
  const largestHeight = width < side ? Math.floor(cells / width) : side;
  const largestWidth = height < side ? Math.floor(cells / height) : side;
  const plan = {
    rows: planAxis(height, largestHeight, overlap, fixed?.height),
    columns: planAxis(width, largestWidth, overlap, fixed?.width),
    ...common,
  };
  for (const axis of [plan.rows, plan.columns]) {
    if (axis.starts.length > 1 && axis.size < overlap + blend) {
      throw new RangeError(
        `tiles of ${axis.size} cells cannot hold an overlap of ${overlap} and a blend of ${blend} cells`,
      );
    }
  }
  return plan;
}

/** Tiles of a plan, in row order. */
export function tileCount(plan: TilePlan): number {
  return plan.rows.starts.length * plan.columns.starts.length;
}

/** The latent of one tile, `[C, size, size]`; beyond the latent's edge (fixed-size graphs) the last cell repeats. */
function extractTile(latent: GraphLatent, top: number, left: number, plan: TilePlan): Uint8Array<ArrayBuffer> {
  const bytes = BYTES_PER_GRAPH_ELEMENT[latent.precision];
  const { size: tileHeight } = plan.rows;
  const { size: tileWidth } = plan.columns;
  const out = new Uint8Array(latent.channels * tileHeight * tileWidth * bytes);
  const inside = Math.min(tileWidth, latent.width - left);
  let target = 0;
  for (let channel = 0; channel < latent.channels; channel++) {
    for (let y = 0; y < tileHeight; y++) {
      const row = channel * latent.height + Math.min(top + y, latent.height - 1);
      const source = (row * latent.width + left) * bytes;
      out.set(latent.data.subarray(source, source + inside * bytes), target);
      const last = target + (inside - 1) * bytes;
      for (let x = inside; x < tileWidth; x++) out.copyWithin(target + x * bytes, last, last + bytes);
      target += tileWidth * bytes;
    }
  }
  return out;
}

/** The tiles' latents in row order; for a plan of one tile of the latent's own size, the latent's own bytes. */
export function cutTiles(latent: GraphLatent, plan: TilePlan): Uint8Array<ArrayBuffer>[] {
  const whole = tileCount(plan) === 1 && plan.rows.size === latent.height && plan.columns.size === latent.width;
  if (whole) return [latent.data];
  return plan.rows.starts.flatMap((top) => plan.columns.starts.map((left) => extractTile(latent, top, left, plan)));
}

/** Which tile each pixel of an axis comes from, and how much of the next one is in it. */
interface AxisBlend {
  readonly first: Uint16Array;
  /** Weight of tile `first + 1`, in units of 1/`unit`; 0 where only `first` counts. */
  readonly weight: Uint16Array;
  readonly unit: number;
}

function blendAxis(axis: AxisPlan, plan: TilePlan, length: number): AxisBlend {
  const band = plan.blend * plan.factor;
  const first = new Uint16Array(length);
  const weight = new Uint16Array(length);
  for (let tile = 0; tile + 1 < axis.starts.length; tile++) {
    const from = (axis.starts[tile + 1] ?? 0) * plan.factor;
    const to = ((axis.starts[tile] ?? 0) + axis.size) * plan.factor;
    const bandStart = from + Math.floor((to - from - band) / 2);
    for (let at = bandStart; at < Math.min(bandStart + band, length); at++) weight[at] = 2 * (at - bandStart) + 1;
    first.fill(tile + 1, Math.min(bandStart + band, length));
  }
  return { first, weight, unit: 2 * band };
}

/** End of the run of pixels from `start` on that come from one tile alone; `start` itself where two blend. */
function endOfPlainRun(axis: AxisBlend, start: number): number {
  let end = start;
  while (end < axis.first.length && axis.weight[end] === 0 && axis.first[end] === axis.first[start]) end++;
  return end;
}

/** Whether the one tile is the picture as it stands, with nothing to cut off. */
export function isWholePicture(tiles: readonly Uint8Array[], plan: TilePlan, width: number, height: number): boolean {
  const { factor, columns } = plan;
  return tiles.length === 1 && tiles[0]?.length === width * height * CHANNELS && columns.size * factor === width;
}

/**
 * The picture of `width` × `height` pixels from its tiles' pixels: the padding is cut off, shared bands are blended with
 * linear weights, the exact weighted mean rounded half up in integers, so that the result is the same on any machine.
 * @param tiles interleaved 8-bit RGB, in the plan's row order
 */
export function composeTiles(tiles: readonly Uint8Array[], plan: TilePlan, width: number, height: number): Uint8Array {
  const stride = plan.columns.size * plan.factor * CHANNELS;
  const [only] = tiles;
  if (only !== undefined && isWholePicture(tiles, plan, width, height)) return only;
  const out = new Uint8Array(width * height * CHANNELS);
  const across = blendAxis(plan.columns, plan, width);
  const down = blendAxis(plan.rows, plan, height);
  const unit = across.unit * down.unit;
  const tileAt = (row: number, column: number): Uint8Array => {
    const tile = tiles[row * plan.columns.starts.length + column];
    if (tile === undefined) throw new RangeError(`tile ${row}, ${column} is missing`);
    return tile;
  };
  const offset = (row: number, column: number, y: number, x: number): number =>
    (y - (plan.rows.starts[row] ?? 0) * plan.factor) * stride +
    (x - (plan.columns.starts[column] ?? 0) * plan.factor) * CHANNELS;

  for (let y = 0; y < height; y++) {
    const row = down.first[y] ?? 0;
    const below = down.weight[y] ?? 0;
    for (let x = 0; x < width;) {
      const column = across.first[x] ?? 0;
      const target = (y * width + x) * CHANNELS;
      const runEnd = below === 0 ? endOfPlainRun(across, x) : x;
      if (runEnd > x) {
        const source = offset(row, column, y, x);
        out.set(tileAt(row, column).subarray(source, source + (runEnd - x) * CHANNELS), target);
        x = runEnd;
        continue;
      }
      const right = across.weight[x] ?? 0;
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = 0;
        for (let dy = 0; dy <= (below > 0 ? 1 : 0); dy++) {
          const vertical = dy === 1 ? below : down.unit - below;
          for (let dx = 0; dx <= (right > 0 ? 1 : 0); dx++) {
            const horizontal = dx === 1 ? right : across.unit - right;
            const value = tileAt(row + dy, column + dx)[offset(row + dy, column + dx, y, x) + channel] ?? 0;
            sum += vertical * horizontal * value;
          }
        }
        out[target + channel] = Math.floor((2 * sum + unit) / (2 * unit));
      }
      x++;
    }
  }
  return out;
}
