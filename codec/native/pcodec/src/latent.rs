//! The unsigned integers that `fast` decodes, and how they become numbers.

pub(crate) trait Latent: Copy {
    const BITS: u32;
    /// Of the float of as many bits.
    const MANTISSA_BITS: u32;

    fn from_u32(value: u32) -> Self;

    /// A count of offset bits, in the lowest byte, and a lower bound.
    fn pack(offset_bits: u32, lower: Self) -> u64;

    /// The lower bound of `pack`, and as many of the word's low bits as it says.
    fn add_offset(packed: u64, word: u64) -> Self;

    /// Exclusive sums of differences, which are stored around the middle of the range.
    fn sum(numbers: &mut [Self], moment: Self);

    fn to_signed(numbers: &mut [Self]);

    /// The sign bit set stands for a positive float, of which only that bit is flipped.
    fn to_float(numbers: &mut [Self]);

    /// As `to_float` for floats whose `low_bits` were split off; those of negative ones were flipped to be all the same.
    fn to_quantized_float(numbers: &mut [Self], low_bits: u32, low: Self);
}

macro_rules! sum_by_one {
    ($numbers: expr, $moment: expr, $type: ty) => {
        let mut before = $moment;
        for number in $numbers {
            let difference = *number ^ 1 << (<$type>::BITS - 1);
            *number = before;
            before = before.wrapping_add(difference);
        }
    };
}

macro_rules! conversions {
    ($type: ty) => {
        const BITS: u32 = <$type>::BITS;

        fn from_u32(value: u32) -> Self {
            value as $type
        }

        fn to_signed(numbers: &mut [Self]) {
            numbers.iter_mut().for_each(|number| *number ^= 1 << (<$type>::BITS - 1));
        }

        fn to_float(numbers: &mut [Self]) {
            for number in numbers {
                let positive = (*number >> (<$type>::BITS - 1)).wrapping_neg();
                *number ^= !positive | 1 << (<$type>::BITS - 1);
            }
        }

        fn to_quantized_float(numbers: &mut [Self], low_bits: u32, low: Self) {
            let middle: $type = 1 << (<$type>::BITS - 1);
            let (cutoff, high) = (middle >> low_bits, <$type>::MAX << low_bits);
            for number in numbers {
                let flip = if *number < cutoff { high } else { middle };
                *number = (*number << low_bits) ^ low ^ flip;
            }
        }
    };
}

impl Latent for u16 {
    const MANTISSA_BITS: u32 = 10;
    conversions!(u16);

    /// From bit 0: the count, 16 the lower bound, 48 the offset's mask.
    fn pack(offset_bits: u32, lower: Self) -> u64 {
        u64::from(offset_bits) | u64::from(lower) << 16 | ((1_u64 << offset_bits) - 1) << 48
    }

    #[inline(always)]
    fn add_offset(packed: u64, word: u64) -> Self {
        ((word & (packed >> 48)) as u16).wrapping_add((packed >> 16) as u16)
    }

    #[cfg(target_arch = "wasm32")]
    fn sum(numbers: &mut [Self], moment: Self) {
        use core::arch::wasm32::*;
        let (middle, zero) = (u16x8_splat(1 << 15), u16x8_splat(0));
        let mut before = u16x8_splat(moment);
        let mut eights = numbers.chunks_exact_mut(8);
        for eight in &mut eights {
            // SAFETY: `eight` is sixteen bytes long.
            let difference = v128_xor(unsafe { v128_load(eight.as_ptr().cast()) }, middle);
            // Lanes shifted in from the first operand are zero: sums of 2, then 4, then 8 neighbours.
            let twos = u16x8_add(difference, u16x8_shuffle::<7, 8, 9, 10, 11, 12, 13, 14>(zero, difference));
            let fours = u16x8_add(twos, u16x8_shuffle::<6, 7, 8, 9, 10, 11, 12, 13>(zero, twos));
            let sums = u16x8_add(fours, u16x8_shuffle::<4, 5, 6, 7, 8, 9, 10, 11>(zero, fours));
            let inclusive = u16x8_add(sums, before);
            // SAFETY: as above.
            unsafe { v128_store(eight.as_mut_ptr().cast(), u16x8_sub(inclusive, difference)) };
            before = u16x8_shuffle::<7, 7, 7, 7, 7, 7, 7, 7>(inclusive, inclusive);
        }
        sum_by_one!(eights.into_remainder(), u16x8_extract_lane::<0>(before), u16);
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn sum(numbers: &mut [Self], moment: Self) {
        sum_by_one!(numbers, moment, u16);
    }
}

impl Latent for u32 {
    const MANTISSA_BITS: u32 = 23;
    conversions!(u32);

    /// From bit 0: the count, 32 the lower bound.
    fn pack(offset_bits: u32, lower: Self) -> u64 {
        u64::from(offset_bits) | u64::from(lower) << 32
    }

    #[inline(always)]
    fn add_offset(packed: u64, word: u64) -> Self {
        let mask = (1_u64 << (packed & 63)) - 1;
        ((word & mask) as u32).wrapping_add((packed >> 32) as u32)
    }

    fn sum(numbers: &mut [Self], moment: Self) {
        sum_by_one!(numbers, moment, u32);
    }
}
