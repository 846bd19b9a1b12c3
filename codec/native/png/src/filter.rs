//! PNG row filters (PNG third edition, 9.2) and the choice among them.

/// Rows of one strip, with the row above it.
pub struct Rows<'a> {
    /// `row_bytes` of the row above (zeros above the picture), then the rows of the strip without gaps.
    pub pixels: &'a [u8],
    pub row_bytes: usize,
    /// Bytes of a pixel: 3 or 4.
    pub pixel_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The filter with the least sum of absolute residuals, row by row.
    Adaptive,
    /// The same filter everywhere, by its number in the standard.
    Fixed(u8),
}

/// Scratch for the candidates of one row.
#[derive(Default)]
pub struct Filters {
    /// A pixel of zeros, the row above; a pixel of zeros, the row; room for a whole vector behind each.
    above: Vec<u8>,
    current: Vec<u8>,
    candidates: [Vec<u8>; 5],
}

const MARGIN: usize = 16;

impl Filters {
    /// Filters all rows into `out`, each behind the number of its filter.
    pub fn run(&mut self, rows: &Rows, choice: Choice, out: &mut Vec<u8>) {
        let row_bytes = rows.row_bytes;
        let padded = row_bytes.next_multiple_of(16);
        for buffer in [&mut self.above, &mut self.current] {
            buffer.clear();
            buffer.resize(MARGIN + padded, 0);
        }
        for candidate in &mut self.candidates {
            candidate.resize(padded, 0);
        }
        let (first, rest) = rows.pixels.split_at(row_bytes);
        self.above[MARGIN..MARGIN + row_bytes].copy_from_slice(first);
        out.clear();
        out.reserve(rest.len() + rest.len() / row_bytes);
        for row in rest.chunks_exact(row_bytes) {
            self.current[MARGIN..MARGIN + row_bytes].copy_from_slice(row);
            let filter = match choice {
                Choice::Fixed(filter) => {
                    self.apply(rows.pixel_bytes, padded);
                    filter as usize
                }
                Choice::Adaptive => {
                    let scores = self.apply(rows.pixel_bytes, padded);
                    // Later filters win only when strictly better, as the earlier ones are cheaper to undo.
                    (1..5).fold(0, |best, i| if scores[i] < scores[best] { i } else { best })
                }
            };
            out.push(filter as u8);
            out.extend_from_slice(&self.candidates[filter][..row_bytes]);
            core::mem::swap(&mut self.above, &mut self.current);
        }
    }

    /// Computes every candidate of the current row, and the sum of absolute residuals of each.
    #[cfg(target_arch = "wasm32")]
    fn apply(&mut self, pixel_bytes: usize, padded: usize) -> [u32; 5] {
        use core::arch::wasm32::*;
        let mut totals = [u32x4_splat(0); 5];
        let [none, sub, up, average, paeth] = &mut self.candidates;
        let (current, above) = (
            &self.current[..MARGIN + padded],
            &self.above[..MARGIN + padded],
        );
        let outputs = [
            &mut none[..padded],
            &mut sub[..padded],
            &mut up[..padded],
            &mut average[..padded],
            &mut paeth[..padded],
        ];
        for at in (0..padded).step_by(16) {
            // SAFETY: each buffer holds MARGIN + padded bytes, or padded for the outputs, and pixel_bytes <= MARGIN.
            unsafe {
                let x = v128_load(current.as_ptr().add(MARGIN + at).cast());
                let a = v128_load(current.as_ptr().add(MARGIN + at - pixel_bytes).cast());
                let b = v128_load(above.as_ptr().add(MARGIN + at).cast());
                let c = v128_load(above.as_ptr().add(MARGIN + at - pixel_bytes).cast());
                let residuals = [
                    x,
                    u8x16_sub(x, a),
                    u8x16_sub(x, b),
                    u8x16_sub(x, floor_average(a, b)),
                    u8x16_sub(x, predict_paeth(a, b, c)),
                ];
                for i in 0..5 {
                    v128_store(outputs[i].as_ptr().add(at).cast_mut().cast(), residuals[i]);
                    let pairs = u16x8_extadd_pairwise_u8x16(i8x16_abs(residuals[i]));
                    totals[i] = u32x4_add(totals[i], u32x4_extadd_pairwise_u16x8(pairs));
                }
            }
        }
        totals.map(|v| {
            u32x4_extract_lane::<0>(v)
                + u32x4_extract_lane::<1>(v)
                + u32x4_extract_lane::<2>(v)
                + u32x4_extract_lane::<3>(v)
        })
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn apply(&mut self, pixel_bytes: usize, padded: usize) -> [u32; 5] {
        let mut totals = [0u32; 5];
        for at in 0..padded {
            let x = self.current[MARGIN + at];
            let a = self.current[MARGIN + at - pixel_bytes];
            let b = self.above[MARGIN + at];
            let c = self.above[MARGIN + at - pixel_bytes];
            let average = ((u16::from(a) + u16::from(b)) / 2) as u8;
            for (i, prediction) in [0, a, b, average, predict_paeth(a, b, c)]
                .into_iter()
                .enumerate()
            {
                let residual = x.wrapping_sub(prediction);
                self.candidates[i][at] = residual;
                totals[i] += u32::from((residual as i8).unsigned_abs());
            }
        }
        totals
    }
}

/// WASM has only the average that rounds up; the odd bit of a + b takes the rounding away.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn floor_average(
    a: core::arch::wasm32::v128,
    b: core::arch::wasm32::v128,
) -> core::arch::wasm32::v128 {
    use core::arch::wasm32::*;
    u8x16_sub(u8x16_avgr(a, b), v128_and(v128_xor(a, b), u8x16_splat(1)))
}

/// Paeth without widening. With p = a + b - c the distances are |b-c|, |a-c| and |(a-c) + (b-c)|. Where both differences
/// have one sign, the last is at least each of the others and so never chosen; else it is the difference of the two.
#[cfg(target_arch = "wasm32")]
#[inline(always)]
fn predict_paeth(
    a: core::arch::wasm32::v128,
    b: core::arch::wasm32::v128,
    c: core::arch::wasm32::v128,
) -> core::arch::wasm32::v128 {
    use core::arch::wasm32::*;
    let distance = |x, y| v128_or(u8x16_sub_sat(x, y), u8x16_sub_sat(y, x));
    let to_a = distance(b, c);
    let to_b = distance(a, c);
    let opposite = v128_xor(u8x16_ge(a, c), u8x16_ge(b, c));
    let to_c = v128_or(distance(to_a, to_b), v128_not(opposite));
    let least = u8x16_min(to_a, u8x16_min(to_b, to_c));
    v128_bitselect(
        a,
        v128_bitselect(b, c, u8x16_eq(to_b, least)),
        u8x16_eq(to_a, least),
    )
}

#[cfg(not(target_arch = "wasm32"))]
fn predict_paeth(a: u8, b: u8, c: u8) -> u8 {
    let p = i16::from(a) + i16::from(b) - i16::from(c);
    let distance = |x: u8| (p - i16::from(x)).abs();
    let (to_a, to_b, to_c) = (distance(a), distance(b), distance(c));
    if to_a <= to_b && to_a <= to_c {
        a
    } else if to_b <= to_c {
        b
    } else {
        c
    }
}
