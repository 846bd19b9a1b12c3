/** The one error that the readers and decoders of this package throw on bad input. */

export type CodecFormat = 'npy' | 'safetensors' | 'raw' | 'pickle' | 'container' | 'pcodec' | 'predictive' | 'png';

/** `field` names the part of the input that is wrong (`header.shape`, `chunk IHDR`); `message` says what is wrong and what would be right. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  constructor(
    readonly format: CodecFormat,
    readonly field: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${format}: ${field}: ${problem}`, options);
  }
}
