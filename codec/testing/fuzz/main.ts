/**
 * `npm run fuzz -- [TARGET...] [--seconds 600] [--seed N] [--save]`: fuzzes parsers and decoders one after another, guided by
 * the branches that inputs take. A fault is written to `fuzz-fault-TARGET.bin` and ends with exit code 1.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { instrument } from './instrument.js';
import { CURRENT_HEADER_BYTES, type SessionData, type SessionReport } from './session.js';
import { readSeeds, seedsFile } from './seeds.js';
import { FUZZ_TARGETS } from './targets.js';

/** A run that takes more of the processor hangs; a sound one takes some microseconds. */
const HANG_CPU_MS = 10_000;
/** More than any sound run takes on top of Node itself, the instrumented code and the corpus. */
const MAX_RESIDENT_BYTES = 1 << 30;
const WATCH_MS = 200;
const MAX_INPUT_BYTES = 4096;
/** A committed seed file holds at most this many inputs, the smallest first. */
const MAX_SEEDS = 150;
const USAGE_EXIT_CODE = 2;

const compiled = fileURLToPath(new URL('../../', import.meta.url));

interface Code {
  readonly folder: string;
  readonly edges: number;
  readonly words: readonly string[];
}

/** A copy of the compiled codec in which branches count themselves. */
async function instrumentedCopy(): Promise<Code> {
  const folder = await mkdtemp(join(tmpdir(), 'latentbox-fuzz-'));
  await cp(compiled, folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  let edges = 0;
  const words = new Set<string>();
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.js') || name.includes('testing')) continue;
    const file = join(folder, name);
    const result = instrument(await readFile(file, 'utf8'), edges);
    await writeFile(file, result.code);
    edges += result.edges;
    result.words.forEach((word) => words.add(word));
  }
  return { folder, edges, words: [...words] };
}

async function fuzz(target: string, code: Code, seconds: number, seed: number): Promise<SessionReport> {
  const current = new SharedArrayBuffer(CURRENT_HEADER_BYTES + MAX_INPUT_BYTES);
  const workerData: SessionData = {
    targets: join(code.folder, 'testing', 'fuzz', 'targets.js'),
    target,
    edges: code.edges,
    words: code.words,
    corpus: await readSeeds(target),
    seconds,
    seed,
    maxBytes: MAX_INPUT_BYTES,
    current,
  };
  const worker = new Worker(new URL('./session.js', import.meta.url), { workerData });
  const [runs, length] = [0, 1];
  const counts = new Uint32Array(current, 0, 2);
  return new Promise((resolve, reject) => {
    let last = { run: 0, since: cpuMilliseconds() };
    const watch = setInterval(() => {
      const run = Atomics.load(counts, runs);
      const now = cpuMilliseconds();
      if (run !== last.run) last = { run, since: now };
      const resident = process.memoryUsage.rss();
      const hangs = run > 0 && run === last.run && now - last.since > HANG_CPU_MS;
      if (!hangs && resident < MAX_RESIDENT_BYTES) return;
      const text = hangs ? `hangs for ${HANG_CPU_MS} ms` : `${resident} bytes resident`;
      const data = new Uint8Array(current, CURRENT_HEADER_BYTES).slice(0, counts[length]);
      clearInterval(watch);
      void worker.terminate();
      resolve({ runs: run, edges: 0, corpus: [], fault: { data, text } });
    }, WATCH_MS);
    worker.once('message', (report: SessionReport) => {
      clearInterval(watch);
      resolve(report);
    });
    worker.once('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
  });
}

/** Of this process, all threads. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      save: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const names = positionals.length > 0 ? positionals : Object.keys(FUZZ_TARGETS);
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!names.every((name) => name in FUZZ_TARGETS) || !(seconds > 0) || !Number.isInteger(seed)) {
    process.stderr.write(
      `usage: npm run fuzz -- [${Object.keys(FUZZ_TARGETS).join('|')}]... [--seconds N] [--seed N] [--save]\n`,
    );
    process.exitCode = USAGE_EXIT_CODE;
    return;
  }
  const code = await instrumentedCopy();
  try {
    for (const name of names) {
      const before = cpuMilliseconds();
      const { runs, edges, corpus, fault } = await fuzz(name, code, seconds, seed);
      const cpu = Math.round((cpuMilliseconds() - before) / 1000);
      const what = `${name}: ${runs} runs in ${seconds} s (${cpu} s of CPU), seed ${seed}, ${edges} branches`;
      if (fault !== undefined) {
        const file = `fuzz-fault-${name}.bin`;
        await writeFile(file, fault.data);
        process.stdout.write(`FAULT ${what}: ${file}\n${fault.text}\n`);
        process.exitCode = 1;
        continue;
      }
      process.stdout.write(`ok    ${what}, ${corpus.length} inputs reach them\n`);
      if (values.save) {
        const inputs = corpus.slice(0, MAX_SEEDS).map((data) => Buffer.from(data).toString('base64'));
        await writeFile(seedsFile(name), `${JSON.stringify(inputs, undefined, 2)}\n`);
      }
    }
  } finally {
    await rm(code.folder, { recursive: true });
  }
}

await main();
