import { describe, expect, it } from 'vitest';
import { psnr, ssim } from './fidelity.js';

/** Two pictures that a script in any language can make again. */
function pictures(width: number, height: number): { readonly a: Uint8Array; readonly b: Uint8Array } {
  const a = new Uint8Array(width * height * 3);
  const b = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const i = (y * width + x) * 3 + c;
        a[i] = (7 * x + 13 * y + 50 * c + ((x * y) % 31)) % 256;
        b[i] = Math.min(255, (a[i] ?? 0) + ((x * 5 + y * 3 + c) % 9));
      }
    }
  }
  return { a, b };
}

describe('PSNR and SSIM', () => {
  it('agree with scikit-image', () => {
    const { a, b } = pictures(37, 29);
    expect(psnr(a, b)).toBeCloseTo(SCIKIT.psnr, 9);
    expect(ssim(a, b, 37, 29)).toBeCloseTo(SCIKIT.ssim, 9);
  });

  it('are perfect for equal pictures', () => {
    const { a } = pictures(16, 11);
    expect(psnr(a, a)).toBe(Infinity);
    expect(ssim(a, a, 16, 11)).toBeCloseTo(1, 12);
  });

  it('refuse pictures that do not match', () => {
    expect(() => psnr(new Uint8Array(3), new Uint8Array(6))).toThrow(RangeError);
    expect(() => ssim(new Uint8Array(300), new Uint8Array(300), 10, 10)).toThrow(/11/);
  });
});

/** `peak_signal_noise_ratio` and `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)`. */
const SCIKIT = { psnr: 34.66373831765662, ssim: 0.9955712390741427 };
