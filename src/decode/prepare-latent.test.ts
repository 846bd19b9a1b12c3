import { describe, expect, it } from 'vitest';
import { toFloat16, toFloat32 } from './half-floats.js';
import { prepareLatent } from './prepare-latent.js';

const STATISTICS = { mean: [0.5, -1], std: [2, 0.25] };

describe('preparing a latent', () => {
  it('hands scaled values of the graph’s own type on, bit for bit', () => {
    const data = new Uint8Array(Uint16Array.of(0x3c01, 0xfc00, 0x0001, 0x8000).buffer);
    const latent = prepareLatent({ dtype: 'f16', shape: [2, 1, 2], data }, true, ['f16'], STATISTICS);
    expect(latent).toMatchObject({ channels: 2, height: 1, width: 2 });
    expect(latent.data).toBe(data);
  });

  it('leaves half precision as it is where the device widens it, and widens what needs scaling', () => {
    const data = new Uint8Array(Uint16Array.of(0x3c01, 0x0001).buffer);
    const tensor = { dtype: 'f16', shape: [2, 1, 1], data } as const;
    const asStored = prepareLatent(tensor, true, ['f32', 'f16'], STATISTICS);
    expect([asStored.precision, asStored.data]).toEqual(['f16', data]);
    expect(prepareLatent(tensor, false, ['f32', 'f16'], STATISTICS).precision).toBe('f32');
  });

  it('scales values of the VAE’s own space channel by channel', () => {
    const data = new Uint8Array(Float32Array.of(0.5, 4.5, -1, 0).buffer);
    const latent = prepareLatent({ dtype: 'f32', shape: [2, 1, 2], data }, false, ['f32'], STATISTICS);
    expect(Array.from(new Float32Array(latent.data.buffer))).toEqual([0, 2, 0, 4]);
  });

  it('widens bf16 exactly and narrows f32 with rounding', () => {
    const bf16 = new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer);
    expect(
      Array.from(
        new Float32Array(
          prepareLatent({ dtype: 'bf16', shape: [2, 1, 1], data: bf16 }, true, ['f32'], STATISTICS).data.buffer,
        ),
      ),
    ).toEqual([1, -3.140625]);
    const f32 = Float32Array.of(0.1, -3.3);
    const half = prepareLatent(
      { dtype: 'f32', shape: [2, 1, 1], data: new Uint8Array(f32.buffer) },
      true,
      ['f16'],
      STATISTICS,
    );
    expect(Array.from(toFloat32(half.data, 'f16'))).toEqual(
      Array.from(toFloat32(new Uint8Array(toFloat16(f32).buffer), 'f16')),
    );
  });

  it('copies a view of a larger buffer, so that the result can be transferred', () => {
    const whole = new Uint8Array(12);
    const latent = prepareLatent(
      { dtype: 'f16', shape: [2, 1, 1], data: whole.subarray(4, 8) },
      true,
      ['f16'],
      STATISTICS,
    );
    expect(latent.data.buffer.byteLength).toBe(4);
  });

  it('refuses a tensor of other axes or channels than the model’s', () => {
    const data = new Uint8Array(12);
    expect(() => prepareLatent({ dtype: 'f16', shape: [6], data }, true, ['f16'], STATISTICS)).toThrow('[C, h, w]');
    expect(() => prepareLatent({ dtype: 'f16', shape: [3, 1, 2], data }, true, ['f16'], STATISTICS)).toThrow(
      '2 latent channels, the tensor 3',
    );
  });
});
