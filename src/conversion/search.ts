/**
 * Looks for the latent that decodes nearest to a picture: the encoder's, then a few steps without gradients, then Adam
 * through the decoder. Every latent is rounded to the stored precision before it is measured, and the best is kept.
 */
import { toFloat16, toFloat32 } from '../decode/half-floats.js';
import { Adam } from './adam.js';
import { psnrOf } from './fidelity.js';
import { outOfReach } from './out-of-reach.js';
import type { VaeSession } from './vae-session.js';

export interface SearchBudget {
  /** Gradient steps. */
  readonly steps: number;
  /** Milliseconds since the epoch of `performance.now()`. */
  readonly until: number;
  /** dB below which a latent is of no use. */
  readonly floor: number;
}

export interface Found {
  /** binary16, `[channels, rows, columns]`. */
  readonly latent: Uint16Array;
  /** dB, of 8-bit samples. */
  readonly psnr: number;
  readonly steps: number;
}

/** Steps without gradients: with some decoders they add 3 dB, and none gains from more than a few. */
const FEEDBACK_STEPS = 4;

interface Candidate {
  /** Float values that binary16 holds. */
  readonly latent: Float32Array;
  readonly psnr: number;
}

/** @param picture the samples that `session` was made for */
export async function searchLatent(session: VaeSession, picture: Uint8Array, budget: SearchBudget): Promise<Found> {
  const encoded = rounded(await session.encode());
  let best = await withFeedback(session, picture, encoded, budget);
  let steps = 0;
  if (session.differentiable && budget.steps > 0) {
    const descended = await descend(session, picture.byteLength, best, budget);
    best = descended.best;
    steps = descended.steps;
  }
  return { latent: toFloat16(best.latent), psnr: best.psnr, steps };
}

/** z ← z + E(x) − E(D(z)) for as long as it helps: the decoder's inverse by the encoder, as a fixed point. */
async function withFeedback(
  session: VaeSession,
  picture: Uint8Array,
  encoded: Float32Array,
  budget: SearchBudget,
): Promise<Candidate> {
  let decoded = await session.decode(encoded);
  let best = { latent: encoded, psnr: psnrOfPictures(decoded, picture) };
  for (let step = 0; step < FEEDBACK_STEPS && performance.now() < budget.until; step++) {
    const again = await session.encode(decoded);
    const latent = rounded(best.latent.map((value, i) => value + (encoded[i] ?? 0) - (again[i] ?? 0)));
    decoded = await session.decode(latent);
    const psnr = psnrOfPictures(decoded, picture);
    if (!(psnr > best.psnr)) break;
    best = { latent, psnr };
  }
  return best;
}

async function descend(
  session: VaeSession,
  samples: number,
  start: Candidate,
  budget: SearchBudget,
): Promise<{ best: Candidate; steps: number }> {
  const optimiser = new Adam(start.latent);
  const began = performance.now();
  const curve = [start.psnr];
  let best = start;
  let steps = 0;
  while (steps < budget.steps && performance.now() < budget.until) {
    const latent = rounded(optimiser.latent);
    const { squares, gradient } = await session.slope(latent);
    const psnr = psnrOf(squares, samples);
    if (psnr > best.psnr) best = { latent, psnr };
    steps++;
    curve.push(best.psnr);
    if (outOfReach(curve, budget.floor)) break;
    // Whichever budget ends first says when the step is brought down: the last, short steps gain the most.
    const time = (performance.now() - began) / (budget.until - began);
    optimiser.step(gradient, Math.min(1, Math.max(steps / budget.steps, time)));
  }
  return { best, steps };
}

function psnrOfPictures(a: Uint8Array, b: Uint8Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return psnrOf(squares, a.length);
}

function rounded(latent: Float32Array): Float32Array {
  const halves = toFloat16(latent);
  return toFloat32(new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength), 'f16');
}
