//! Where a number's bins lie and which tables it is coded with, from its predicted mean and scale.

use crate::float::{Layout, VALUE_LIMIT};
use crate::model::{ERROR_SHIFT, SCALE_BITS};
use crate::tables::CLASSES;

/// A bin is an eighth to a quarter of the predicted mean error wide.
const BIN_BITS: i32 = 2;
/// From the scale's highest bit to the bin's width in fixed point.
const SCALE_TO_BIN: i32 = SCALE_BITS as i32 - ERROR_SHIFT as i32 + BIN_BITS;
const MAX_BIN_SHIFT: i32 = 16;
/// The class of a scale whose bins have their natural width begins here; four classes an octave.
const NATURAL_CLASS: i32 = 16;

/// The largest scale: its four highest bits are exact.
const MAX_SCALE: i32 = (1 << 24) - 1;

/// Bits of a number below 2^shift that are coded plainly when it lies in the bin at zero.
pub(crate) const SMALL_BITS: u32 = 8;
/// Bits of a magnitude, of an escaped number.
pub(crate) const MAGNITUDE_BITS: u32 = 15;
pub(crate) const WORD_BITS: u32 = 16;

pub(crate) struct Place {
    /// log2 of a bin's width in fixed point.
    pub(crate) shift: i32,
    pub(crate) class: usize,
    pub(crate) mean: i32,
}

#[inline(always)]
pub(crate) fn clamp_mean(mean: i32) -> i32 {
    mean.clamp(-VALUE_LIMIT, VALUE_LIMIT)
}

/// @param mean within `VALUE_LIMIT`; @param scale the sum of the scale's terms, not yet held to its least
#[inline(always)]
pub(crate) fn place(layout: Layout, mean: i32, scale: i32, least_scale: i32) -> Place {
    let scale = scale.clamp(least_scale, MAX_SCALE);
    let highest = 31 - scale.leading_zeros() as i32;
    let quarter = (scale >> (highest - 2)) & 3;
    // A bin is no narrower than the floats where the mean lies.
    let float_unit = 31 - (mean.unsigned_abs() | 1).leading_zeros() as i32 - layout.mantissa as i32;
    let shift = (highest - SCALE_TO_BIN).max(float_unit).clamp(0, MAX_BIN_SHIFT);
    let class = (highest - SCALE_TO_BIN - shift) * 4 + quarter + NATURAL_CLASS;
    Place { shift, class: class.clamp(0, CLASSES as i32 - 1) as usize, mean }
}
