//! Deflate's symbols before they are coded: literal runs and matches, with histograms over short spans of bytes.

pub const LITERAL_SYMBOLS: usize = 286;
pub const DISTANCE_SYMBOLS: usize = 30;
pub const END_OF_BLOCK: usize = 256;
pub const MAX_MATCH: usize = 258;
pub const WINDOW: usize = 32_768;

/// Bytes that one histogram spans before neighbours are merged.
const SPAN: usize = 1 << 14;

/// Literals, which lie in the data itself, then a match; a length of 0 means no match.
#[derive(Clone, Copy)]
pub struct Sequence {
    pub literals: u32,
    pub length: u16,
    pub distance: u16,
}

/// A stretch of the data that is coded with one pair of codes.
#[derive(Clone)]
pub struct Block {
    pub first_byte: usize,
    pub bytes: usize,
    pub first_sequence: usize,
    pub sequences: usize,
    pub literals: [u32; LITERAL_SYMBOLS],
    pub distances: [u32; DISTANCE_SYMBOLS],
    /// Bits that follow codewords for lengths and distances.
    pub extra_bits: u64,
}

/// What a parser made of the data.
#[derive(Clone, Default)]
pub struct Tokens {
    pub sequences: Vec<Sequence>,
    pub blocks: Vec<Block>,
    /// Where the next sequence and the block in progress begin.
    position: usize,
    block_byte: usize,
    block_sequence: usize,
}

impl Tokens {
    pub fn clear(&mut self) {
        self.sequences.clear();
        self.blocks.clear();
        (self.position, self.block_byte, self.block_sequence) = (0, 0, 0);
    }

    /// Starts at a place other than the beginning of the data.
    pub fn start_at(&mut self, position: usize) {
        self.clear();
        (self.position, self.block_byte) = (position, position);
    }

    /// Literals up to `match_at`, then a match of any length over 2, which is cut where deflate has a limit.
    pub fn push(&mut self, data: &[u8], match_at: usize, length: usize, distance: usize) {
        self.push_literals(data, match_at);
        let mut literals = match_at - self.position;
        let mut left = length;
        while left > 0 {
            // The rest must not be one or two bytes, which no match can be.
            let piece = if left > MAX_MATCH && left < MAX_MATCH + 3 {
                left - 3
            } else {
                left.min(MAX_MATCH)
            };
            self.append(literals, piece, distance);
            literals = 0;
            left -= piece;
        }
        if self.position - self.block_byte >= SPAN {
            self.close(data);
        }
    }

    pub fn finish(&mut self, data: &[u8], end: usize) {
        self.push_literals(data, end);
        if end > self.position {
            self.append(end - self.position, 0, 0);
        }
        if self.position > self.block_byte {
            self.close(data);
        }
    }

    /// Leaves less than one span of literals before `end`.
    fn push_literals(&mut self, data: &[u8], end: usize) {
        while end - self.block_byte >= SPAN {
            self.append(self.block_byte + SPAN - self.position, 0, 0);
            self.close(data);
        }
    }

    fn append(&mut self, literals: usize, length: usize, distance: usize) {
        self.sequences.push(Sequence {
            literals: literals as u32,
            length: length as u16,
            distance: distance as u16,
        });
        self.position += literals + length;
    }

    fn close(&mut self, data: &[u8]) {
        let sequences = &self.sequences[self.block_sequence..];
        self.blocks.push(Block::count(
            data,
            self.block_byte,
            sequences,
            self.block_sequence,
        ));
        self.block_byte = self.position;
        self.block_sequence = self.sequences.len();
    }
}

impl Block {
    fn count(
        data: &[u8],
        first_byte: usize,
        sequences: &[Sequence],
        first_sequence: usize,
    ) -> Self {
        let mut block = Self {
            first_byte,
            bytes: 0,
            first_sequence,
            sequences: sequences.len(),
            literals: [0; LITERAL_SYMBOLS],
            distances: [0; DISTANCE_SYMBOLS],
            extra_bits: 0,
        };
        // Four tables, so that runs of one value do not wait for their own last store.
        let mut counts = [[0u32; 256]; 4];
        let mut position = first_byte;
        for sequence in sequences {
            let literals = &data[position..position + sequence.literals as usize];
            let quads = literals.chunks_exact(4);
            for &byte in quads.remainder() {
                counts[0][byte as usize] += 1;
            }
            for quad in quads {
                for i in 0..4 {
                    counts[i][quad[i] as usize] += 1;
                }
            }
            position += literals.len() + sequence.length as usize;
            if sequence.length > 0 {
                let (length, distance) = (
                    length_symbol(sequence.length),
                    distance_symbol(sequence.distance),
                );
                block.literals[length.symbol] += 1;
                block.distances[distance.symbol] += 1;
                block.extra_bits += u64::from(length.extra_bits + distance.extra_bits);
            }
        }
        for table in &counts {
            block
                .literals
                .iter_mut()
                .zip(table)
                .for_each(|(sum, count)| *sum += count);
        }
        block.literals[END_OF_BLOCK] = 1;
        block.bytes = position - first_byte;
        block
    }

    /// Takes in the block that follows.
    pub fn merge(&mut self, next: &Block) {
        self.bytes += next.bytes;
        self.sequences += next.sequences;
        self.extra_bits += next.extra_bits;
        self.literals
            .iter_mut()
            .zip(&next.literals)
            .for_each(|(sum, count)| *sum += count);
        self.distances
            .iter_mut()
            .zip(&next.distances)
            .for_each(|(sum, count)| *sum += count);
        self.literals[END_OF_BLOCK] = 1;
    }
}

/// A length or distance as deflate sends it: a symbol, then `extra` in `extra_bits` bits.
pub struct Symbol {
    pub symbol: usize,
    pub extra: u32,
    pub extra_bits: u32,
}

/// RFC 1951, 3.2.5: eight lengths with a symbol of their own, then four symbols for each doubling, and 258.
#[inline]
pub fn length_symbol(length: u16) -> Symbol {
    if length as usize == MAX_MATCH {
        return Symbol {
            symbol: 285,
            extra: 0,
            extra_bits: 0,
        };
    }
    let offset = u32::from(length) - 3;
    let extra_bits = (offset | 7).ilog2() - 2;
    let symbol = 257 + (extra_bits << 2) + (offset >> extra_bits);
    Symbol {
        symbol: symbol as usize,
        extra: offset & ((1 << extra_bits) - 1),
        extra_bits,
    }
}

/// RFC 1951, 3.2.5: four distances with a symbol of their own, then two symbols for each doubling.
#[inline]
pub fn distance_symbol(distance: u16) -> Symbol {
    let offset = u32::from(distance) - 1;
    let extra_bits = (offset | 3).ilog2() - 1;
    let symbol = (extra_bits << 1) + (offset >> extra_bits);
    Symbol {
        symbol: symbol as usize,
        extra: offset & ((1 << extra_bits) - 1),
        extra_bits,
    }
}

#[cfg(test)]
mod tests {
    use super::{distance_symbol, length_symbol};

    #[test]
    fn symbols_are_those_of_the_standard() {
        for (length, symbol, extra_bits, extra) in [
            (3, 257, 0, 0),
            (10, 264, 0, 0),
            (11, 265, 1, 0),
            (12, 265, 1, 1),
            (19, 269, 2, 0),
            (227, 284, 5, 0),
            (257, 284, 5, 30),
            (258, 285, 0, 0),
        ] {
            let found = length_symbol(length);
            assert_eq!(
                (found.symbol, found.extra_bits, found.extra),
                (symbol, extra_bits, extra),
                "{length}"
            );
        }
        for (distance, symbol, extra_bits, extra) in [
            (1, 0, 0, 0),
            (4, 3, 0, 0),
            (5, 4, 1, 0),
            (9, 6, 2, 0),
            (24_577, 29, 13, 0),
            (32_768, 29, 13, 8_191),
        ] {
            let found = distance_symbol(distance);
            assert_eq!(
                (found.symbol, found.extra_bits, found.extra),
                (symbol, extra_bits, extra),
                "{distance}"
            );
        }
    }
}
