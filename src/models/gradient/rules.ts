/** The vector-Jacobian product of each operator that VAE decoders are made of. */
import { int, ints } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE, type OnnxNode } from '../onnx/model.js';
import { convolution } from './convolution.js';
import {
  attributeFloat,
  attributeInt,
  attributeInts,
  attributeText,
  type GradientContext,
  NotDifferentiable,
} from './context.js';

/** Cotangents of inputs by their index. */
type InputCotangents = readonly (readonly [number, string])[];
export type GradientRule = (node: OnnxNode, cotangent: string, context: GradientContext) => InputCotangents;

const IMAGE_AXES = [2, 3];

export const GRADIENT_RULES: Readonly<Record<string, GradientRule>> = {
  Add: (node, cotangent, context) => both(node, context, cotangent, cotangent),
  Sub: (node, cotangent, context) => {
    const second = context.isActive(operands(node)[1]) ? context.builder.op('Neg', [cotangent]) : cotangent;
    return both(node, context, cotangent, second);
  },
  Mul: (node, cotangent, context) => {
    const [a, b] = operands(node);
    const times = (value: string, other: string): string =>
      context.isActive(other) ? context.builder.op('Mul', [cotangent, value]) : cotangent;
    return both(node, context, times(b, a), times(a, b));
  },
  Div: (node, cotangent, context) => {
    const [, divisor] = operands(node);
    if (context.isActive(divisor)) throw new NotDifferentiable('division by a computed value');
    return both(node, context, context.builder.op('Div', [cotangent, divisor]), cotangent);
  },
  Neg: (_node, cotangent, context) => [[0, context.builder.op('Neg', [cotangent])]],
  Identity: (_node, cotangent) => [[0, cotangent]],
  Cast: (node, cotangent, context) => {
    const [source] = operands(node);
    return [[0, context.builder.cast(cotangent, context.facts(source).elementType)]];
  },
  Relu: (node, cotangent, context) => {
    const result = output(node);
    const zero = context.scalar(0, result);
    const positive = context.builder.op('Greater', [result, zero]);
    return [[0, context.builder.op('Where', [positive, cotangent, zero])]];
  },
  Sigmoid: (node, cotangent, context) => {
    // σ' = σ·(1 − σ)
    const result = output(node);
    const { builder } = context;
    const rest = builder.op('Sub', [context.scalar(1, result), result]);
    return [[0, builder.op('Mul', [cotangent, builder.op('Mul', [result, rest])])]];
  },
  Tanh: (node, cotangent, context) => {
    // tanh' = 1 − tanh²
    const result = output(node);
    const { builder } = context;
    const slope = builder.op('Sub', [context.scalar(1, result), builder.op('Mul', [result, result])]);
    return [[0, builder.op('Mul', [cotangent, slope])]];
  },
  Conv: convolution,
  Resize: nearestResize,
  DepthToSpace: depthToSpace,
  Reshape: (node, cotangent, context) => {
    const [source] = operands(node);
    return [[0, context.builder.op('Reshape', [cotangent, context.builder.op('Shape', [source])])]];
  },
  Transpose: (node, cotangent, context) => {
    const perm = attributeInts(node, 'perm');
    if (perm === undefined) throw new NotDifferentiable('Transpose without a stated order');
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    return [[0, context.builder.op('Transpose', [cotangent], { perm: ints(...inverse) })]];
  },
  MatMul: matrixProduct,
  Softmax: (node, cotangent, context) => {
    // x̄ = y ⊙ (ȳ − Σ ȳ⊙y)
    const result = output(node);
    const { rank } = context.facts(result);
    const axis = attributeInt(node, 'axis', -1);
    if (axis !== -1 && axis !== rank - 1) throw new NotDifferentiable('Softmax over another axis than the last');
    const { builder } = context;
    const total = context.reduce('ReduceSum', builder.op('Mul', [cotangent, result]), [-1]);
    return [[0, builder.op('Mul', [result, builder.op('Sub', [cotangent, total])])]];
  },
  InstanceNormalization: instanceNormalization,
};

function operands(node: OnnxNode): [string, string] {
  return [node.inputs[0] ?? '', node.inputs[1] ?? ''];
}

function output(node: OnnxNode): string {
  return node.outputs[0] ?? '';
}

/**
 * Cotangents of a binary operator's operands. An active operand is taken to have the result's shape: the other one is
 * another activation of the same shape, weights of no higher rank, or a number that exporters compute from shapes (the
 * scale of an attention). Should a graph broadcast an activation, its check run fails and it gets no gradient.
 */
function both(node: OnnxNode, context: GradientContext, first: string, second: string): InputCotangents {
  const [a, b] = operands(node);
  if (!context.isActive(b)) {
    context.refuseWider(b, a);
    return [[0, first]];
  }
  if (!context.isActive(a)) {
    context.refuseWider(a, b);
    return [[1, second]];
  }
  return [
    [0, first],
    [1, second],
  ];
}

/** Nearest-neighbour enlargement by a whole factor k repeats each cell k² times: the cotangent is the sum over them. */
function nearestResize(node: OnnxNode, cotangent: string, context: GradientContext): InputCotangents {
  const scales = context.constant(node.inputs[2]);
  const mode = attributeText(node, 'mode', 'nearest');
  if (mode !== 'nearest' || scales?.data.kind !== 'memory' || scales.elementType !== ELEMENT_TYPE.float32) {
    throw new NotDifferentiable('Resize other than nearest by constant scales');
  }
  const { bytes } = scales.data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const factors = Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getFloat32(4 * index, true));
  const [batch, channels, vertical = 0, horizontal = 0] = factors;
  const whole = Number.isInteger(vertical) && Number.isInteger(horizontal) && vertical > 0 && horizontal > 0;
  if (batch !== 1 || channels !== 1 || factors.length !== 4 || !whole) {
    throw new NotDifferentiable(`Resize by ${factors.join('×')}`);
  }
  const { builder } = context;
  const window = ints(vertical, horizontal);
  const mean = builder.op('AveragePool', [cotangent], { kernel_shape: window, strides: window });
  return [[0, builder.op('Mul', [mean, context.scalar(vertical * horizontal, output(node))])]];
}

/** A permutation of cells, so its transpose: SpaceToDepth, in CRD with the position behind the channel again. */
function depthToSpace(node: OnnxNode, cotangent: string, context: GradientContext): InputCotangents {
  const { builder } = context;
  const block = attributeInt(node, 'blocksize', 1);
  const folded = builder.op('SpaceToDepth', [cotangent], { blocksize: int(block) });
  if (attributeText(node, 'mode', 'DCR') === 'DCR') return [[0, folded]];
  const shape = builder.op('Shape', [operands(node)[0]]);
  const part = (from: number, to: number): string =>
    builder.op('Slice', [shape, builder.integers([from]), builder.integers([to])]);
  const positions = builder.integers([block * block]);
  const channels = builder.op('Div', [part(1, 2), positions]);
  const split = builder.op('Concat', [part(0, 1), positions, channels, part(2, 4)], { axis: int(0) });
  const ordered = builder.op('Transpose', [builder.op('Reshape', [folded, split])], { perm: ints(0, 2, 1, 3, 4) });
  return [[0, builder.op('Reshape', [ordered, shape])]];
}

/** Ā = Ȳ·Bᵀ, B̄ = Aᵀ·Ȳ. */
function matrixProduct(node: OnnxNode, cotangent: string, context: GradientContext): InputCotangents {
  const [a, b] = operands(node);
  const { builder } = context;
  const cotangents: [number, string][] = [];
  const flipped = (name: string): string => {
    const rank = context.isActive(name) ? context.facts(name).rank : (context.constant(name)?.dims.length ?? 0);
    if (rank < 2) throw new NotDifferentiable('MatMul with a vector');
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    perm.push(...perm.splice(-2).reverse());
    return builder.op('Transpose', [name], { perm: ints(...perm) });
  };
  if (context.isActive(a)) cotangents.push([0, builder.op('MatMul', [cotangent, flipped(b)])]);
  if (context.isActive(b)) cotangents.push([1, builder.op('MatMul', [flipped(a), cotangent])]);
  return cotangents;
}

/**
 * With x̂ = (x − μ)/σ over the spatial axes and ĝ = ȳ·scale: x̄ = (ĝ − mean(ĝ) − x̂·mean(ĝ·x̂))/σ
 * (Ioffe and Szegedy, "Batch Normalization", section 3, for one instance). In float32 whatever the graph's precision:
 * sums of squares overflow a half.
 */
function instanceNormalization(node: OnnxNode, cotangent: string, context: GradientContext): InputCotangents {
  const [x, scale] = operands(node);
  const { rank, elementType } = context.facts(x);
  const { builder } = context;
  const wide = (name: string): string =>
    elementType === ELEMENT_TYPE.float32 ? name : builder.cast(name, ELEMENT_TYPE.float32);
  const axes = rank === 4 ? IMAGE_AXES : Array.from({ length: rank - 2 }, (_, index) => index + 2);
  const dims = context.constant(scale)?.dims;
  if (dims?.length !== 1) throw new NotDifferentiable('InstanceNormalization with a computed scale');
  const broadcast = builder.op('Reshape', [wide(scale), builder.integers([1, -1, ...axes.map(() => 1)])]);
  const weighted = builder.op('Mul', [wide(cotangent), broadcast]);
  const value = wide(x);
  const centred = builder.op('Sub', [value, context.reduce('ReduceMean', value, axes)]);
  const variance = context.reduce('ReduceMean', builder.op('Mul', [centred, centred]), axes);
  const epsilon = builder.scalar(attributeFloat(node, 'epsilon', 1e-5));
  const deviation = builder.op('Sqrt', [builder.op('Add', [variance, epsilon])]);
  const normalised = builder.op('Div', [centred, deviation]);
  const correlation = context.reduce('ReduceMean', builder.op('Mul', [weighted, normalised]), axes);
  const projected = builder.op('Mul', [normalised, correlation]);
  const mean = context.reduce('ReduceMean', weighted, axes);
  const difference = builder.op('Sub', [builder.op('Sub', [weighted, mean]), projected]);
  const gradient = builder.op('Div', [difference, deviation]);
  return [[0, elementType === ELEMENT_TYPE.float32 ? gradient : builder.cast(gradient, elementType)]];
}
