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
import { benchContainer, benchModel, benchPipeline, median, NEVER, REPOSITORY, THREADS } from './bench-model.js';

const SIDES = [256, 512, 1024];
const TURNS = 15;
const SCRIPT = join(REPOSITORY, 'bench/decode/python_peer.py');

const helloSchema = z.object({ version: z.string() });
const turnSchema = z.object({ ms: z.number(), bytes: z.number() });

/** A Python process that decodes once per line on its stdin. Undefined where Python has no onnxruntime. */
async function startPeer(
  args: readonly string[],
): Promise<{ version: string; turn: () => Promise<z.output<typeof turnSchema>>; stop: () => void } | undefined> {
  const child = spawn('python3', [SCRIPT, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
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

export async function* benchPythonPeer(): AsyncIterable<BenchRow> {
  const { model, close } = await benchModel();
  const pipeline = await benchPipeline(model);
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-peer-'));
  try {
    for (const side of SIDES) {
      const container = benchContainer(model, side, side);
      const { tensor } = decodeContainer(container);
      const latentPath = join(folder, `${side}.f16`);
      await writeFile(latentPath, tensor.data);
      const peer = await startPeer([model.decoder.path, String(THREADS), latentPath, ...tensor.shape.map(String)]);
      if (peer === undefined) {
        process.stderr.write('python3 has no onnxruntime: pip install onnxruntime\n');
        return;
      }
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let i = 0; i <= TURNS; i++) {
        const started = performance.now();
        await pipeline.renderPixels({ model: model.name, container }, NEVER);
        const elapsed = performance.now() - started;
        const { ms } = await peer.turn();
        // The first turn of each pays for its first allocations.
        if (i > 0) {
          ours.push(elapsed);
          theirs.push(ms);
        }
      }
      peer.stop();
      yield {
        bench: 'decode',
        case: `latent bytes to pixel bytes, ${side}x${side}, ${THREADS} threads, median of ${TURNS}`,
        ours: median(ours),
        peer: median(theirs),
        unit: 'ms',
        ratio: median(theirs) / median(ours),
        versus: `Python onnxruntime ${peer.version}, uncompressed latent in memory`,
      };
    }
  } finally {
    await pipeline.close();
    await rm(folder, { recursive: true });
    await close();
  }
}
