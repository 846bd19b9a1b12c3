/** What the gradient rules know of the graph that they differentiate. */
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { ints } from '../onnx/graph-builder.js';
import {
  type Attribute,
  ELEMENT_TYPE,
  type ElementType,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx/model.js';

/** Thrown inside differentiation where a graph has no gradient that we can write; never leaves the folder. */
export class NotDifferentiable extends Error {
  override readonly name = 'NotDifferentiable';
}

interface ValueFacts {
  readonly rank: number;
  readonly elementType: ElementType;
}

const IMAGE_RANK = 4;
/** From this operator set on, reductions take their axes as an input (ONNX changelog, ReduceMean-18). */
const REDUCE_AXES_INPUT_OPSET = 18;

/** Facts on the values that depend on the graph's input, and helpers that rules share. */
export class GradientContext {
  readonly #facts = new Map<string, ValueFacts>();
  readonly #constants = new Map<string, OnnxTensor>();
  readonly #producers = new Map<string, OnnxNode>();
  readonly #opset: number;

  constructor(
    model: OnnxModel,
    readonly builder: GraphBuilder,
  ) {
    this.#opset = model.opsets.get('') ?? 0;
    for (const tensor of model.graph.initializers) this.#constants.set(tensor.name, tensor);
    const [input] = model.graph.inputs;
    if (input === undefined) throw new NotDifferentiable('the graph has no input');
    this.#facts.set(input.name, {
      rank: IMAGE_RANK,
      elementType: input.elementType === ELEMENT_TYPE.float16 ? ELEMENT_TYPE.float16 : ELEMENT_TYPE.float32,
    });
    for (const node of model.graph.nodes) this.#visit(node);
  }

  /** Whether a value depends on the graph's input through floating point operators. */
  isActive(name: string): boolean {
    return this.#facts.has(name);
  }

  facts(name: string): ValueFacts {
    const facts = this.#facts.get(name);
    if (facts === undefined) throw new NotDifferentiable(`${name} is not a function of the input`);
    return facts;
  }

  /** The tensor behind a name, through Identity and Cast; undefined where it is computed. */
  constant(name: string | undefined): OnnxTensor | undefined {
    if (name === undefined) return undefined;
    const known = this.#constants.get(name);
    if (known !== undefined) return known;
    const node = this.#producers.get(name);
    if (node?.opType === 'Cast' || node?.opType === 'Identity') return this.constant(node.inputs[0]);
    return undefined;
  }

  producer(name: string): OnnxNode | undefined {
    return this.#producers.get(name);
  }

  /** @throws NotDifferentiable where a constant has more dimensions than the activation that it meets. */
  refuseWider(constant: string, active: string): void {
    const dims = this.constant(constant)?.dims ?? [];
    if (dims.length > this.facts(active).rank)
      throw new NotDifferentiable(`${active} is broadcast to ${dims.join('×')}`);
  }

  /** A scalar constant in the element type of `like`. */
  scalar(value: number, like: string): string {
    return this.builder.scalar(value, this.facts(like).elementType);
  }

  /** Sum or mean over axes, which stay with size 1. */
  reduce(opType: 'ReduceSum' | 'ReduceMean', value: string, axes: readonly number[]): string {
    const byInput = opType === 'ReduceSum' || this.#opset >= REDUCE_AXES_INPUT_OPSET;
    return byInput
      ? this.builder.op(opType, [value, this.builder.integers(axes)])
      : this.builder.op(opType, [value], { axes: ints(...axes) });
  }

  #visit(node: OnnxNode): void {
    for (const output of node.outputs) this.#producers.set(output, node);
    if (node.opType === 'Constant') {
      const value = node.attributes.get('value');
      const [output] = node.outputs;
      if (value?.kind === 'tensor' && output !== undefined) this.#constants.set(output, value.value);
      return;
    }
    if (node.opType === 'Shape' || node.opType === 'Size') return;
    const source = node.inputs.find((input) => this.#facts.has(input));
    const [output] = node.outputs;
    if (source === undefined || output === undefined) return;
    const { rank, elementType } = this.facts(source);
    this.#facts.set(output, { rank: this.#rankAfter(node, rank), elementType: elementTypeAfter(node, elementType) });
  }

  #rankAfter(node: OnnxNode, rank: number): number {
    if (node.opType !== 'Reshape') return rank;
    const shape = this.constant(node.inputs[1]);
    if (shape !== undefined) return shape.dims[0] ?? 0;
    const producer = this.#producers.get(node.inputs[1] ?? '');
    const original = producer?.opType === 'Shape' ? this.#facts.get(producer.inputs[0] ?? '') : undefined;
    return original?.rank ?? IMAGE_RANK;
  }
}

function elementTypeAfter(node: OnnxNode, before: ElementType): ElementType {
  if (node.opType !== 'Cast') return before;
  const to = attributeInt(node, 'to', 0);
  if (to !== ELEMENT_TYPE.float32 && to !== ELEMENT_TYPE.float16) {
    throw new NotDifferentiable(`${node.name} casts to element type ${to}`);
  }
  return to;
}

/** An integer attribute, or its default. */
export function attributeInt(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : fallback;
}

export function attributeFloat(node: OnnxNode, name: string, fallback: number): number {
  const attribute: Attribute | undefined = node.attributes.get(name);
  return attribute?.kind === 'float' ? attribute.value : fallback;
}

export function attributeInts(node: OnnxNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}

export function attributeText(node: OnnxNode, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : fallback;
}
