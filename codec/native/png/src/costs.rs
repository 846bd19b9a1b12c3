//! What each symbol is thought to cost while a parser chooses between literals and matches.
use crate::entropy::{log2, FRACTION};
use crate::tokens::{distance_symbol, length_symbol, Block, DISTANCE_SYMBOLS, LITERAL_SYMBOLS};

/// Units of a bit.
const UNITS: u64 = 16;
/// Nothing is thought to cost more bits than the longest codeword.
const MOST_BITS: u64 = 14;
/// Before matches were counted: as if one symbol in eight were a match of any length, at any of sixteen distances.
const GUESSED_LENGTH_BITS: u64 = 6;
const GUESSED_DISTANCE_BITS: u64 = 4;

pub struct Costs {
    pub literals: [u16; 256],
    lengths: [u16; LITERAL_SYMBOLS - 256],
    distances: [u16; DISTANCE_SYMBOLS],
}

impl Costs {
    /// From the literals of a parse that knew runs only.
    pub fn guess(blocks: &[Block]) -> Self {
        let mut costs = Self::count(blocks);
        costs.lengths = [(GUESSED_LENGTH_BITS * UNITS) as u16; LITERAL_SYMBOLS - 256];
        costs.distances = [(GUESSED_DISTANCE_BITS * UNITS) as u16; DISTANCE_SYMBOLS];
        costs
    }

    /// From a parse like the one to be made.
    pub fn count(blocks: &[Block]) -> Self {
        let mut literals = [0u32; LITERAL_SYMBOLS];
        let mut distances = [0u32; DISTANCE_SYMBOLS];
        for block in blocks {
            literals
                .iter_mut()
                .zip(&block.literals)
                .for_each(|(sum, count)| *sum += count);
            distances
                .iter_mut()
                .zip(&block.distances)
                .for_each(|(sum, count)| *sum += count);
        }
        let (symbols, distances) = (bits(&literals), bits(&distances));
        let mut costs = Self {
            literals: [0; 256],
            lengths: [0; LITERAL_SYMBOLS - 256],
            distances,
        };
        costs.literals.copy_from_slice(&symbols[..256]);
        costs.lengths.copy_from_slice(&symbols[256..]);
        costs
    }

    #[inline]
    pub fn of_match(&self, length: usize, distance: usize) -> u32 {
        let length = length_symbol(length as u16);
        let distance = distance_symbol(distance as u16);
        let extra = (length.extra_bits + distance.extra_bits) * UNITS as u32;
        u32::from(self.lengths[length.symbol - 256])
            + u32::from(self.distances[distance.symbol])
            + extra
    }
}

fn bits<const N: usize>(histogram: &[u32; N]) -> [u16; N] {
    let total = histogram.iter().sum::<u32>().max(1);
    histogram.map(|count| {
        let bits = log2(total) - log2(count.max(1)).min(log2(total));
        ((bits * UNITS) >> FRACTION).clamp(UNITS, MOST_BITS * UNITS) as u16
    })
}
