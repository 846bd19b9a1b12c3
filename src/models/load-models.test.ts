import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { floatValues } from './check-decode.js';
import { loadModels } from './load-models.js';
import { runGraph } from './testing/reference.js';
import { smallDecoder, smallEncoder, SMALL_CONFIG, writeSmallModel } from './testing/tiny-graphs.js';

let work = '';
let cacheDirectory = '';
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'lbx-models-'));
  cacheDirectory = join(work, 'cache');
});
afterEach(() => rm(work, { recursive: true, force: true }));

const load = (): ReturnType<typeof loadModels> => loadModels({ directories: [join(work, 'models')], cacheDirectory });
const write = (name: string, parts?: Parameters<typeof writeSmallModel>[2]): Promise<string> =>
  writeSmallModel(join(work, 'models'), name, parts);

describe('loading an ONNX folder', () => {
  it('prepares decoder, encoder and gradient, and reads the shapes from the graphs', async () => {
    await write('small', { encoder: smallEncoder() });
    const [model] = await load();
    expect(model).toMatchObject({ name: 'small', latentChannels: 4, spatialFactor: 2 });
    expect(model?.statistics).toEqual({ mean: [0.25, 0.25, 0.25, 0.25], std: [2, 2, 2, 2] });
    expect(model?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect([model?.decoder, model?.encoder, model?.decoderVjp].map((graph) => graph?.inputs.length)).toEqual([1, 1, 2]);
  });

  it('un-scales, clamps, rounds half to even and transposes in the graph', async () => {
    await write('small');
    const [model] = await load();
    const latent = Float32Array.from({ length: 4 * 3 * 5 }, (_, index) => Math.sin(index) * 1.5);
    const [cotangent] = [new Float32Array(3 * 6 * 10)];
    const scaled = new Tensor('float32', latent, [1, 4, 3, 5]);
    const [pixels] = await runGraph(model?.decoder.path, [scaled]);
    const [sample] = await runGraph(model?.decoderVjp?.path, [scaled, new Tensor('float32', cotangent, [1, 3, 6, 10])]);
    const [raw] = await runGraph(join(work, 'models/small/vae_decoder/model.onnx'), [
      new Tensor(
        'float32',
        latent.map((value) => value * 2 + 0.25),
        [1, 4, 3, 5],
      ),
    ]);
    if (pixels === undefined || sample === undefined || raw === undefined) throw new Error('an output is missing');
    expect(floatValues(sample)).toEqual(floatValues(raw));
    expect(pixels.dims).toEqual([1, 6, 10, 3]);
    const values = floatValues(raw);
    for (let colour = 0; colour < 3; colour += 1) {
      for (let cell = 0; cell < 60; cell += 1) {
        const unit = Math.min(1, Math.max(0, Math.fround(Math.fround((values[colour * 60 + cell] ?? 0) * 0.5) + 0.5)));
        const level = Math.fround(unit * 255);
        expect(Math.abs(Number(pixels.data[cell * 3 + colour]) - level)).toBeLessThanOrEqual(0.5);
      }
    }
  });

  it('prepares once: a second start reads the same graphs', async () => {
    await write('small');
    const [first] = await load();
    const before = await stat(first?.decoder.path ?? '');
    const [second] = await load();
    expect(second).toEqual(first);
    expect((await stat(second?.decoder.path ?? '')).mtimeMs).toBe(before.mtimeMs);
    expect((await readdir(cacheDirectory)).length).toBe(1);
  });

  it('gives another fingerprint when a constant changes', async () => {
    const folder = await write('small');
    const [first] = await load();
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...SMALL_CONFIG, scaling_factor: 0.6 }));
    const [second] = await load();
    expect(second?.fingerprint).not.toBe(first?.fingerprint);
  });

  it('keeps a fixed size', async () => {
    await write('fixed', { decoder: smallDecoder({ fixed: { height: 6, width: 4 } }) });
    const [model] = await load();
    expect(model?.decoder.fixedLatentSize).toEqual({ height: 6, width: 4 });
  });

  it.each([
    ['no scaling factor', { config: { latent_channels: 4 } }, 'missing-constant', /--preset/],
    ['another channel count', { config: { ...SMALL_CONFIG, latent_channels: 8 } }, 'shape-mismatch', /channels/],
    ['a configuration that is not JSON', { config: undefined }, 'broken-file', /not JSON/],
    ['weights that give NaN', { decoder: smallDecoder({ gain: NaN }) }, 'not-finite', /NaN/],
    [
      'means of another length',
      { config: { ...SMALL_CONFIG, latents_mean: [0], latents_std: [1] } },
      'shape-mismatch',
      /4/,
    ],
    [
      'a zero deviation',
      { config: { ...SMALL_CONFIG, latents_mean: [0, 0, 0, 0], latents_std: [1, 1, 0, 1] } },
      'broken-file',
      /\[2\]/,
    ],
  ] as const)('refuses %s', async (_what, parts, reason, message) => {
    const folder = await write('bad', parts);
    if ('config' in parts && parts.config === undefined) await writeFile(join(folder, 'config.json'), '{');
    await expect(load()).rejects.toMatchObject({
      name: 'ModelError',
      reason,
      message: expect.stringMatching(message) as string,
    });
    expect(await readdir(cacheDirectory).catch(() => [])).toEqual([]);
  });

  it('refuses a truncated graph and names the file', async () => {
    const folder = await write('bad');
    const path = join(folder, 'vae_decoder/model.onnx');
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length - 20));
    await expect(load()).rejects.toMatchObject({ reason: 'broken-file', subject: path });
  });

  it('refuses two folders of one name', async () => {
    await write('twin');
    await writeSmallModel(join(work, 'others'), 'twin');
    const directories = [join(work, 'models'), join(work, 'others')];
    await expect(loadModels({ directories, cacheDirectory })).rejects.toMatchObject({ reason: 'bad-name' });
  });
});
