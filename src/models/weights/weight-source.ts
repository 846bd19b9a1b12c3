/** Where a graph writer gets its weights from: a safetensors file, or a seeded generator. */
import { ModelError } from '../model-error.js';
import type { ELEMENT_TYPE, OnnxTensor } from '../onnx/model.js';

export type WeightType = typeof ELEMENT_TYPE.float32 | typeof ELEMENT_TYPE.float16 | typeof ELEMENT_TYPE.bfloat16;

export interface WeightSource {
  /** Names the source in errors. */
  readonly subject: string;
  has(name: string): boolean;
  /** Dimensions of a tensor; undefined where there is none of that name. */
  shape(name: string): readonly number[] | undefined;
  /**
   * A tensor that must have the given dimensions.
   * @param view dimensions to give it in the graph, with as many elements.
   * @throws ModelError `shape-mismatch`.
   */
  tensor(name: string, dims: readonly number[], view?: readonly number[]): OnnxTensor;
}

/** The first of several names that a source has: checkpoints of different ages name the same layer differently. */
export function firstKnown(source: WeightSource, names: readonly string[]): string {
  const [preferred = ''] = names;
  return names.find((name) => source.has(name)) ?? preferred;
}

/** @throws ModelError `shape-mismatch` that names both shapes. */
export function refuseShape(
  subject: string,
  name: string,
  found: readonly number[] | undefined,
  fits: readonly number[],
): never {
  const shape = found === undefined ? 'is absent' : `has shape [${found.join(', ')}]`;
  throw new ModelError('shape-mismatch', subject, `tensor ${name} ${shape} where [${fits.join(', ')}] fits`);
}
