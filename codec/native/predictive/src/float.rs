//! 16-bit floats as the model sees them: a signed fixed-point value per element, and the float grid around it.

/// Fixed-point values keep their magnitude below this; floats beyond it are escaped.
pub(crate) const VALUE_LIMIT: i32 = (1 << 22) - 1;

/// The binade of a channel's median magnitude in fixed point: leaves a factor of 32 above it.
pub(crate) const MEDIAN_BINADE: i32 = 17;

/// A float type whose lowest mantissa bits, zero in every element, are left away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layout {
    pub(crate) mantissa: u32,
    /// log2 of the weight of the lowest mantissa bit of subnormal numbers.
    lowest: i32,
    /// Mantissa bits left away.
    pub(crate) dropped: u32,
    bias: i32,
}

impl Layout {
    /// `dropped` is at most the type's stored mantissa bits less one.
    pub(crate) fn new(bfloat: bool, dropped: u32) -> Self {
        let (full, bias) = if bfloat { (7, 127) } else { (10, 15) };
        let mantissa = full - dropped;
        Self { mantissa, lowest: 1 - bias - mantissa as i32, dropped, bias }
    }

    /// log2 of the lowest mantissa bit of subnormal numbers, in fixed point of `shift`.
    pub(crate) fn lowest_unit(self, shift: i32) -> i32 {
        self.lowest + shift
    }

    /// The shift that brings a number with this biased exponent to the binade of medians.
    pub(crate) fn shift_for(self, biased: u32) -> i32 {
        MEDIAN_BINADE - (biased.max(1) as i32 - self.bias)
    }

    /// Every shift that `shift_for` gives.
    pub(crate) fn shifts(self) -> std::ops::RangeInclusive<i32> {
        self.shift_for(2 * self.bias as u32 + 1)..=self.shift_for(1)
    }

    /// A word without the dropped bits of its mantissa.
    pub(crate) fn narrowed(self, word: u16) -> u16 {
        (word & 0x7fff) >> self.dropped | word & 0x8000
    }

    /// The word that was narrowed.
    #[inline(always)]
    pub(crate) fn widened(self, word: u16) -> u16 {
        (word << self.dropped) & 0x7fff | word & 0x8000
    }

    /// Significand and log2 of its unit in fixed point; the sign is not looked at.
    pub(crate) fn split(self, word: u16, lowest_unit: i32) -> (i32, i32) {
        let magnitude = i32::from((word & 0x7fff) >> self.dropped);
        let exponent = magnitude >> self.mantissa;
        let fraction = magnitude & ((1 << self.mantissa) - 1);
        if exponent == 0 {
            (fraction, lowest_unit)
        } else {
            (fraction | 1 << self.mantissa, lowest_unit + exponent - 1)
        }
    }

    /// floor(|value|), saturated, all bits inverted where the sign is set: -0 is -1, so that signs survive.
    pub(crate) fn value(self, word: u16, lowest_unit: i32) -> i32 {
        let (significand, unit) = self.split(word, lowest_unit);
        let magnitude = scale(significand, unit);
        magnitude ^ -i32::from(word >> 15)
    }
}

/// floor(significand * 2^unit), at most `VALUE_LIMIT`.
#[inline(always)]
pub(crate) fn scale(significand: i32, unit: i32) -> i32 {
    if unit >= 0 {
        ((i64::from(significand) << unit.min(32)).min(i64::from(VALUE_LIMIT))) as i32
    } else {
        significand >> unit.unsigned_abs().min(31)
    }
}
