/** The layers that VAEs are made of, as nodes of an ONNX graph. Values are NCHW. */
import { bytesOf, float, GraphBuilder, ints, text } from '../onnx/graph-builder.js';
import { ELEMENT_TYPE, type OnnxModel, type OnnxTensor } from '../onnx/model.js';
import type { WeightSource } from '../weights/weight-source.js';

/** Every runtime of the last years has it: onnxruntime's cpu and webgpu, TensorRT 8.6 and later. */
const OPSET = 18;
const IR_VERSION = 8;
const SCOPE = 'vae';

export type GraphPrecision = 'f32' | 'f16';

/** How a convolution moves: same size with odd kernels by default. */
export interface ConvolutionForm {
  readonly kernel: number;
  readonly stride?: number;
  /** top, left, bottom, right */
  readonly pads?: readonly [number, number, number, number];
  readonly bias?: boolean;
}

/** Writes layers; each method takes and returns names of values. */
export class LayerWriter {
  readonly builder = new GraphBuilder(SCOPE);
  readonly #elementType: typeof ELEMENT_TYPE.float32 | typeof ELEMENT_TYPE.float16;

  constructor(
    readonly weights: WeightSource,
    precision: GraphPrecision,
  ) {
    this.#elementType = precision === 'f32' ? ELEMENT_TYPE.float32 : ELEMENT_TYPE.float16;
  }

  /**
   * Weights in the graph's precision. Half-precision files keep their size in float32 graphs: the runtime folds the
   * cast when it opens a session.
   */
  parameter(name: string, dims: readonly number[], view?: readonly number[]): string {
    const tensor = this.weights.tensor(name, dims, view);
    this.builder.weight(tensor);
    return tensor.elementType === this.#elementType ? name : this.builder.cast(name, this.#elementType);
  }

  scalar(value: number): string {
    return this.builder.scalar(value, this.#elementType);
  }

  conv(x: string, name: string, inputs: number, outputs: number, form: ConvolutionForm): string {
    const { kernel, stride = 1, bias = true } = form;
    const around = (kernel - 1) / 2;
    const pads = form.pads ?? [around, around, around, around];
    const operands = [x, this.parameter(`${name}.weight`, [outputs, inputs, kernel, kernel])];
    if (bias) operands.push(this.parameter(`${name}.bias`, [outputs]));
    return this.builder.op('Conv', operands, {
      kernel_shape: ints(kernel, kernel),
      strides: ints(stride, stride),
      pads: ints(...pads),
    });
  }

  relu(x: string): string {
    return this.builder.op('Relu', [x]);
  }

  /** x·σ(x) */
  silu(x: string): string {
    return this.mul(x, this.builder.op('Sigmoid', [x]));
  }

  add(a: string, b: string): string {
    return this.builder.op('Add', [a, b]);
  }

  mul(a: string, b: string): string {
    return this.builder.op('Mul', [a, b]);
  }

  /**
   * GroupNorm as an instance normalisation of each group's values, then the channels' scale and shift. On onnxruntime's
   * CPU this took 64 ms where the operator GroupNormalization took 131 ms (`[1, 128, 256, 256]`, 32 groups, 2 threads).
   */
  groupNorm(x: string, name: string, channels: number, groups: number, epsilon: number): string {
    const { builder } = this;
    const grouped = builder.op('Reshape', [x, builder.integers([0, groups, -1])]);
    const one = this.#filled(groups, 1);
    const zero = this.#filled(groups, 0);
    const normal = builder.op('InstanceNormalization', [grouped, one, zero], { epsilon: float(epsilon) });
    const back = builder.op('Reshape', [normal, builder.op('Shape', [x])]);
    const scale = this.parameter(`${name}.weight`, [channels], [channels, 1, 1]);
    const shift = this.parameter(`${name}.bias`, [channels], [channels, 1, 1]);
    return this.add(this.mul(back, scale), shift);
  }

  /** Every cell becomes 2×2 equal ones. */
  upsample(x: string): string {
    return this.builder.op('Resize', [x, '', this.builder.floats([1, 1, 2, 2], [4])], {
      mode: text('nearest'),
      coordinate_transformation_mode: text('asymmetric'),
      nearest_mode: text('floor'),
    });
  }

  /** `[B, C, H, W]` to `[B, C, H·W]`. */
  flatten(x: string): string {
    return this.builder.op('Reshape', [x, this.builder.integers([0, 0, -1])]);
  }

  /** `[B, M, N]` to `[B, N, M]`. */
  swap(x: string): string {
    return this.builder.op('Transpose', [x], { perm: ints(0, 2, 1) });
  }

  /** The finished graph of one input and one output, both images. */
  finish(
    input: { name: string; channels: number },
    output: { name: string; value: string; channels: number },
  ): OnnxModel {
    this.builder.op('Identity', [output.value], {}, output.name);
    const shape = (channels: number, side: string): (string | number)[] => [
      'batch',
      channels,
      `${side}_h`,
      `${side}_w`,
    ];
    return {
      irVersion: IR_VERSION,
      opsets: new Map([['', OPSET]]),
      graph: {
        name: output.name,
        nodes: this.builder.nodes,
        initializers: this.builder.initializers,
        inputs: [{ name: input.name, elementType: this.#elementType, shape: shape(input.channels, 'in') }],
        outputs: [{ name: output.name, elementType: this.#elementType, shape: shape(output.channels, 'out') }],
      },
    };
  }

  #filled(count: number, value: number): string {
    const name = `${SCOPE}/filled_${count}_${value}`;
    if (!this.builder.initializers.some((tensor) => tensor.name === name)) {
      const bytes = bytesOf(new Float32Array(count).fill(value));
      const tensor: OnnxTensor = {
        name,
        elementType: ELEMENT_TYPE.float32,
        dims: [count],
        data: { kind: 'memory', bytes },
      };
      this.builder.weight(tensor);
    }
    return this.#elementType === ELEMENT_TYPE.float32 ? name : this.builder.cast(name, this.#elementType);
  }
}

/** Names of diffusers' ONNX layout. */
export const EXPORT_NAMES = { latent: 'latent_sample', sample: 'sample', parameters: 'latent_parameters' } as const;
