//! What a histogram will cost, in integers, so that every decision is the same on every machine.

/// Fractional bits of the fixed-point costs below.
pub const FRACTION: u32 = 8;

/// log2 of 1 + i/256, by squaring.
const MANTISSA: [u16; 256] = {
    let mut table = [0u16; 256];
    let mut i = 0;
    while i < 256 {
        let mut mantissa = (256 + i as u64) << 23;
        let mut log = 0u16;
        let mut bit = 0;
        while bit < FRACTION {
            mantissa = (mantissa * mantissa) >> 31;
            log <<= 1;
            if mantissa >= 1 << 32 {
                log |= 1;
                mantissa >>= 1;
            }
            bit += 1;
        }
        table[i] = log;
        i += 1;
    }
    table
};

/// log2 of a positive integer, rounded down to 1/256.
#[inline]
pub fn log2(value: u32) -> u64 {
    let zeros = value.leading_zeros();
    let mantissa = (u64::from(value) << (zeros + 1) >> 24) & 0xff;
    (u64::from(31 - zeros) << FRACTION) + u64::from(MANTISSA[mantissa as usize])
}

/// Bits, times 256, of an ideal code for all symbols of a histogram.
pub fn cost(histogram: &[u32]) -> u64 {
    let mut total = 0u32;
    let mut saved = 0u64;
    for &count in histogram {
        if count > 0 {
            total += count;
            saved += u64::from(count) * log2(count);
        }
    }
    if total == 0 {
        return 0;
    }
    u64::from(total) * log2(total) - saved.min(u64::from(total) * log2(total))
}

#[cfg(test)]
mod tests {
    use super::{cost, log2};

    #[test]
    fn logarithms_are_right_to_a_hundredth() {
        for value in [
            1u32,
            2,
            3,
            7,
            100,
            255,
            256,
            257,
            65_535,
            1_000_003,
            u32::MAX,
        ] {
            assert!(
                (log2(value) as f64 / 256.0 - f64::from(value).log2()).abs() < 0.01,
                "{value}"
            );
        }
    }

    #[test]
    fn a_flat_histogram_costs_its_logarithm() {
        assert_eq!(cost(&[5; 16]), 80 * 4 * 256);
        assert_eq!(cost(&[0, 0]), 0);
    }
}
