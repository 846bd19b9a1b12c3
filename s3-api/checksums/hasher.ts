/** One digest over bytes that come in pieces. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Big-endian bytes, as S3 encodes them in base64. Final: no update may follow. */
  digest(): Buffer;
}
