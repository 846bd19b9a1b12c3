/** A converter without a VAE: means of 8 x 8 pixels as the latent. Fast and deterministic, for tests of everything around it. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { encodeContainer, PNG_ENCODER_PROFILE, readPngChunks } from '../../../codec/index.js';
import type { ConvertedObject, ObjectConverter, SourcePicture, UnconvertedObject } from '../object-converter.js';

const FACTOR = 8;

export class PoolingConverter implements ObjectConverter {
  conversions = 0;

  /** @param refuse pictures narrower than this stay verbatim */
  constructor(private readonly refuse = 0) {}

  async convert({ png, userMetadata, sidecar }: SourcePicture): Promise<ConvertedObject | UnconvertedObject> {
    this.conversions += 1;
    const { width, height } = readPngChunks(png);
    if (width < this.refuse) return { kind: 'verbatim', reason: 'under-floor', detail: 'Too narrow.', psnr: 20 };
    const [columns, rows] = [Math.ceil(width / FACTOR), Math.ceil(height / FACTOR)];
    const means = await sharp(png).removeAlpha().resize(columns, rows, { fit: 'fill' }).raw().toBuffer();
    const data = new Float32Array(3 * rows * columns);
    for (let i = 0; i < rows * columns; i++)
      for (let c = 0; c < 3; c++) data[c * rows * columns + i] = (means[i * 3 + c] ?? 0) / 255;
    const container = encodeContainer({
      model: 'pooling',
      tensor: { dtype: 'f32', shape: [3, rows, columns], data: new Uint8Array(data.buffer) },
      width,
      height,
      scaled: true,
      origin: { kind: 'encoded', psnr: 40, ssim: 0.99 },
      pngChunks: { beforeIdat: [], afterIdat: [] },
    });
    const md5 = createHash('md5').update(png).digest('hex');
    return {
      kind: 'latent',
      container,
      facts: {
        model: 'pooling',
        width,
        height,
        tensor: `f32:3x${rows}x${columns}`,
        contentId: md5,
        metadataInContainer: false,
        render: {
          size: png.byteLength,
          md5,
          crc64nvme: 'AAAAAAAAAAA=',
          decoderClass: 'none',
          pngProfile: PNG_ENCODER_PROFILE,
        },
      },
      userMetadata,
      psnr: 40,
      ssim: 0.99,
      png,
      usedSidecar: sidecar !== undefined,
    };
  }
}
