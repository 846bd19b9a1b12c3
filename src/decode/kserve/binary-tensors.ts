/**
 * Requests and answers of the KServe v2 protocol's binary tensor extension: a JSON header, whose length an HTTP header
 * tells, and the tensors' little-endian bytes behind it.
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
import { z } from 'zod';
import { InferenceFailure } from '../errors.js';
import type { ElementType, HostTensor } from '../inference/tensors.js';
import { tensorBytes } from '../inference/tensors.js';

/** Name of the HTTP header with the JSON part's length. */
export const HEADER_LENGTH_FIELD = 'inference-header-content-length';

const TYPES = { FP32: 'float32', FP16: 'float16', UINT8: 'uint8' } as const satisfies Record<string, ElementType>;
const NAMES: Readonly<Record<ElementType, keyof typeof TYPES>> = { float32: 'FP32', float16: 'FP16', uint8: 'UINT8' };

/** Our element type for a KServe datatype; undefined for one that no graph of ours uses. */
export function elementTypeOf(datatype: string): ElementType | undefined {
  return Object.hasOwn(TYPES, datatype) ? TYPES[datatype as keyof typeof TYPES] : undefined;
}

/** The body of an inference request with one input, asking for one binary output; and the length of its JSON part. */
export function encodeInferRequest(
  inputName: string,
  input: HostTensor,
  outputName: string,
): { body: Buffer; headerLength: number } {
  const header = Buffer.from(
    JSON.stringify({
      inputs: [
        {
          name: inputName,
          shape: input.dims,
          datatype: NAMES[input.type],
          parameters: { binary_data_size: input.data.byteLength },
        },
      ],
      outputs: [{ name: outputName, parameters: { binary_data: true } }],
    }),
  );
  return { body: Buffer.concat([header, input.data]), headerLength: header.byteLength };
}

const output = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  datatype: z.string(),
  parameters: z.object({ binary_data_size: z.number().int().nonnegative().nullish() }).nullish(),
  data: z.array(z.unknown()).nullish(),
});
const answerSchema = z.object({ outputs: z.array(output).min(1) });

/**
 * The named output of an answer. Servers may answer small UINT8 tensors as JSON numbers even when asked for binary.
 * @param headerLength value of the length header; absent when the whole body is JSON
 * @throws InferenceFailure when the answer is not what the protocol says
 */
export function decodeInferResponse(
  body: Uint8Array<ArrayBuffer>,
  headerLength: number | undefined,
  outputName: string,
): HostTensor {
  const jsonBytes = headerLength ?? body.byteLength;
  if (!(jsonBytes >= 0 && jsonBytes <= body.byteLength))
    throw new InferenceFailure(`the answer's header of ${jsonBytes} bytes is longer than its body`);
  const parsed = answerSchema.safeParse(parseJson(Buffer.from(body.buffer, body.byteOffset, jsonBytes).toString()));
  if (!parsed.success)
    throw new InferenceFailure(`the answer is no inference response: ${z.prettifyError(parsed.error)}`);
  let at = jsonBytes;
  for (const { name, shape, datatype, parameters, data } of parsed.data.outputs) {
    const size = parameters?.binary_data_size ?? 0;
    if (name === outputName) {
      const type = elementTypeOf(datatype);
      if (type === undefined) throw new InferenceFailure(`the output "${name}" is ${datatype}`);
      const bytes = data === undefined || data === null ? body.slice(at, at + size) : fromNumbers(data, type);
      if (bytes.byteLength !== tensorBytes(type, shape))
        throw new InferenceFailure(
          `the output "${name}" has ${bytes.byteLength} bytes for ${datatype} [${shape.join(', ')}]`,
        );
      return { type, dims: shape, data: bytes };
    }
    at += size;
  }
  throw new InferenceFailure(`the answer has no output "${outputName}"`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InferenceFailure('the answer is not JSON', { cause });
  }
}

function fromNumbers(data: readonly unknown[], type: ElementType): Uint8Array<ArrayBuffer> {
  if (type !== 'uint8') throw new InferenceFailure(`${type} came as JSON numbers`);
  return Uint8Array.from(data.flat(Infinity), Number);
}
