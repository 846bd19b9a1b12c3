//! What a channel's numbers are predicted from, in integers: the same rows of terms for compressor and decompressor.

use crate::bits::{BitReader, BitWriter};
use crate::float::Layout;
use crate::plane::Plane;

/// Neighbours in the channel itself: left and two to the left are added one number at a time, the others by rows.
pub(crate) const SERIAL_TAPS: usize = 2;
/// Up, up-left, up-right, two up.
pub(crate) const ABOVE_TAPS: [(isize, isize); 4] = [(-1, 0), (-1, -1), (-1, 1), (-2, 0)];
pub(crate) const OWN_TAPS: usize = SERIAL_TAPS + ABOVE_TAPS.len();
/// In an earlier channel: the same place and its four neighbours.
pub(crate) const REFERENCE_TAPS: [(isize, isize); 5] = [(0, 0), (0, -1), (0, 1), (-1, 0), (1, 0)];
pub(crate) const MAX_REFERENCES: usize = 3;
pub(crate) const MAX_TAPS: usize = OWN_TAPS + MAX_REFERENCES * REFERENCE_TAPS.len();

/// Samples are fixed-point values over 2^7, so a sum of coefficients in 1/128 times samples is a fixed-point value.
pub(crate) const SAMPLE_SHIFT: u32 = 7;
/// Kept errors are absolute ones over 2^4.
pub(crate) const ERROR_SHIFT: u32 = 4;
/// Coefficients of the scale are in 1/64.
pub(crate) const SCALE_BITS: u32 = 6;
/// The least scale is a 32nd of the channel's mean error, and never so small that it lacks two bits below the highest.
const LEAST_SCALE_DIVISOR_BITS: u32 = 5;

const GOLOMB_COEFFICIENT: u32 = 4;
const GOLOMB_MEAN: u32 = 8;
const GOLOMB_SHIFT: u32 = 4;
const GOLOMB_ERROR: u32 = 9;
const GOLOMB_REFERENCE: u32 = 2;
/// Coefficients and references stay within these on the way in, so that sums can only wrap, never trap.
const MAX_COEFFICIENT: i32 = (1 << 15) - 1;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Channel {
    /// Left shift from floats to fixed point.
    pub(crate) shift: i32,
    /// Mean of the samples, which are kept without it.
    pub(crate) mean: i32,
    /// Mean of the kept errors: what stands above the first row, and the unit of the scale's constant term.
    pub(crate) error: i32,
    /// Earlier channels, at most `MAX_REFERENCES`.
    pub(crate) references: Vec<usize>,
    /// `OWN_TAPS`, then `REFERENCE_TAPS` for each reference.
    pub(crate) mean_taps: Vec<i32>,
    pub(crate) scale_constant: i32,
    pub(crate) scale_taps: Vec<i32>,
}

impl Channel {
    pub(crate) fn taps(&self) -> usize {
        OWN_TAPS + self.references.len() * REFERENCE_TAPS.len()
    }

    pub(crate) fn least_scale(&self) -> i32 {
        ((self.error << SCALE_BITS) >> LEAST_SCALE_DIVISOR_BITS).max(4)
    }

    pub(crate) fn write(&self, index: usize, bits: &mut BitWriter) {
        bits.signed_golomb(self.shift, GOLOMB_SHIFT);
        bits.signed_golomb(self.mean, GOLOMB_MEAN);
        bits.golomb(self.error as u32, GOLOMB_ERROR);
        bits.bits(self.references.len() as u32, 2);
        for &reference in &self.references {
            bits.golomb((index - 1 - reference) as u32, GOLOMB_REFERENCE);
        }
        for &tap in &self.mean_taps {
            bits.signed_golomb(tap, GOLOMB_COEFFICIENT);
        }
        bits.signed_golomb(self.scale_constant, GOLOMB_COEFFICIENT);
        for &tap in &self.scale_taps {
            bits.signed_golomb(tap, GOLOMB_COEFFICIENT);
        }
    }

    pub(crate) fn read(index: usize, layout: Layout, bits: &mut BitReader) -> Result<Self, String> {
        let wrong = |field: &str| format!("model: channel {index}: {field}");
        let shift = bits.signed_golomb(GOLOMB_SHIFT)?;
        let mean = bits.signed_golomb(GOLOMB_MEAN)?;
        let error = bits.golomb(GOLOMB_ERROR)?;
        if !layout.shifts().contains(&shift) {
            return Err(wrong("the shift is none of an exponent"));
        }
        if mean.unsigned_abs() >= 1 << 15 || error >= 1 << 15 {
            return Err(wrong("the means are over 32767"));
        }
        let count = bits.bits(2)? as usize;
        let mut references = Vec::with_capacity(MAX_REFERENCES);
        for _ in 0..count {
            let back = bits.golomb(GOLOMB_REFERENCE)? as usize + 1;
            references.push(index.checked_sub(back).ok_or_else(|| wrong("a reference is no earlier channel"))?);
        }
        let mut coefficient = || match bits.signed_golomb(GOLOMB_COEFFICIENT)? {
            tap if tap.abs() <= MAX_COEFFICIENT => Ok(tap),
            _ => Err(wrong("a coefficient is over 32767")),
        };
        let taps = OWN_TAPS + count * REFERENCE_TAPS.len();
        let mean_taps = (0..taps).map(|_| coefficient()).collect::<Result<_, _>>()?;
        let scale_constant = coefficient()?;
        let scale_taps = (0..taps).map(|_| coefficient()).collect::<Result<_, _>>()?;
        Ok(Self { shift, mean, error: error as i32, references, mean_taps, scale_constant, scale_taps })
    }
}

/// Rows of samples or errors, one for each tap that is looked at by rows, in the order of coefficients.
#[derive(Default)]
pub(crate) struct TapRows<'a> {
    rows: [&'a [i16]; MAX_TAPS],
    count: usize,
}

impl<'a> TapRows<'a> {
    pub(crate) fn push(&mut self, row: &'a [i16]) {
        self.rows[self.count] = row;
        self.count += 1;
    }

    /// Replaces what is there by the rows above in the channel itself and those in its references.
    pub(crate) fn gather(&mut self, own: &'a Plane, references: &[&'a Plane], y: usize) {
        self.count = 0;
        self.append(own, references, y);
    }

    pub(crate) fn append(&mut self, own: &'a Plane, references: &[&'a Plane], y: usize) {
        let y = y as isize;
        for (dy, dx) in ABOVE_TAPS {
            self.push(own.row(y + dy, dx));
        }
        for plane in references {
            for (dy, dx) in REFERENCE_TAPS {
                self.push(plane.row(y + dy, dx));
            }
        }
    }

    pub(crate) fn get(&self) -> &[&'a [i16]] {
        &self.rows[..self.count]
    }
}

/// `sums[x] = constant + Σ taps[i] * rows[i][x]`, wrapping. Four rows a turn keep the sums in registers longer.
pub(crate) fn add_rows(sums: &mut [i32], constant: i32, taps: &[i32], rows: &[&[i16]]) {
    sums.fill(constant);
    let width = sums.len();
    let mut index = 0;
    while index + 4 <= rows.len() {
        let (a, b, c, d) = (&rows[index][..width], &rows[index + 1][..width], &rows[index + 2][..width], &rows[index + 3][..width]);
        let t = &taps[index..index + 4];
        let (ta, tb, tc, td) = (t[0] as i16, t[1] as i16, t[2] as i16, t[3] as i16);
        for x in 0..width {
            let first = product(ta, a[x]).wrapping_add(product(tb, b[x]));
            let second = product(tc, c[x]).wrapping_add(product(td, d[x]));
            sums[x] = sums[x].wrapping_add(first).wrapping_add(second);
        }
        index += 4;
    }
    for (row, &tap) in rows[index..].iter().zip(&taps[index..]) {
        let tap = tap as i16;
        for (sum, &sample) in sums.iter_mut().zip(*row) {
            *sum = sum.wrapping_add(product(tap, sample));
        }
    }
}

#[inline(always)]
fn product(tap: i16, sample: i16) -> i32 {
    i32::from(tap) * i32::from(sample)
}
