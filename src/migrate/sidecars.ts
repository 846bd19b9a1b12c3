/** Latent files that lie beside their pictures: `x.latent`, `x.npy` or `x.safetensors` beside `x.png`. */
import type { ObjectStore } from '../../s3-api/index.js';
import { readAll } from '../latents/read-all.js';

const EXTENSIONS = ['.latent', '.safetensors', '.npy'] as const;
/** Siblings of a picture that one request shows; files of one name and many extensions are rare. */
const MAX_SIBLINGS = 32;

export class SidecarFinder {
  /** @param maxBytes larger files are no latents */
  constructor(
    private readonly store: ObjectStore,
    private readonly bucket: string,
    private readonly maxBytes: number,
  ) {}

  /** One LIST request, and one GET where there is something. */
  async find(
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly key: string; readonly bytes: Uint8Array } | undefined> {
    const stem = key.replace(/\.[^./]*$/, '');
    const siblings = await this.store.listObjects(this.bucket, { prefix: `${stem}.`, maxKeys: MAX_SIBLINGS }, signal);
    const there = new Map(siblings.objects.map((object) => [object.key, object.size]));
    const sidecar = EXTENSIONS.map((extension) => stem + extension).find((name) => {
      const size = there.get(name);
      return size !== undefined && size <= this.maxBytes;
    });
    if (sidecar === undefined) return undefined;
    return {
      key: sidecar,
      bytes: await readAll(await this.store.getObject(this.bucket, sidecar, {}, signal), this.maxBytes),
    };
  }
}
