//! Adler-32 (RFC 1950, 8.2), sixteen bytes a step.

const BASE: u32 = 65_521;

/// Bytes after which the sums must be reduced, so that they stay within 32 bits (zlib's NMAX, rounded to 32).
const CHUNK: usize = 5_536;

pub fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for chunk in data.chunks(CHUNK) {
        let blocks = chunk.len() / 16;
        let (head, tail) = chunk.split_at(blocks * 16);
        b += a * head.len() as u32;
        let (sum, weighted) = sums(head);
        a += sum;
        b += weighted;
        for &byte in tail {
            a += u32::from(byte);
            b += a;
        }
        a %= BASE;
        b %= BASE;
    }
    (b << 16) | a
}

/// The sum of the bytes, and the sum of each byte times its distance from the end. `head` is whole blocks of sixteen.
#[cfg(target_arch = "wasm32")]
fn sums(head: &[u8]) -> (u32, u32) {
    use core::arch::wasm32::*;
    let low_weights = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
    let high_weights = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
    let mut sum = u32x4_splat(0);
    let mut before = u32x4_splat(0);
    let mut weighted = i32x4_splat(0);
    for block in head.chunks_exact(16) {
        // SAFETY: `block` is sixteen bytes long.
        let bytes = unsafe { v128_load(block.as_ptr().cast()) };
        before = u32x4_add(before, sum);
        sum = u32x4_add(
            sum,
            u32x4_extadd_pairwise_u16x8(u16x8_extadd_pairwise_u8x16(bytes)),
        );
        let low = i32x4_dot_i16x8(u16x8_extend_low_u8x16(bytes), low_weights);
        let high = i32x4_dot_i16x8(u16x8_extend_high_u8x16(bytes), high_weights);
        weighted = i32x4_add(weighted, i32x4_add(low, high));
    }
    let total = |v: v128| {
        u32x4_extract_lane::<0>(v)
            + u32x4_extract_lane::<1>(v)
            + u32x4_extract_lane::<2>(v)
            + u32x4_extract_lane::<3>(v)
    };
    (total(sum), total(before) * 16 + total(weighted))
}

#[cfg(not(target_arch = "wasm32"))]
fn sums(head: &[u8]) -> (u32, u32) {
    let mut sum = 0u32;
    let mut weighted = 0u32;
    for &byte in head {
        sum += u32::from(byte);
        weighted += sum;
    }
    (sum, weighted)
}

#[cfg(test)]
mod tests {
    use super::adler32;

    #[test]
    fn agrees_with_the_definition_at_the_edges_of_its_chunks() {
        for len in [0, 1, 15, 16, 17, 5_535, 5_536, 5_537, 20_000] {
            let data = vec![255u8; len];
            let (mut a, mut b) = (1u64, 0u64);
            for &byte in &data {
                a = (a + u64::from(byte)) % 65_521;
                b = (b + a) % 65_521;
            }
            assert_eq!(adler32(&data), ((b << 16) | a) as u32);
        }
    }
}
