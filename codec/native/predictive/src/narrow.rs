//! Tensors of f32 whose every element is a 16-bit float, and the bits that no element of a tensor uses.

/// The bf16 words, where all lower halves are zero.
pub(crate) fn to_bf16(numbers: &[u32]) -> Option<Vec<u16>> {
    numbers.iter().map(|&number| (number & 0xffff == 0).then_some((number >> 16) as u16)).collect()
}

/// The f16 words, where every number comes back from one exactly, payloads of NaNs included.
pub(crate) fn to_f16(numbers: &[u32]) -> Option<Vec<u16>> {
    numbers.iter().map(|&number| Some(f16_of(number)).filter(|&word| f32_of(word) == number)).collect()
}

/// An f16 as an f32 of the same value; a NaN's payload moves to the upper bits.
pub(crate) fn f32_of(word: u16) -> u32 {
    let (sign, exponent, fraction) = (u32::from(word & 0x8000) << 16, u32::from(word >> 10) & 31, u32::from(word) & 0x3ff);
    let rest = match (exponent, fraction) {
        (0, 0) => 0,
        (0, _) => {
            // A subnormal f16 is a normal f32.
            let zeros = fraction.leading_zeros() - 21;
            (113 - zeros) << 23 | ((fraction << zeros) & 0x3ff) << 13
        }
        (31, _) => 0xff << 23 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    sign | rest
}

/// The f16 whose widening is this number, if there is one; any word if there is none.
fn f16_of(number: u32) -> u16 {
    let (exponent, fraction) = (number >> 23 & 0xff, number & 0x7f_ffff);
    let rest = match exponent {
        103..=112 => (fraction | 1 << 23) >> (126 - exponent),
        113..=142 => (exponent - 112) << 10 | fraction >> 13,
        255 => 31 << 10 | fraction >> 13,
        _ => 0,
    };
    (number >> 16 & 0x8000) as u16 | rest as u16
}

/// Low mantissa bits that are zero in every word, at most `most`.
pub(crate) fn unused_low_bits(words: &[u16], most: u32) -> u32 {
    let used = words.iter().fold(0, |used, &word| used | word);
    used.trailing_zeros().min(most)
}
