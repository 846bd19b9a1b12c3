/** Proves every object of a location; what is not sound is named. */
import { listLocation } from './listing.js';
import type { Location } from './location.js';
import { STAGING_PREFIX } from './originals.js';
import { runPool } from './run-pool.js';
import { ObjectVerifier, type VerificationResult } from './verify-object.js';
import type { Workshop } from './workshop.js';

export interface VerificationReport {
  readonly objects: number;
  readonly latents: number;
  /** Latents that another class of decoder rendered first: of the recorded size, and not the recorded bytes. */
  readonly sameSizeOnly: number;
  readonly verbatim: number;
  readonly failed: readonly { readonly key: string; readonly message: string }[];
}

export interface VerifyLocationOptions {
  readonly concurrency: number;
  /** Largest container that is read, in bytes. */
  readonly maxContainerBytes: number;
  readonly onVerified: (objects: number) => void;
}

export async function verifyLocation(
  workshop: Workshop,
  location: Location,
  { concurrency, maxContainerBytes, onVerified }: VerifyLocationOptions,
  signal: AbortSignal,
): Promise<VerificationReport> {
  const { store, renderer } = workshop;
  const decoderClass = (model: string) => workshop.decoderClass(model);
  const verifier = new ObjectVerifier({ store, renderer, location, maxContainerBytes, decoderClass });
  const results: Record<VerificationResult['kind'], number> = { latent: 0, verbatim: 0, failed: 0, gone: 0 };
  const failed: { key: string; message: string }[] = [];
  let sameSizeOnly = 0;
  let objects = 0;
  await runPool(listLocation(store, location, [STAGING_PREFIX], signal), concurrency, async (listed) => {
    const result = await verifier.verify(listed, signal);
    results[result.kind] += 1;
    if (result.kind === 'failed') failed.push({ key: listed.key, message: result.message });
    if (result.kind === 'latent' && result.match === 'same-size') sameSizeOnly += 1;
    objects += 1;
    onVerified(objects);
  });
  return { objects, latents: results.latent, sameSizeOnly, verbatim: results.verbatim, failed };
}
