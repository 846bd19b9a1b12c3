/** What happens once, before the first request: models find their devices, and decoders run every shape that is asked for. */
import type { InstalledModel } from '../models/installed-model.js';
import { checkLatent } from './check-vector.js';
import type { InferenceDevice } from './device.js';
import type { KserveDevice } from './kserve/kserve-device.js';
import type { DecodeOptions } from './options.js';
import type { LocalPlacer, Placement } from './placement.js';

/** On the remote servers where they are configured for it and answer; else on this machine. */
export async function placeModel(
  model: InstalledModel,
  placer: LocalPlacer,
  kserve: KserveDevice | undefined,
): Promise<Placement> {
  if (kserve?.offers(model.name) !== true) return placer.place(model);
  try {
    return await kserve.place(model);
  } catch (error) {
    const refusal = { provider: 'kserve', reason: error instanceof Error ? error.message : String(error) };
    const local = await placer.place(model);
    return { ...local, refused: [refusal, ...local.refused] };
  }
}

/** One decode per device, model and configured size, so that no request pays for the choice and building of kernels. */
export async function warmUp(
  devices: readonly InferenceDevice[],
  models: Iterable<InstalledModel>,
  pictures: NonNullable<DecodeOptions['warmUp']>,
): Promise<void> {
  const signal = new AbortController().signal;
  for (const model of models) {
    const sizes = model.decoder.fixedLatentSize === undefined ? pictures : [];
    const cells = sizes.map(({ width, height }) => ({
      height: Math.ceil(height / model.spatialFactor),
      width: Math.ceil(width / model.spatialFactor),
    }));
    const latents = cells.length === 0 ? [checkLatent(model)] : cells.map((size) => checkLatent(model, size));
    for (const device of devices.filter((one) => one.serves(model.name, 'decoder')))
      for (const latent of latents) await device.run({ model: model.name, graph: 'decoder', inputs: [latent] }, signal);
  }
}
