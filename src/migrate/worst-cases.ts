/** The conversions that came out farthest from their uploads, with pictures, kept over crashes for the report. */
import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { join } from 'node:path';
import sharp from 'sharp';

export interface WorstCase {
  readonly key: string;
  /** dB. */
  readonly psnr: number;
  readonly ssim: number;
  /** WebP files of one size. */
  readonly original: Uint8Array;
  readonly served: Uint8Array;
  /** Absolute differences, times ERROR_GAIN. */
  readonly error: Uint8Array;
}

export interface ComparedPictures {
  readonly key: string;
  readonly psnr: number;
  readonly ssim: number;
  readonly original: Uint8Array;
  readonly served: Uint8Array;
}

/** Pixels of the longer side in the report. */
const SIDE = 480;
const QUALITY = 85;
/** A difference of 16 levels of 255 shows as white. */
export const ERROR_GAIN = 16;

export class WorstCases {
  #cases: readonly WorstCase[];

  private constructor(
    private readonly database: RootDatabase<readonly WorstCase[], string>,
    private readonly count: number,
  ) {
    this.#cases = database.get('worst') ?? [];
  }

  /** @param directory the journal's */
  static open(directory: string, count: number): WorstCases {
    return new WorstCases(open({ path: join(directory, 'worst.lmdb') }), count);
  }

  get cases(): readonly WorstCase[] {
    return this.#cases;
  }

  /** Costs nothing unless the picture is among the worst. Both files are PNGs of one size. */
  async add(pictures: ComparedPictures): Promise<void> {
    const { key, psnr, ssim } = pictures;
    if (!this.#isAmongWorst(psnr)) return;
    const shown = await compare(pictures);
    this.#cases = [...this.#cases.filter((other) => other.key !== key), { key, psnr, ssim, ...shown }]
      .toSorted((a, b) => a.psnr - b.psnr)
      .slice(0, this.count);
    await this.database.put('worst', this.#cases);
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  #isAmongWorst(psnr: number): boolean {
    return this.#cases.length < this.count || psnr < (this.#cases.at(-1)?.psnr ?? -Infinity);
  }
}

async function compare({
  original,
  served,
}: ComparedPictures): Promise<Pick<WorstCase, 'original' | 'served' | 'error'>> {
  const difference = await sharp(original)
    .removeAlpha()
    .composite([{ input: await sharp(served).removeAlpha().png().toBuffer(), blend: 'difference' }])
    .linear(ERROR_GAIN, 0)
    .png()
    .toBuffer();
  const [left, middle, right] = await Promise.all([shrink(original), shrink(served), shrink(difference)]);
  return { original: left, served: middle, error: right };
}

function shrink(picture: Uint8Array): Promise<Buffer> {
  return sharp(picture)
    .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: QUALITY })
    .toBuffer();
}
