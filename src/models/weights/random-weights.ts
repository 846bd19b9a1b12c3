/** Seeded weights of the right shape for architectures whose real weights are not at hand: same work, same memory. */
import { bytesOf } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE, elementCount, type OnnxTensor } from '../onnx/model.js';
import { floatToHalf } from './half.js';
import { uniformNoise } from './random.js';
import type { WeightSource } from './weight-source.js';

/**
 * Weights drawn as PyTorch initialises its layers: uniform within ±1/√fan-in, norms 1 and 0. Each tensor's values
 * depend on its name and the seed only, not on the order in which tensors are asked for.
 */
export class RandomWeights implements WeightSource {
  readonly subject: string;
  readonly #seed: number;
  readonly #precision: 'f32' | 'f16';
  /** Parameters given out so far, each tensor once. */
  readonly #given = new Map<string, number>();

  constructor(seed: number, precision: 'f32' | 'f16') {
    this.subject = `random weights of seed ${seed}`;
    this.#seed = seed;
    this.#precision = precision;
  }

  /** Parameters of the tensors whose names start with `prefix`. */
  parameters(prefix: string): number {
    return [...this.#given].reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0);
  }

  /** Random weights have every tensor that an architecture asks for. */
  has(): boolean {
    return true;
  }

  shape(): undefined {
    return undefined;
  }

  tensor(name: string, dims: readonly number[], view?: readonly number[]): OnnxTensor {
    const count = elementCount(dims);
    this.#given.set(name, count);
    const values = this.#values(name, dims, count);
    const half = this.#precision === 'f16';
    return {
      name,
      elementType: half ? ELEMENT_TYPE.float16 : ELEMENT_TYPE.float32,
      dims: view ?? dims,
      data: { kind: 'memory', bytes: bytesOf(half ? floatToHalf(values) : values) },
    };
  }

  #values(name: string, dims: readonly number[], count: number): Float32Array {
    if (dims.length === 1) return new Float32Array(count).fill(name.endsWith('.weight') ? 1 : 0);
    const fanIn = count / (dims[0] ?? 1);
    return uniformNoise(count, 1 / Math.sqrt(fanIn), this.#seed ^ nameHash(name));
  }
}

/** FNV-1a, 32 bits. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash;
}
