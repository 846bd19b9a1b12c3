/** Our pcodec in WebAssembly against the official one, native and single-threaded: time and size on each kind of latent. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { encodeContainer, pcodecDecompress, readContainerHeader, type DType } from '../../codec/index.js';
import type { BenchRow } from '../row.js';
import { evaluationLatents, type EvaluationLatent } from './evaluation-latents.js';

const TURNS = 25;
const NUMPY: Readonly<Record<DType, string>> = { f16: 'float16', bf16: 'uint16', f32: 'float32' };
const SCRIPT = fileURLToPath(new URL('../../../bench/codec/pcodec_peer.py', import.meta.url));
const PYTHON = process.env['LATENTBOX_TEST_PYTHON'] ?? 'python3';
const answerSchema = z.object({ ms: z.number(), bytes: z.number() });
const helloSchema = z.object({ version: z.string() });

interface Job {
  readonly op: 'compress' | 'decompress';
  readonly path: string;
  readonly dtype: string;
}

/** Rows per kind and type: the time of its largest latent, the size of all. Nothing where Python has no pcodec. */
export async function* benchPcodec(): AsyncGenerator<BenchRow, void, undefined> {
  const peer = await startPeer();
  if (peer === undefined) {
    process.stderr.write(`${PYTHON} has no pcodec: pip install pcodec numpy\n`);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-bench-'));
  try {
    for (const [label, latents] of await byKind()) yield* compareKind(label, latents, peer, folder);
  } finally {
    peer.stop();
    await rm(folder, { recursive: true });
  }
}

async function byKind(): Promise<Map<string, EvaluationLatent[]>> {
  const kinds = new Map<string, EvaluationLatent[]>();
  for await (const latent of evaluationLatents()) {
    const label = `${latent.kind} ${latent.tensor.dtype}`;
    kinds.set(label, [...(kinds.get(label) ?? []), latent]);
  }
  return kinds;
}

async function* compareKind(
  label: string,
  latents: readonly EvaluationLatent[],
  peer: Peer,
  folder: string,
): AsyncGenerator<BenchRow, void, undefined> {
  const versus = `official pcodec ${peer.version}, native`;
  const path = join(folder, 'numbers');
  const file = join(folder, 'numbers.pco');
  const row = (name: string, unit: string, ours: number, theirs: number): BenchRow => {
    return { bench: 'codec', case: name, ours, peer: theirs, unit, ratio: theirs / ours, versus };
  };
  const size = { ours: 0, peer: 0 };
  let largest: EvaluationLatent | undefined;
  for (const latent of latents) {
    const { tensor } = latent;
    await writeFile(path, tensor.data);
    size.ours += payloadOf(latent).byteLength;
    size.peer += (await peer.run({ op: 'compress', path, dtype: NUMPY[tensor.dtype] })).bytes;
    if (tensor.data.byteLength > (largest?.tensor.data.byteLength ?? 0)) largest = latent;
  }
  if (largest === undefined) return;
  yield row(`size, ${label}, ${latents.length} latents`, 'bytes', size.ours, size.peer);

  const { tensor } = largest;
  const dtype = NUMPY[tensor.dtype];
  const payload = payloadOf(largest);
  await writeFile(path, tensor.data);
  await writeFile(file, payload);
  const least = { compress: Infinity, decompress: Infinity, peerCompress: Infinity, peerDecompress: Infinity };
  for (let turn = 0; turn < TURNS; turn++) {
    least.compress = Math.min(
      least.compress,
      milliseconds(() => payloadOf(largest)),
    );
    least.peerCompress = Math.min(least.peerCompress, (await peer.run({ op: 'compress', path, dtype })).ms);
    least.decompress = Math.min(
      least.decompress,
      milliseconds(() => pcodecDecompress(payload, tensor.data.byteLength)),
    );
    least.peerDecompress = Math.min(least.peerDecompress, (await peer.run({ op: 'decompress', path: file, dtype })).ms);
  }
  const what = `${label}, ${tensor.shape.join('x')}`;
  yield row(`compress, ${what}`, 'ms', least.compress, least.peerCompress);
  yield row(`decompress, ${what}`, 'ms', least.decompress, least.peerDecompress);
}

/** A whole container is made, its hashes too: what a PUT pays. */
function payloadOf({ tensor }: EvaluationLatent): Uint8Array {
  const [, rows = 1, columns = 1] = tensor.shape;
  const file = encodeContainer({
    model: 'bench',
    tensor,
    width: columns * 8,
    height: rows * 8,
    scaled: true,
    origin: { kind: 'supplied' },
    pngChunks: { beforeIdat: [], afterIdat: [] },
  });
  return file.subarray(readContainerHeader(file).payloadOffset);
}

function milliseconds(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

interface Peer {
  readonly version: string;
  run(job: Job): Promise<z.output<typeof answerSchema>>;
  stop(): void;
}

async function startPeer(): Promise<Peer | undefined> {
  const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
  const failed = once(child, 'error').then(() => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const line = await lines.next();
    return line.done === true ? undefined : JSON.parse(line.value);
  };
  const hello = helloSchema.safeParse(await Promise.race([next(), failed]));
  if (!hello.success) return undefined;
  return {
    version: hello.data.version,
    run: async (job) => {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      return answerSchema.parse(await next());
    },
    stop: () => void child.stdin.end(),
  };
}
