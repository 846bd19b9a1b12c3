/** ETags as S3 makes them from content: the MD5, or for multipart uploads the MD5 of the parts' MD5s and their number. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** @param md5s - Lower-case hex, one a part, in order. */
export function multipartEtag(md5s: readonly string[]): string {
  const hash = createHash('md5');
  for (const md5 of md5s) hash.update(md5, 'hex');
  return `${hash.digest('hex')}-${md5s.length}`;
}

/** The ETag that the open file's bytes have, cut as the object was uploaded. */
export async function contentEtag(
  handle: FileHandle,
  layout: { readonly size: number; readonly parts?: readonly { readonly size: number }[] },
): Promise<string> {
  const md5s: string[] = [];
  let position = 0;
  for (const { size } of layout.parts ?? [layout]) {
    md5s.push(await md5OfRange(handle, position, size));
    position += size;
  }
  return layout.parts === undefined ? (md5s[0] ?? '') : multipartEtag(md5s);
}

async function md5OfRange(handle: FileHandle, start: number, size: number): Promise<string> {
  const hash = createHash('md5');
  const buffer = Buffer.allocUnsafeSlow(Math.max(1, Math.min(size, 1 << 20)));
  for (let done = 0; done < size;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - done), start + done);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
  return hash.digest('hex');
}
