/** A stored object's body as one piece of memory. */
import type { ObjectContent } from '../../s3-api/index.js';

/**
 * @param limit bytes; a longer body is not read
 * @throws Error where the body is longer than the limit
 */
export async function readAll(content: Pick<ObjectContent, 'body' | 'info'>, limit: number): Promise<Uint8Array> {
  const { body, info } = content;
  if (body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > limit) {
      body.destroy();
      throw new Error(`the stored object ${info.key} has more than the ${limit} bytes that a container may have`);
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length);
}
