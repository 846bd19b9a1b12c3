/** The gradient of a convolution with respect to its input. */
import { int, ints } from '../onnx/graph-builder.js';
import type { OnnxNode } from '../onnx/model.js';
import { attributeInt, attributeInts, attributeText, type GradientContext, NotDifferentiable } from './context.js';

/**
 * A stride-1 convolution's transpose is a convolution with the kernel turned by 180° and its channels swapped
 * (Dumoulin and Visin, "A guide to convolution arithmetic", section 4). The turned kernel is written as operators on
 * the weights, which the runtime folds when it opens a session: the file does not grow, and Conv's fast path is used,
 * which ConvTranspose lacks on the CPU.
 */
export function convolution(node: OnnxNode, cotangent: string, context: GradientContext): [number, string][] {
  const [, weight = ''] = node.inputs;
  const dims = context.constant(weight)?.dims;
  const group = attributeInt(node, 'group', 1);
  const strides = attributeInts(node, 'strides') ?? [1, 1];
  const dilations = attributeInts(node, 'dilations') ?? [1, 1];
  if (dims?.length !== 4 || [...strides, ...dilations].some((step) => step !== 1)) {
    throw new NotDifferentiable('Conv with strides, dilations or computed weights');
  }
  if (!['', 'NOTSET'].includes(attributeText(node, 'auto_pad', 'NOTSET'))) {
    throw new NotDifferentiable('Conv with automatic padding');
  }
  const [outputs = 0, inputs = 0, height = 0, width = 0] = dims;
  const [top = 0, left = 0, bottom = 0, right = 0] = attributeInts(node, 'pads') ?? [];
  const { builder } = context;
  if (group !== 1) {
    const attributes = { pads: ints(top, left, bottom, right), group: int(group) };
    return [[0, builder.op('ConvTranspose', [cotangent, weight], attributes)]];
  }
  const taps = height * width;
  let turned = builder.op('Transpose', [weight], { perm: ints(1, 0, 2, 3) });
  if (taps > 1) {
    const reversed = builder.integers(Array.from({ length: taps }, (_, tap) => taps - 1 - tap));
    const rows = builder.op('Reshape', [turned, builder.integers([inputs, outputs, taps])]);
    const flipped = builder.op('Gather', [rows, reversed], { axis: int(2) });
    turned = builder.op('Reshape', [flipped, builder.integers([inputs, outputs, height, width])]);
  }
  const pads = ints(height - 1 - top, width - 1 - left, height - 1 - bottom, width - 1 - right);
  return [[0, builder.op('Conv', [cotangent, turned], { kernel_shape: ints(height, width), pads })]];
}
