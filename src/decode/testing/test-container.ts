/** Containers of seeded latents for tests and benches. */
import { encodeContainer } from '../../../codec/index.js';
import { toFloat16 } from '../half-floats.js';

export interface TestLatent {
  readonly model: string;
  readonly channels: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly factor: number;
  readonly seed?: number;
  readonly scaled?: boolean;
}

/** Smooth waves with a little grain, about unit variance: compresses as a real latent does, roughly. */
export function seededValues(count: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.sin(i * 0.11 + seed) + 0.3 * (state / 2 ** 31 - 1);
  });
}

/** An fp16 container whose latent is as large as the picture needs. */
export function testContainer(options: TestLatent): Uint8Array {
  const { model, channels, width, height, factor } = options;
  const shape = [channels, Math.ceil(height / factor), Math.ceil(width / factor)];
  const values = toFloat16(
    seededValues(
      shape.reduce((product, dim) => product * dim, 1),
      options.seed ?? 1,
    ),
  );
  return encodeContainer({
    model,
    tensor: { dtype: 'f16', shape, data: new Uint8Array(values.buffer) },
    width,
    height,
    scaled: options.scaled ?? true,
    origin: { kind: 'supplied' },
    pngChunks: { beforeIdat: [], afterIdat: [] },
  });
}
