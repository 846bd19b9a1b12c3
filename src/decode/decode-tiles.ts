/** From a container to decoded tiles: opened in a codec worker, then one inference a tile. */
import { readContainerHeader } from '../../codec/index.js';
import type { Needs, Ticket } from './admission.js';
import type { CodecPool } from './codec-pool.js';
import type { OpenedLatent } from './codec-tasks.js';
import type { Dispatcher } from './dispatcher.js';
import type { HostTensor } from './inference/tensors.js';
import type { GraphKind } from './graphs.js';
import type { TileOptions } from './tiles.js';

/** Tiles of one picture that wait or run per device: enough to keep it busy, few enough to leave others their turn. */
const TILES_PER_DEVICE = 2;
/** Raw latent and the graph's copy of it, in their widest type. */
const LATENT_BYTES_PER_VALUE = 8;
/** Tiles overlap, and what is composed of them lies beside them for a moment; a PNG is hardly larger than its pixels. */
const PICTURE_COPIES = 3;

/**
 * An upper estimate from the header alone: the container and the worker's copy of it, the latent twice, the pixels as
 * tiles, as a picture and as a PNG.
 * @throws CodecError when the header is corrupt
 */
export function renderNeeds(container: Uint8Array): Needs {
  const { shape, width, height } = readContainerHeader(container);
  const pixels = width * height;
  const values = shape.reduce((product, dim) => product * dim, 1);
  return { bytes: 2 * container.byteLength + values * LATENT_BYTES_PER_VALUE + PICTURE_COPIES * 3 * pixels, pixels };
}

export interface Decoded {
  readonly opened: OpenedLatent;
  /** Interleaved 8-bit RGB, in the plan's row order. */
  readonly tiles: readonly Uint8Array<ArrayBuffer>[];
  readonly decompressMs: number;
  /** All inferences together. */
  readonly decodeMs: number;
}

export interface DecodeStages {
  readonly codec: CodecPool;
  readonly dispatcher: Dispatcher;
}

/** One inference on the least loaded device; its bytes stay counted until the device is done with it. */
export async function infer(
  { dispatcher }: Pick<DecodeStages, 'dispatcher'>,
  ticket: Ticket,
  graph: GraphKind,
  inputs: readonly HostTensor[],
): Promise<{ outputs: readonly HostTensor[]; ms: number }> {
  const { result, settled } = dispatcher.submit({ model: ticket.model.name, graph, inputs }, ticket.signal);
  ticket.settled.push(settled);
  return result;
}

/** @throws CodecError for a corrupt container; what the codec workers and devices throw */
export async function decodeTiles(
  stages: DecodeStages,
  ticket: Ticket,
  container: Uint8Array,
  tiling: TileOptions,
): Promise<Decoded> {
  const { codec, dispatcher } = stages;
  const { model, signal } = ticket;
  const { precision } = model.decoder;
  const widens = precision === 'f32' && dispatcher.widensHalf(model.name);
  const { value: opened, ms: decompressMs } = await codec.run(
    { kind: 'open', container, accepted: widens ? ['f32', 'f16'] : [precision], statistics: model.statistics, tiling },
    [],
    signal,
  );
  const { plan, channels } = opened;
  const dims = [1, channels, plan.rows.size, plan.columns.size];
  const type = opened.precision === 'f32' ? 'float32' : 'float16';
  const expected = plan.rows.size * plan.columns.size * plan.factor ** 2 * 3;
  let decodeMs = 0;
  const tiles = await mapBounded(opened.tiles, TILES_PER_DEVICE * dispatcher.queues.length, async (data) => {
    const { outputs, ms } = await infer(stages, ticket, 'decoder', [{ type, dims, data }]);
    decodeMs += ms;
    const [pixels] = outputs;
    if (pixels?.type !== 'uint8' || pixels.data.byteLength !== expected)
      throw new Error('the decoder gave no picture of the expected size');
    return pixels.data;
  });
  return { opened, tiles, decompressMs, decodeMs };
}

/** `Promise.all` over `items` in order with at most `limit` at work; the first failure stops further ones from starting. */
async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of entries) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
