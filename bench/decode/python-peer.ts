/** Latent bytes to pixel bytes, against Python's onnxruntime on the same graph with the same threads, turn by turn. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { decodeContainer } from '../../codec/index.js';
import type { BenchRow } from '../row.js';
import type { BenchModel } from './bench-model.js';
import {
  benchContainer,
  benchModel,
  benchPipeline,
  median,
  NEVER,
  REPOSITORY,
  standInModel,
  THREADS,
} from './bench-model.js';

const PYTHON = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';
const TURNS = 15;
/** A stand-in's 256² picture takes as long as ten of the bundled model's 1024². */
const STAND_IN_TURNS = 5;
const SCRIPT = join(REPOSITORY, 'bench/decode/python_peer.py');

const helloSchema = z.object({ version: z.string() });
const turnSchema = z.object({ ms: z.number(), bytes: z.number() });

interface Peer {
  readonly version: string;
  readonly turn: () => Promise<z.output<typeof turnSchema>>;
  readonly stop: () => void;
}

/** A Python process that decodes once per line on its stdin. Undefined where Python lacks what it imports. */
async function startPeer(args: readonly string[]): Promise<Peer | undefined> {
  const child = spawn(PYTHON, [SCRIPT, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const line = await lines.next();
    return line.done === true ? undefined : JSON.parse(line.value);
  };
  const hello = helloSchema.safeParse(await Promise.race([next(), once(child, 'error').then(() => undefined)]));
  if (!hello.success) return undefined;
  const turn = async (): Promise<z.output<typeof turnSchema>> => {
    child.stdin.write('\n');
    return turnSchema.parse(await next());
  };
  return { version: hello.data.version, turn, stop: () => void child.stdin.end() };
}

async function* compare(
  { model, close }: BenchModel,
  sides: readonly number[],
  turns: number,
): AsyncIterable<BenchRow> {
  const pipeline = await benchPipeline(model);
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-peer-'));
  try {
    for (const side of sides) {
      const container = benchContainer(model, side, side);
      const { tensor, header } = decodeContainer(container);
      const stored = join(folder, `${side}.pco`);
      const bare = join(folder, `${side}.f16`);
      await writeFile(stored, container.subarray(header.payloadOffset));
      await writeFile(bare, tensor.data);
      const start = (latent: string): Promise<Peer | undefined> =>
        startPeer([model.decoder.path, String(THREADS), latent, ...tensor.shape.map(String)]);
      const peers = [await start(stored), await start(bare)];
      const [fromStored, fromBare] = peers;
      if (fromStored === undefined || fromBare === undefined) {
        process.stderr.write(`${PYTHON} lacks onnxruntime or pcodec: pip install onnxruntime pcodec numpy\n`);
        return;
      }
      const ours: { total: number; run: number }[] = [];
      const theirs: [number[], number[]] = [[], []];
      for (let i = 0; i <= turns; i++) {
        const started = performance.now();
        const { timings } = await pipeline.renderPixels({ model: model.name, container }, NEVER);
        const total = performance.now() - started;
        const [one, other] = [(await fromStored.turn()).ms, (await fromBare.turn()).ms];
        // The first turn of each pays for its first allocations.
        if (i === 0) continue;
        ours.push({ total, run: timings.decode });
        theirs[0].push(one);
        theirs[1].push(other);
      }
      for (const peer of [fromStored, fromBare]) peer.stop();
      const row = (name: string, mine: number, peer: number, versus: string): BenchRow => ({
        bench: 'decode',
        case: `${model.name}: ${name}, ${side}x${side}, ${THREADS} threads, median of ${turns}`,
        ours: mine,
        peer,
        unit: 'ms',
        ratio: peer / mine,
        versus: `Python onnxruntime ${fromStored.version}, ${versus}`,
      });
      const total = median(ours.map((turn) => turn.total));
      yield row('stored latent to pixel bytes', total, median(theirs[0]), 'pcodec from PyPI');
      yield row('stored latent to pixel bytes', total, median(theirs[1]), 'latent uncompressed in memory');
      yield row('the inference in it alone', median(ours.map((turn) => turn.run)), median(theirs[1]), 'as before');
    }
  } finally {
    await pipeline.close();
    await rm(folder, { recursive: true });
    await close();
  }
}

/** Ours begins with a container and ends with pixels in the gateway's process. The peer does the same from its payload. */
export async function* benchPythonPeer(): AsyncIterable<BenchRow> {
  yield* compare(await benchModel(), [256, 512, 1024], TURNS);
  yield* compare(await standInModel(), [256], STAND_IN_TURNS);
}
