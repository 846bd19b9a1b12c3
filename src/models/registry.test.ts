import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadModel } from './load-models.js';
import { addModel, checkModel, listModels } from './registry.js';
import { smallDecoder, smallEncoder, writeSmallModel } from './testing/tiny-graphs.js';

let work = '';
let options = { modelsDirectory: '', cacheDirectory: '' };
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'lbx-registry-'));
  options = { modelsDirectory: join(work, 'models'), cacheDirectory: join(work, 'cache') };
});
afterEach(() => rm(work, { recursive: true, force: true }));

/** A safetensors file of float32 zeros. */
async function writeZeros(path: string, shapes: Readonly<Record<string, readonly number[]>>): Promise<void> {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((product, dim) => product * dim, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([length, header, Buffer.alloc(end)]));
}

describe('model add', () => {
  it('installs an ONNX folder, lists it and checks it', async () => {
    const source = await writeSmallModel(work, 'export', { encoder: smallEncoder() });
    const added = await addModel('mine', [source], options);
    expect(added).toMatchObject({ name: 'mine', latentChannels: 4, spatialFactor: 2, encoder: true, gradient: true });
    expect(await listModels([options.modelsDirectory], options.cacheDirectory)).toEqual([added]);
    const check = await checkModel(await loadModel(added.directory, options.cacheDirectory), { side: 4 });
    expect(check).toMatchObject({ device: 'cpu', latent: { height: 4, width: 4 }, fingerprint: added.fingerprint });
    expect(check.decodeMs).toBeGreaterThan(0);
  });

  it('takes the constants of a preset where the folder has none', async () => {
    const decoder = smallDecoder({ channels: 16 });
    const source = await writeSmallModel(work, 'export', { decoder, config: { latent_channels: 16 } });
    await expect(addModel('mine', [source], options)).rejects.toMatchObject({ reason: 'missing-constant' });
    const added = await addModel('mine', [source], { ...options, preset: 'flux1' });
    const model = await loadModel(added.directory, options.cacheDirectory);
    expect(model.statistics.mean[15]).toBe(0.1159);
    expect(model.statistics.std[0]).toBeCloseTo(1 / 0.3611, 12);
  });

  it.each([
    ['a taken name', 'twin', 'bad-name'],
    ['a name that no header could carry', '../Twin', 'bad-name'],
    ['an unknown preset', 'preset', 'missing-constant'],
    ['a folder without a model', 'empty', 'missing-file'],
    ['NaN weights', 'nan', 'not-finite'],
  ] as const)('refuses %s and leaves nothing behind', async (_what, name, reason) => {
    const source = await writeSmallModel(
      work,
      'export',
      name === 'nan' ? { decoder: smallDecoder({ gain: NaN }) } : {},
    );
    await addModel('twin', [await writeSmallModel(work, 'other')], options);
    const empty = join(work, 'empty');
    await mkdir(empty);
    const attempt = addModel(name, [name === 'empty' ? empty : source], {
      ...options,
      ...(name === 'preset' ? { preset: 'sd99' } : {}),
    });
    await expect(attempt).rejects.toMatchObject({ name: 'ModelError', reason });
    expect(await readdir(options.modelsDirectory)).toEqual(['twin']);
  });

  it('names the tensor whose shape does not fit', async () => {
    const path = join(work, 'decoder.safetensors');
    await writeZeros(path, { '1.weight': [8, 4, 3, 3], '1.bias': [9], '3.conv.0.weight': [8, 8, 3, 3] });
    await expect(addModel('mine', [path], options)).rejects.toThrow('1.bias has shape [9] where [8] fits');
  });

  it('refuses halves of different models', async () => {
    const decoder = join(work, 'decoder.safetensors');
    const encoder = join(work, 'encoder.safetensors');
    const block = (name: string): Record<string, number[]> =>
      Object.fromEntries(
        [0, 2, 4].flatMap((at) => [
          [`${name}.conv.${at}.weight`, [8, 8, 3, 3]],
          [`${name}.conv.${at}.bias`, [8]],
        ]),
      );
    await writeZeros(decoder, {
      '1.weight': [8, 4, 3, 3],
      '1.bias': [8],
      ...block('3'),
      '4.weight': [3, 8, 3, 3],
      '4.bias': [3],
    });
    await writeZeros(encoder, {
      '0.weight': [8, 3, 3, 3],
      '0.bias': [8],
      ...block('1'),
      '2.weight': [16, 8, 3, 3],
      '2.bias': [16],
    });
    await expect(addModel('mine', [encoder, decoder], options)).rejects.toThrow('different models');
  });

  it('refuses a file that only calls itself safetensors', async () => {
    const path = join(work, 'broken.safetensors');
    await writeFile(path, 'no tensors here, whatever the name says');
    await expect(addModel('mine', [path], options)).rejects.toMatchObject({ reason: 'broken-file', subject: path });
  });
});
