/** What the files of one conformance run observed, kept as JSON lines until the page is written. */
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const folder = fileURLToPath(new URL('../../.cache/conformance/', import.meta.url));
const file = `${folder}observations.jsonl`;

const where = {
  client: z.string(),
  store: z.enum(['filesystem', 's3']),
  route: z.enum(['direct', 'nginx']),
};
const observationSchema = z.discriminatedUnion('kind', [
  /** A step of the scenario that passed. */
  z.object({ kind: z.literal('step'), ...where, step: z.string() }),
  /** An operation that the client called, with the best answer that it got: `ok`, or the error's code. */
  z.object({ kind: z.literal('operation'), ...where, operation: z.string(), answer: z.string() }),
]);

export type Observation = z.output<typeof observationSchema>;
export type StoreName = Observation['store'];
export type RouteName = Observation['route'];

export async function forgetObservations(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}

export async function observe(observations: readonly Observation[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await appendFile(file, observations.map((observation) => `${JSON.stringify(observation)}\n`).join(''));
}

export async function readObservations(): Promise<readonly Observation[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => observationSchema.parse(JSON.parse(line)));
}
