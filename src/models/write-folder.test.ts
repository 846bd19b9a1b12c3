import { describe, expect, it } from 'vitest';
import { klConfigSchema, klDecoder, klEncoder } from './graphs/kl.js';
import { ELEMENT_TYPE, elementCount, type OnnxTensor } from './onnx/model.js';
import { MODEL_PRESETS } from './presets.js';
import { RandomWeights } from './weights/random-weights.js';
import type { WeightSource } from './weights/weight-source.js';
import { DECODER_PARAMETERS } from './write-folder.js';

/** Counts parameters without making them. */
class CountedWeights implements WeightSource {
  readonly subject = 'counted weights';
  readonly counts = new Map<string, number>();
  has(): boolean {
    return true;
  }
  shape(): undefined {
    return undefined;
  }
  total(prefix = ''): number {
    return [...this.counts].reduce((sum, [name, count]) => (name.startsWith(prefix) ? sum + count : sum), 0);
  }
  tensor(name: string, dims: readonly number[], view?: readonly number[]): OnnxTensor {
    this.counts.set(name, elementCount(dims));
    const data = { kind: 'file', path: '/absent', offset: 0, byteLength: 4 * elementCount(dims) } as const;
    return { name, elementType: ELEMENT_TYPE.float32, dims: view ?? dims, data };
  }
}

describe('stand-ins', () => {
  it.each([
    ['sd15', 83_653_863],
    ['sd35', 83_819_683],
  ] as const)('have the parameters of the published %s VAE', (family, both) => {
    const config = klConfigSchema.parse(MODEL_PRESETS[family].config);
    const decoder = new CountedWeights();
    klDecoder(config, decoder, 'f32');
    const encoder = new CountedWeights();
    klEncoder(config, encoder, 'f32');
    expect(decoder.total('decoder.')).toBe(DECODER_PARAMETERS[family]);
    expect(decoder.total() + encoder.total()).toBe(both);
  });

  it('draw each tensor from its name and the seed alone', () => {
    const bytes = (weights: RandomWeights, name: string): string => {
      const { data } = weights.tensor(name, [8, 4, 3, 3]);
      if (data.kind !== 'memory') throw new Error('not in memory');
      return Buffer.from(data.bytes).toString('hex');
    };
    const first = new RandomWeights(1, 'f16');
    const second = new RandomWeights(1, 'f16');
    const b = bytes(second, 'b.weight');
    expect(bytes(first, 'a.weight')).toBe(bytes(second, 'a.weight'));
    expect(bytes(first, 'b.weight')).toBe(b);
    expect(bytes(first, 'a.weight')).not.toBe(b);
    expect(bytes(new RandomWeights(2, 'f16'), 'a.weight')).not.toBe(bytes(first, 'a.weight'));
    expect(second.parameters('')).toBe(2 * 8 * 4 * 9);
  });
});
