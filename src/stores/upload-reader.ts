/** Looks at the start of an upload without losing it, and collects small uploads whole. */
import { Readable } from 'node:stream';

/** An upload whose first bytes are known; `rest` still yields every byte, from the first. */
export class PeekedUpload {
  private constructor(
    /** The first `wanted` bytes, fewer where the upload is shorter. */
    readonly head: Uint8Array,
    readonly rest: Readable,
  ) {}

  /** @throws what the upload's stream errors with */
  static async of(upload: Readable, wanted: number): Promise<PeekedUpload> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const iterator = upload.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
    while (length < wanted) {
      const next = await iterator.next();
      if (next.done) break;
      chunks.push(next.value);
      length += next.value.byteLength;
    }
    await iterator.return?.();
    const head = Buffer.concat(chunks, length);
    return new PeekedUpload(head.subarray(0, wanted), joined(chunks, upload));
  }
}

/** The whole upload where it has at most `limit` bytes; otherwise a stream of all of it. */
export async function collect(upload: Readable, limit: number): Promise<Uint8Array | Readable> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const iterator = upload.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  for (;;) {
    const next = await iterator.next();
    if (next.done) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length);
    chunks.push(next.value);
    length += next.value.byteLength;
    if (length > limit) {
      await iterator.return?.();
      return joined(chunks, upload);
    }
  }
}

/** A stream of bytes that are in memory. */
export function bytesAsStream(bytes: Uint8Array): Readable {
  return Readable.from([bytes], { objectMode: false });
}

/** The chunks already taken, then what the upload still has; an error of the upload is the stream's own. */
function joined(taken: readonly Uint8Array[], upload: Readable): Readable {
  return Readable.from(
    (async function* () {
      yield* taken;
      if (!upload.readableEnded) yield* upload as AsyncIterable<Uint8Array>;
    })(),
    { objectMode: false },
  );
}
