/** An ONNX model in memory: what graph surgery and differentiation need to see, and the rest kept as it was. */

/** `TensorProto.DataType`, the members that VAEs use. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
export const ELEMENT_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

export type ElementType = (typeof ELEMENT_TYPE)[keyof typeof ELEMENT_TYPE];

/** Where a tensor's little-endian, C-ordered bytes lie. */
export type TensorData =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string; readonly offset: number; readonly byteLength: number };

export interface OnnxTensor {
  readonly name: string;
  /** A member of ELEMENT_TYPE, or another number where the graph uses a type that is only passed through. */
  readonly elementType: number;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

export type Attribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  /** Subgraphs, strings, types: the AttributeProto as it was read. */
  | { readonly kind: 'opaque'; readonly encoded: Uint8Array };

export interface OnnxNode {
  readonly opType: string;
  /** Empty for the standard operators. */
  readonly domain: string;
  readonly name: string;
  /** An empty name stands for an optional input that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** Fields that this reader does not know, tag included. */
  readonly unknown?: readonly Uint8Array[];
}

/** A dimension: a size, a symbol such as `batch`, or unknown. */
export type Dimension = number | string | undefined;

export interface OnnxValue {
  readonly name: string;
  readonly elementType: number;
  /** Absent where the graph does not state a rank. */
  readonly shape?: readonly Dimension[];
}

export interface OnnxGraph {
  readonly name: string;
  /** In topological order. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  /** Without the initializers that old IR versions repeat here. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly unknown?: readonly Uint8Array[];
}

export interface OnnxModel {
  readonly irVersion: number;
  /** Operator set version by domain; the standard domain is the empty string. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  readonly unknown?: readonly Uint8Array[];
}

/** Bytes of a tensor's data, wherever they lie. */
export function tensorByteLength(tensor: OnnxTensor): number {
  return tensor.data.kind === 'memory' ? tensor.data.bytes.length : tensor.data.byteLength;
}

/** Elements of a shape; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
