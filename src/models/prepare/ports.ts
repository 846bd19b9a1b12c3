/** Finds and checks the one input and the one output of an exported encoder or decoder. */
import { ModelError } from '../model-error.js';
import { ELEMENT_TYPE, type Dimension, type OnnxModel, type OnnxValue } from '../onnx/model.js';

/** Clip, Round and friends take their present form from operator set 11 on. */
const MIN_OPSET = 11;

export interface ImagePort {
  readonly name: string;
  readonly elementType: typeof ELEMENT_TYPE.float32 | typeof ELEMENT_TYPE.float16;
  readonly batch: Dimension;
  readonly channels: Dimension;
  readonly height: Dimension;
  readonly width: Dimension;
}

/**
 * The input and output that carry `[B, C, H, W]` floats.
 * @param outputNames in order of preference, where a graph has several outputs.
 * @throws ModelError `shape-mismatch` or `unsupported`.
 */
export function imagePorts(
  path: string,
  model: OnnxModel,
  outputNames: readonly string[],
): { readonly input: ImagePort; readonly output: ImagePort } {
  const opset = model.opsets.get('') ?? 0;
  if (opset < MIN_OPSET) {
    throw new ModelError('unsupported', path, `operator set ${opset}; export it again with ${MIN_OPSET} or newer`);
  }
  const { inputs, outputs } = model.graph;
  const input = inputs[0];
  if (input === undefined || inputs.length !== 1) {
    const names = inputs.map((value) => value.name).join(', ');
    throw new ModelError('shape-mismatch', path, `needs exactly one input and has ${inputs.length} (${names})`);
  }
  const output =
    outputs.length === 1 ? outputs[0] : outputNames.map((name) => outputs.find((it) => it.name === name)).find(Boolean);
  if (output === undefined) {
    const names = outputs.map((value) => value.name).join(', ');
    throw new ModelError('shape-mismatch', path, `none of its outputs (${names}) is ${outputNames.join(' or ')}`);
  }
  return { input: port(path, input, 'input'), output: port(path, output, 'output') };
}

function port(path: string, value: OnnxValue, role: string): ImagePort {
  const { name, elementType, shape } = value;
  if (elementType !== ELEMENT_TYPE.float32 && elementType !== ELEMENT_TYPE.float16) {
    throw new ModelError(
      'unsupported',
      path,
      `${role} "${name}" has element type ${elementType}; float32 or float16 fit`,
    );
  }
  if (shape !== undefined && shape.length !== 4) {
    throw new ModelError('shape-mismatch', path, `${role} "${name}" has ${shape.length} dimensions; [B, C, H, W] fits`);
  }
  const [batch, channels, height, width] = shape ?? [];
  return { name, elementType, batch, channels, height, width };
}

/** @throws ModelError `shape-mismatch` where a stated channel count is another. */
export function expectChannels(path: string, port: ImagePort, expected: readonly number[], hint: string): void {
  if (typeof port.channels !== 'number' || expected.includes(port.channels)) return;
  throw new ModelError(
    'shape-mismatch',
    path,
    `"${port.name}" has ${port.channels} channels where ${expected.join(' or ')} fit: ${hint}`,
  );
}

export function isFixed(port: ImagePort): port is ImagePort & { height: number; width: number } {
  return typeof port.height === 'number' && typeof port.width === 'number';
}
