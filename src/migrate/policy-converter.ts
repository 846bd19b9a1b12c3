/** Migration's converter: what PUT under the policy `encode` would do with the picture, and its sidecar first. */
import { CodecError, readLatentFile } from '../../codec/index.js';
import type { SuppliedLatent } from '../conversion/index.js';
import { VERBATIM_REASONS } from '../conversion/index.js';
import type { LatentModel } from '../latents/ingest.js';
import type { PngEncoding } from '../latents/png-encoding.js';
import type { Policy } from '../latents/policies.js';
import type { ConvertedObject, ObjectConverter, SourcePicture, UnconvertedObject } from './object-converter.js';

export interface PolicyConverterOptions {
  readonly encoding: PngEncoding;
  /** What the configuration and the command line say of a key. */
  readonly policyFor: (key: string) => Policy;
  /** In the order in which a sidecar's model is looked for. */
  readonly models: readonly LatentModel[];
}

export class PolicyConverter implements ObjectConverter {
  constructor(private readonly options: PolicyConverterOptions) {}

  async convert(
    { key, png, userMetadata, sidecar }: SourcePicture,
    signal: AbortSignal,
  ): Promise<ConvertedObject | UnconvertedObject> {
    const policy = this.options.policyFor(key);
    const supplied = sidecar && this.#latentOf(sidecar.bytes, policy);
    const encoded = await this.options.encoding.encode({ png, policy, userMetadata, supplied }, signal);
    if (encoded.kind === 'verbatim') {
      const { reason, measured } = encoded.conversion;
      return {
        kind: 'verbatim',
        reason,
        detail: VERBATIM_REASONS[reason],
        ...(measured && { psnr: measured.psnr }),
      };
    }
    const { prepared, conversion } = encoded;
    const { facts, container, rendering } = prepared;
    if (!facts.render || !rendering) throw new Error('a conversion renders its picture');
    return {
      kind: 'latent',
      container,
      facts: { ...facts, render: facts.render },
      userMetadata: encoded.userMetadata,
      psnr: conversion.measured.psnr,
      ssim: conversion.measured.ssim,
      png: rendering.png,
      usedSidecar: supplied !== undefined && conversion.fromSupplied,
    };
  }

  /** Undefined for a file that holds no latent of an installed model: the picture then goes its usual way. */
  #latentOf(bytes: Uint8Array, policy: Policy): SuppliedLatent | undefined {
    try {
      const { tensor, scaled } = readLatentFile(bytes);
      const fitting = this.options.models.filter(({ latentChannels }) => latentChannels === tensor.shape[0]);
      const wanted = [...(policy.candidates ?? []), ...(policy.model === undefined ? [] : [policy.model])];
      const model = wanted.find((name) => fitting.some((one) => one.name === name)) ?? fitting[0]?.name;
      return model === undefined ? undefined : { model, tensor, scaled };
    } catch (error) {
      if (error instanceof CodecError) return undefined;
      throw error;
    }
  }
}
