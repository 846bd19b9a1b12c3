/** Appends nodes and constants to a graph under names that clash with nobody's. */
import { type Attribute, ELEMENT_TYPE, type ElementType, type OnnxNode, type OnnxTensor } from './model.js';

/** Attribute values as a node's documentation writes them. */
export type AttributeValues = Readonly<Record<string, Attribute>>;

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const ints = (...value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const text = (value: string): Attribute => ({ kind: 'string', value });

/** Little-endian bytes of a typed array, as a view: Node runs on little-endian machines only. */
export function bytesOf(array: Float32Array | BigInt64Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #known = new Map<string, string>();
  #count = 0;

  /** @param scope starts every name that is made here; no name of the graph at hand may start with it. */
  constructor(readonly scope: string) {}

  /** A name that nothing else has. */
  fresh(hint: string): string {
    this.#count += 1;
    return `${this.scope}/${hint}_${this.#count}`;
  }

  /** Appends a node with one output and returns that output's name. */
  op(opType: string, inputs: readonly string[], attributes: AttributeValues = {}, output?: string): string {
    const name = output ?? this.fresh(opType);
    this.nodes.push({
      opType,
      domain: '',
      name: `${this.scope}:${name}`,
      inputs,
      outputs: [name],
      attributes: new Map(Object.entries(attributes)),
    });
    return name;
  }

  /** A 1-D int64 constant (shapes, axes, sizes); equal ones are shared. */
  integers(values: readonly number[]): string {
    return this.#shared(`i64[${values.join()}]`, () => ({
      elementType: ELEMENT_TYPE.int64,
      dims: [values.length],
      bytes: bytesOf(BigInt64Array.from(values, (value) => BigInt(value))),
    }));
  }

  /** A float32 constant; equal ones are shared. */
  floats(values: readonly number[], dims: readonly number[]): string {
    return this.#shared(`f32[${dims.join()}][${values.join()}]`, () => ({
      elementType: ELEMENT_TYPE.float32,
      dims,
      bytes: bytesOf(Float32Array.from(values)),
    }));
  }

  /** A scalar constant of the element type that its operand has. */
  scalar(value: number, elementType: ElementType = ELEMENT_TYPE.float32): string {
    const name = this.floats([value], []);
    return elementType === ELEMENT_TYPE.float32 ? name : this.cast(name, elementType);
  }

  /** Adds a tensor of weights under its own name. */
  weight(tensor: OnnxTensor): string {
    this.initializers.push(tensor);
    return tensor.name;
  }

  cast(input: string, to: number, output?: string): string {
    return this.op('Cast', [input], { to: int(to) }, output);
  }

  #shared(key: string, make: () => { elementType: ElementType; dims: readonly number[]; bytes: Uint8Array }): string {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { elementType, dims, bytes } = make();
    const name = this.fresh('constant');
    this.initializers.push({ name, elementType, dims, data: { kind: 'memory', bytes } });
    this.#known.set(key, name);
    return name;
  }
}
