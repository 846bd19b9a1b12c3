import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addModel } from './registry.js';
import { loadModel } from './load-models.js';
import { agreement, hasSharedData, makeReference, missingReference, SHARED_DATA } from './testing/reference.js';

const reason = await missingReference();
const REFERENCE_MS = 180_000;

let work = '';
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'lbx-agreement-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

describe.skipIf(reason !== undefined)(`graphs against PyTorch${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  beforeAll(() => makeReference(join(work, 'seeded')), REFERENCE_MS);

  it.each(['kl-quant', 'kl-plain', 'kl-patched', 'tiny'])('the graphs of seeded %s weights agree', async (name) => {
    const folder = join(work, 'seeded', name);
    const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache') };
    const added = await addModel(name, [folder], options);
    const found = await agreement(await loadModel(added.directory, options.cacheDirectory), folder);
    if (process.env['SHOW']) console.log(name, found);
    expect(found.decode).toBeLessThan(1e-4);
    expect(found.encode).toBeLessThan(1e-4);
    expect(found.gradient).toBeLessThan(1e-3);
    expect(found.levels).toBeLessThanOrEqual(1);
  });
});

const noData = reason ?? (hasSharedData ? undefined : '../shared/data is absent');
describe.skipIf(noData !== undefined)(`tiny VAEs on real pictures${noData === undefined ? '' : ` (skipped: ${noData})`}`, () => {
  beforeAll(
    () => makeReference(join(work, 'tiny'), '--tiny', join(SHARED_DATA, 'vae'), join(SHARED_DATA, 'pictures')),
    REFERENCE_MS,
  );

  it.each(['taesd', 'taesdxl', 'taesd3', 'taef1', 'taef2'])('%s equals PyTorch within one level', async (name) => {
    const options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache'), preset: name };
    const files = ['encoder', 'decoder'].map((half) => join(SHARED_DATA, 'vae', `${name}_${half}.safetensors`));
    const added = await addModel(name, files, options);
    const found = await agreement(await loadModel(added.directory, options.cacheDirectory), join(work, 'tiny', name));
    if (process.env['SHOW']) console.log(name, found);
    expect(found.decode).toBeLessThan(1e-4);
    expect(found.encode).toBeLessThan(1e-4);
    expect(found.gradient).toBeLessThan(1e-3);
    expect(found.levels).toBeLessThanOrEqual(1);
  });
});
