/** One VAE at work on one picture: encodes it, decodes latents, and says how a latent should change, in tiles if need be. */
import type { GraphRun } from '../decode/index.js';
import type { GraphKind } from '../decode/graphs.js';
import { toFloat16, toFloat32 } from '../decode/half-floats.js';
import type { HostTensor } from '../decode/inference/tensors.js';
import type { GraphPrecision, InstalledModel } from '../models/installed-model.js';
import { composeTiles, cutTiles, planTiles, type TileOptions, type TilePlan } from '../decode/tiles.js';
import { cutPixels, tileWeights, type Picture } from './latent-grid.js';

/** Runs graphs; a part of DecodePipeline. */
export interface GraphRunner {
  runGraph(model: string, graph: GraphKind, inputs: readonly HostTensor[], signal: AbortSignal): Promise<GraphRun>;
}

/** A latent's values as float32, `[channels, rows, columns]`, scaled as diffusion models speak them. */
export interface LatentShape {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
}

/** Where the squared error stands and which way it grows. */
export interface Slope {
  /** Sum over the picture of squared differences of 8-bit samples. */
  readonly squares: number;
  /** Of the squared error with respect to each latent value. */
  readonly gradient: Float32Array;
}

export class VaeSession {
  readonly shape: LatentShape;
  readonly #plan: TilePlan;

  /** @throws RangeError where the picture cannot be cut into the tiles that the graphs take */
  constructor(
    private readonly runner: GraphRunner,
    private readonly model: InstalledModel,
    private readonly picture: Picture,
    private readonly signal: AbortSignal,
    tiling: Omit<TileOptions, 'factor' | 'fixed'>,
  ) {
    const { spatialFactor: factor, latentChannels: channels } = model;
    const fixed = model.decoder.fixedLatentSize;
    const rows = Math.ceil(picture.height / factor);
    const columns = Math.ceil(picture.width / factor);
    this.shape = { channels, rows, columns };
    this.#plan = planTiles(rows, columns, { ...tiling, factor, ...(fixed && { fixed }) });
  }

  /** Whether the decoder's gradient is to be had. */
  get differentiable(): boolean {
    return this.model.decoderFit !== undefined;
  }

  /** The encoder's latent of a picture of this session's size. */
  async encode(pixels: Uint8Array = this.picture.pixels): Promise<Float32Array> {
    const picture = { ...this.picture, pixels };
    const { rows, columns, factor } = this.#plan;
    const dims = [1, rows.size * factor, columns.size * factor, 3];
    return this.#blendTiles(async (top, left) => {
      const data = cutPixels(picture, top, left, this.#plan);
      const [latent] = await this.#run('encoder', [{ type: 'uint8', dims, data }]);
      if (latent?.type !== 'float32') throw new Error('the encoder gave no float32 latent');
      return toFloat32(latent.data, 'f32');
    });
  }

  /** The picture that a latent decodes to, as it would be served. */
  async decode(latent: Float32Array): Promise<Uint8Array> {
    const tiles: Uint8Array[] = [];
    for (const input of this.#inputsOf(latent)) {
      const [pixels] = await this.#run('decoder', [input]);
      if (pixels?.type !== 'uint8') throw new Error('the decoder gave no 8-bit picture');
      tiles.push(pixels.data);
    }
    return composeTiles(tiles, this.#plan, this.picture.width, this.picture.height);
  }

  /** @throws RangeError where the model has no gradient */
  async slope(latent: Float32Array): Promise<Slope> {
    const { rows, columns, factor } = this.#plan;
    const inputs = this.#inputsOf(latent);
    const gradient = new Float32Array(latent.length);
    let squares = 0;
    for (const [index, input] of inputs.entries()) {
      const [row, column] = [Math.floor(index / columns.starts.length), index % columns.starts.length];
      const [top, left] = [rows.starts[row] ?? 0, columns.starts[column] ?? 0];
      const target = cutPixels(this.picture, top, left, this.#plan);
      const down = this.#pixelWeights('rows', row, top, this.picture.height);
      const across = this.#pixelWeights('columns', column, left, this.picture.width);
      const [error, slope] = await this.#run('decoderFit', [
        input,
        { type: 'uint8', dims: [1, rows.size * factor, columns.size * factor, 3], data: target },
        { type: 'float32', dims: [1, 1, down.length, 1], data: bytesOf(down) },
        { type: 'float32', dims: [1, 1, 1, across.length], data: bytesOf(across) },
      ]);
      if (error === undefined || slope === undefined) throw new Error('the gradient graph gave no gradient');
      squares += toFloat32(error.data, 'f32')[0] ?? 0;
      this.#add(gradient, valuesOf(slope), top, left);
    }
    return { squares, gradient };
  }

  async #run(graph: GraphKind, inputs: readonly HostTensor[]): Promise<readonly HostTensor[]> {
    const { outputs } = await this.runner.runGraph(this.model.name, graph, inputs, this.signal);
    return outputs;
  }

  #inputsOf(latent: Float32Array): HostTensor[] {
    const { channels, rows: height, columns: width } = this.shape;
    const { precision } = this.model.decoder;
    const data = precision === 'f32' ? bytesOf(latent.slice()) : bytesOf(toFloat16(latent));
    const dims = [1, channels, this.#plan.rows.size, this.#plan.columns.size];
    return cutTiles({ precision, channels, height, width, data }, this.#plan).map((tile) => ({
      type: ELEMENT[precision],
      dims,
      data: tile,
    }));
  }

  /** A tile's share of each pixel; none of the padding beyond the picture. */
  #pixelWeights(axis: 'rows' | 'columns', index: number, start: number, length: number): Float32Array<ArrayBuffer> {
    const weights = new Float32Array(tileWeights(this.#plan[axis], this.#plan, index, this.#plan.factor));
    weights.fill(0, Math.max(0, length - start * this.#plan.factor));
    return weights;
  }

  async #blendTiles(run: (top: number, left: number) => Promise<Float32Array>): Promise<Float32Array> {
    const { channels, rows, columns } = this.shape;
    const plan = this.#plan;
    const out = new Float32Array(channels * rows * columns);
    for (const [row, top] of plan.rows.starts.entries()) {
      for (const [column, left] of plan.columns.starts.entries()) {
        const tile = await run(top, left);
        this.#add(out, tile, top, left, {
          down: tileWeights(plan.rows, plan, row, 1),
          across: tileWeights(plan.columns, plan, column, 1),
        });
      }
    }
    return out;
  }

  /** Adds a tile's cells, weighted, onto a whole latent; cells beyond the latent's edge are dropped. */
  #add(
    whole: Float32Array,
    tile: Float32Array,
    top: number,
    left: number,
    weights?: { readonly down: Float32Array; readonly across: Float32Array },
  ): void {
    const { channels, rows, columns } = this.shape;
    const { rows: tileRows, columns: tileColumns } = this.#plan;
    const height = Math.min(tileRows.size, rows - top);
    const width = Math.min(tileColumns.size, columns - left);
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) {
        const from = (channel * tileRows.size + y) * tileColumns.size;
        const to = (channel * rows + top + y) * columns + left;
        const down = weights?.down[y] ?? 1;
        for (let x = 0; x < width; x++) {
          const weight = down * (weights?.across[x] ?? 1);
          whole[to + x] = (whole[to + x] ?? 0) + weight * (tile[from + x] ?? 0);
        }
      }
    }
  }
}

const ELEMENT = { f32: 'float32', f16: 'float16' } as const satisfies Record<GraphPrecision, string>;

function valuesOf({ type, data }: HostTensor): Float32Array {
  return toFloat32(data, type === 'float16' ? 'f16' : 'f32');
}

function bytesOf(view: Float32Array | Uint16Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
}
