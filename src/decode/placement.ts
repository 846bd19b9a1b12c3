/** Which device runs which model, and why no better one does: every provider is tried on the real graph. */
import type { InstalledModel } from '../models/installed-model.js';
import { checkLatent, checkPixels, LEAST_AGREEMENT_DB, psnr } from './check-vector.js';
import { decoderClassOf } from './decoder-class.js';
import type { InferenceResult } from './device.js';
import { deviceFamily } from './device-family.js';
import { LocalDevice } from './inference/local-device.js';
import type { LocalDeviceOptions } from './inference/local-device.js';
import type { LocalProvider } from './inference/protocol.js';

/** Best first. TensorRT's fused kernels beat CUDA's; the vendors' own runtimes beat WebGPU's generic shaders. */
export const ORDER_OF_MERIT: readonly LocalProvider[] = ['tensorrt', 'cuda', 'coreml', 'dml', 'webgpu', 'cpu'];

export interface Refusal {
  readonly provider: string;
  /** One line. */
  readonly reason: string;
}

/** Where a model runs; without `provider`, nowhere, and `refused` says why. */
export interface Placement {
  readonly model: string;
  readonly provider?: string;
  /** Ids of the devices that serve it. */
  readonly devices: readonly string[];
  /** What was tried before, or would have been better. */
  readonly refused: readonly Refusal[];
  /** @see decoderClassOf */
  readonly decoderClass?: string;
  /** SHA-256 of the pixels of the check latent: two decoders of one class must agree on it. */
  readonly checkVector?: string;
  /** Second run of the check latent, in milliseconds. */
  readonly checkMs?: number;
}

/** One line for the log: what runs, and why each better provider does not. */
export function describePlacement(placement: Placement): string {
  const refused = placement.refused.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ');
  if (placement.provider === undefined) return `model ${placement.model} is not served (${refused})`;
  const where = `model ${placement.model} runs on ${placement.provider} (${placement.devices.join(', ')}; check decode ${(placement.checkMs ?? 0).toFixed(1)} ms)`;
  return refused === '' ? where : `${where}; not on ${refused}`;
}

export interface PlacementOptions {
  readonly providers: 'auto' | readonly LocalProvider[];
  readonly accelerators: readonly number[];
  readonly cpuProcesses: number;
  readonly device: Omit<LocalDeviceOptions, 'id' | 'deviceId' | 'onEvent'>;
  readonly onEvent: (device: string, ...event: Parameters<LocalDeviceOptions['onEvent']>) => void;
}

interface Trial {
  readonly result: InferenceResult;
  readonly checkVector: string;
  readonly ms: number;
}

const NEVER = new AbortController().signal;

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}

/** Tries providers and keeps the devices that serve something. */
export class LocalPlacer {
  readonly #options: PlacementOptions;
  readonly #devices = new Map<string, LocalDevice>();
  /** Devices whose process holds sessions that nothing uses. */
  readonly #littered = new Set<LocalDevice>();
  readonly #references = new Map<string, Trial>();
  #runtime: { runtimeVersion: string; backends: readonly string[] } | undefined;

  constructor(options: PlacementOptions) {
    this.#options = options;
  }

  /** Devices that serve at least one model. */
  get devices(): readonly LocalDevice[] {
    return [...this.#devices.values()].filter((device) => device.models.size > 0);
  }

  /** Places one model; never rejects for what a provider or the model's files do. */
  async place(model: InstalledModel): Promise<Placement> {
    const { providers } = this.#options;
    const order = providers === 'auto' ? ORDER_OF_MERIT : providers;
    const refused: Refusal[] = [];
    for (const provider of order) {
      try {
        return { ...(await this.#tryProvider(model, provider, providers === 'auto')), refused };
      } catch (error) {
        refused.push({ provider, reason: oneLine(error) });
      }
    }
    return { model: model.name, devices: [], refused };
  }

  /** Gives back what the trials left behind; after it the devices hold the sessions that serve, and no others. */
  async settle(): Promise<void> {
    for (const [id, device] of this.#devices) {
      if (device.models.size === 0) {
        this.#devices.delete(id);
        await device.close();
      } else if (this.#littered.has(device)) {
        await device.recycle();
      }
    }
    this.#littered.clear();
    this.#references.clear();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#devices.values()].map((device) => device.close()));
  }

  async #tryProvider(
    model: InstalledModel,
    provider: LocalProvider,
    mustBeatCpu: boolean,
  ): Promise<Omit<Placement, 'refused'>> {
    const { runtimeVersion, backends } = await this.#hello();
    if (!backends.includes(provider)) {
      throw new Error(`onnxruntime-node ${runtimeVersion} has no ${provider} on ${process.platform} ${process.arch}`);
    }
    const devices = this.#devicesOf(provider);
    const trials: Trial[] = [];
    try {
      for (const device of devices) trials.push(await this.#trial(device, model, provider));
      const [trial] = trials;
      if (trial === undefined) throw new Error('no accelerator is configured');
      if (trials.some((other) => other.checkVector !== trial.checkVector))
        throw new Error('the accelerators do not give the same pixels');
      if (provider !== 'cpu') await this.#compareWithCpu(model, trial, mustBeatCpu);
      const { checkVector, ms: checkMs } = trial;
      const family = await deviceFamily(provider, this.#options.accelerators[0] ?? 0);
      const decoderClass = decoderClassOf({
        fingerprint: model.fingerprint,
        provider,
        runtimeVersion,
        deviceFamily: family,
      });
      return {
        model: model.name,
        provider,
        devices: devices.map((device) => device.id),
        decoderClass,
        checkVector,
        checkMs,
      };
    } catch (error) {
      for (const device of devices) this.#unload(device, model);
      throw error;
    }
  }

  async #trial(device: LocalDevice, model: InstalledModel, provider: LocalProvider): Promise<Trial> {
    await device.add(model, provider);
    const input = checkLatent(model);
    const job = { model: model.name, graph: 'decoder', inputs: [input] } as const;
    await device.run(job, NEVER);
    const result = await device.run(job, NEVER);
    return { result, checkVector: checkPixels(model, input, result), ms: result.ms };
  }

  /** @throws Error when the pixels are others than the CPU's, or (automatic choice) when the CPU is faster */
  async #compareWithCpu(model: InstalledModel, trial: Trial, mustBeatCpu: boolean): Promise<void> {
    const reference = this.#references.get(model.name) ?? (await this.#cpuReference(model));
    const [ours] = trial.result.outputs;
    const [theirs] = reference.result.outputs;
    const agreement = ours === undefined || theirs === undefined ? 0 : psnr(ours.data, theirs.data);
    if (agreement < LEAST_AGREEMENT_DB) throw new Error(`its pixels are not the CPU's (${agreement.toFixed(1)} dB)`);
    if (mustBeatCpu && trial.ms > reference.ms) {
      throw new Error(`slower than the CPU (${trial.ms.toFixed(1)} against ${reference.ms.toFixed(1)} ms)`);
    }
  }

  async #cpuReference(model: InstalledModel): Promise<Trial> {
    const device = this.#device('cpu-0', 0);
    const trial = await this.#trial(device, model, 'cpu');
    this.#unload(device, model);
    this.#references.set(model.name, trial);
    return trial;
  }

  #unload(device: LocalDevice, model: InstalledModel): void {
    if (device.remove(model.name)) this.#littered.add(device);
  }

  async #hello(): Promise<{ runtimeVersion: string; backends: readonly string[] }> {
    return (this.#runtime ??= await this.#device('cpu-0', 0).hello());
  }

  #devicesOf(provider: LocalProvider): LocalDevice[] {
    if (provider === 'cpu')
      return Array.from({ length: this.#options.cpuProcesses }, (_, i) => this.#device(`cpu-${i}`, 0));
    return this.#options.accelerators.map((deviceId) => this.#device(`accelerator-${deviceId}`, deviceId));
  }

  #device(id: string, deviceId: number): LocalDevice {
    const existing = this.#devices.get(id);
    if (existing !== undefined) return existing;
    const device = new LocalDevice({
      ...this.#options.device,
      id,
      deviceId,
      onEvent: (...event) => this.#options.onEvent(id, ...event),
    });
    this.#devices.set(id, device);
    return device;
  }
}
