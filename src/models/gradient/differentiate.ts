/** Reverse-mode differentiation of a decoder's graph: the vector-Jacobian product as another ONNX graph. */
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { OnnxModel, OnnxNode } from '../onnx/model.js';
import { GradientContext, NotDifferentiable } from './context.js';
import { GRADIENT_RULES } from './rules.js';

const SCOPE = 'latentbox/vjp';
export const COTANGENT_INPUT = 'sample_cotangent';
export const SAMPLE_OUTPUT = 'decoded_sample';
export const GRADIENT_OUTPUT = 'scaled_latent_gradient';
/** ReduceSum takes its axes as an input, and Softmax a single axis, from here on. */
const MIN_OPSET = 13;

export type Differentiation =
  | { readonly kind: 'graph'; readonly model: OnnxModel }
  /** The graph has an operator, or a use of one, without a rule. */
  | { readonly kind: 'unsupported'; readonly reason: string };

/**
 * For a graph y = f(x) of one input and one output, the graph (x, ȳ) → (y, x̄ = ȳᵀ·∂f/∂x).
 *
 * Source: reverse accumulation, Griewank and Walther, "Evaluating Derivatives", chapter 3. Weights are constants;
 * values that do not depend on x get no gradient.
 */
export function differentiate(model: OnnxModel): Differentiation {
  const [input] = model.graph.inputs;
  const [output] = model.graph.outputs;
  if (input === undefined || output === undefined || (model.opsets.get('') ?? 0) < MIN_OPSET) {
    return { kind: 'unsupported', reason: `needs one input, one output and operator set ${MIN_OPSET}` };
  }
  const builder = new GraphBuilder(SCOPE);
  try {
    const context = new GradientContext(model, builder);
    const cotangents = new Cotangents(builder);
    cotangents.add(output.name, COTANGENT_INPUT);
    for (const node of model.graph.nodes.toReversed()) backward(node, context, cotangents);
    const gradient = cotangents.sum(input.name);
    if (gradient === undefined) throw new NotDifferentiable('the output does not depend on the input');
    builder.op('Identity', [gradient], {}, GRADIENT_OUTPUT);
    builder.op('Identity', [output.name], {}, SAMPLE_OUTPUT);
  } catch (cause) {
    if (cause instanceof NotDifferentiable) return { kind: 'unsupported', reason: cause.message };
    throw cause;
  }
  const { graph } = model;
  return {
    kind: 'graph',
    model: {
      ...model,
      graph: {
        ...graph,
        nodes: [...graph.nodes, ...builder.nodes],
        initializers: [...graph.initializers, ...builder.initializers],
        inputs: [input, { ...output, name: COTANGENT_INPUT }],
        outputs: [
          { ...output, name: SAMPLE_OUTPUT },
          { ...input, name: GRADIENT_OUTPUT },
        ],
      },
    },
  };
}

function backward(node: OnnxNode, context: GradientContext, cotangents: Cotangents): void {
  const [output] = node.outputs;
  if (output === undefined || !context.isActive(output)) return;
  const cotangent = cotangents.sum(output);
  if (cotangent === undefined) return;
  const rule = node.domain === '' ? GRADIENT_RULES[node.opType] : undefined;
  if (rule === undefined) throw new NotDifferentiable(`operator ${node.opType} has no gradient rule`);
  for (const [index, gradient] of rule(node, cotangent, context)) {
    const target = node.inputs[index];
    if (target !== undefined && context.isActive(target)) cotangents.add(target, gradient);
  }
}

/** Cotangents by value; several uses of a value add up. */
class Cotangents {
  readonly #terms = new Map<string, string>();
  readonly #builder: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  add(value: string, term: string): void {
    const before = this.#terms.get(value);
    this.#terms.set(value, before === undefined ? term : this.#builder.op('Add', [before, term]));
  }

  sum(value: string): string | undefined {
    return this.#terms.get(value);
  }
}
