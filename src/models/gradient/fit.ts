/**
 * How far a latent's picture is from a given one, and the gradient of that, in one graph: one run is one step of a search
 * for the latent of a picture, and only the gradient leaves the device.
 */
import { GraphBuilder } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE, type OnnxModel } from '../onnx/model.js';
import { COTANGENT_INPUT, GRADIENT_OUTPUT, SAMPLE_OUTPUT } from './differentiate.js';

const SCOPE = 'latentbox/fit';
export const TARGET_INPUT = 'target_nhwc';
export const ROW_WEIGHTS_INPUT = 'row_weights';
export const COLUMN_WEIGHTS_INPUT = 'column_weights';
export const SQUARES_OUTPUT = 'squared_error';

/**
 * From a decoder's vector-Jacobian product (x, ȳ) → (y, x̄) the graph
 * (x, target, row weights, column weights) → (Σ w·(served(y) − target)² in 8-bit levels, x̄ of Σ w·(y − target)²).
 *
 * The loss is one-sided: where the target is 0 or 255, samples beyond it cost nothing, since serving clamps them.
 *
 * @param vjp the graph that `differentiate` gives
 * @throws RangeError when it is another
 */
export function fitGraph(vjp: OnnxModel): OnnxModel {
  const { graph } = vjp;
  const [latent, cotangent] = graph.inputs;
  const [sample, gradient] = graph.outputs;
  const alias = graph.nodes.find((node) => node.outputs[0] === SAMPLE_OUTPUT);
  const decoded = alias?.inputs[0];
  const last = graph.nodes.findIndex((node) => node.outputs.some((output) => output === decoded));
  if (latent === undefined || cotangent?.name !== COTANGENT_INPUT || gradient?.name !== GRADIENT_OUTPUT || last < 0)
    throw new RangeError('not a vector-Jacobian product');
  const builder = new GraphBuilder(SCOPE);
  addLoss(builder, decoded ?? '');
  const [batch, , height, width] = sample?.shape ?? [];
  return {
    ...vjp,
    graph: {
      ...graph,
      nodes: [
        ...graph.nodes.slice(0, last + 1),
        ...builder.nodes,
        ...graph.nodes.slice(last + 1).filter((node) => node !== alias),
      ],
      initializers: [...graph.initializers, ...builder.initializers],
      inputs: [
        latent,
        { name: TARGET_INPUT, elementType: ELEMENT_TYPE.uint8, shape: [batch, height, width, 3] },
        { name: ROW_WEIGHTS_INPUT, elementType: ELEMENT_TYPE.float32, shape: [1, 1, height, 1] },
        { name: COLUMN_WEIGHTS_INPUT, elementType: ELEMENT_TYPE.float32, shape: [1, 1, 1, width] },
      ],
      outputs: [{ name: SQUARES_OUTPUT, elementType: ELEMENT_TYPE.float32, shape: [] }, gradient],
    },
  };
}

/** From the decoded sample `y` in [-1, 1] to the squared error and to the cotangent 2·w·(y − target). */
function addLoss(builder: GraphBuilder, y: string): void {
  const scalar = (value: number): string => builder.scalar(value);
  const weights = builder.op('Mul', [ROW_WEIGHTS_INPUT, COLUMN_WEIGHTS_INPUT]);
  const levels = builder.op('Transpose', [builder.cast(TARGET_INPUT, ELEMENT_TYPE.float32)], {
    perm: { kind: 'ints', value: [0, 3, 1, 2] },
  });

  const unit = builder.op('Clip', [
    builder.op('Add', [builder.op('Mul', [y, scalar(0.5)]), scalar(0.5)]),
    scalar(0),
    scalar(1),
  ]);
  const served = builder.op('Round', [builder.op('Mul', [unit, scalar(255)])]);
  const error = builder.op('Sub', [served, levels]);
  const squares = builder.op('Mul', [builder.op('Mul', [error, error]), weights]);
  builder.op('ReduceSum', [squares], { keepdims: { kind: 'int', value: 0 } }, SQUARES_OUTPUT);

  const target = builder.op('Sub', [
    builder.op('Mul', [builder.op('Div', [levels, scalar(255)]), scalar(2)]),
    scalar(1),
  ]);
  const difference = builder.op('Sub', [y, target]);
  const beyond = (edge: number, compare: 'Greater' | 'Less'): string =>
    builder.op('And', [builder.op('Equal', [levels, scalar(edge)]), builder.op(compare, [difference, scalar(0)])]);
  const free = builder.op('Or', [beyond(255, 'Greater'), beyond(0, 'Less')]);
  const counted = builder.op('Where', [free, scalar(0), difference]);
  builder.op('Mul', [builder.op('Mul', [counted, weights]), scalar(2)], {}, COTANGENT_INPUT);
}
