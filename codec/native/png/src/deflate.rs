//! Turns tokens into deflate blocks: merges spans that are alike, codes each block the shortest of three ways (RFC 1951).
use crate::bits::{BitWriter, SLACK_BYTES};
use crate::entropy::{cost, FRACTION};
use crate::huffman::{code_lengths, codes, Code};
use crate::tokens::{
    distance_symbol, length_symbol, Block, Tokens, DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS,
};

/// Four codewords of a literal fit between two flushes.
const LITERAL_LIMIT: usize = 14;
const DISTANCE_LIMIT: usize = 15;
const MAX_STORED: usize = 65_535;

/// What a pair of codes costs to send, in bits, before it is known exactly.
const HEADER_BITS: u64 = 600;

/// The order in which deflate sends the lengths of the code for code lengths (RFC 1951, 3.2.7).
const LENGTH_ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

fn block_cost(block: &Block) -> u64 {
    cost(&block.literals) + cost(&block.distances) + ((block.extra_bits + HEADER_BITS) << FRACTION)
}

/// Merges neighbours as long as one pair of codes for both costs less than two, the best pair first. Returns the cost of
/// the result in bits.
pub fn merge_blocks(blocks: &mut Vec<Block>) -> u64 {
    let merged = |a: &Block, b: &Block| {
        let mut both = a.clone();
        both.merge(b);
        both
    };
    let mut costs: Vec<u64> = blocks.iter().map(block_cost).collect();
    let saving = |blocks: &[Block], costs: &[u64], i: usize| {
        (costs[i] + costs[i + 1]).saturating_sub(block_cost(&merged(&blocks[i], &blocks[i + 1])))
    };
    let mut savings: Vec<u64> = (1..blocks.len())
        .map(|i| saving(blocks, &costs, i - 1))
        .collect();
    while let Some((best, &most)) = savings
        .iter()
        .enumerate()
        .max_by_key(|&(i, &saved)| (saved, usize::MAX - i))
    {
        if most == 0 {
            break;
        }
        costs[best] = costs[best] + costs[best + 1] - most;
        let next = blocks.remove(best + 1);
        costs.remove(best + 1);
        savings.remove(best);
        blocks[best].merge(&next);
        for i in [best.wrapping_sub(1), best] {
            if i < savings.len() {
                savings[i] = saving(blocks, &costs, i);
            }
        }
    }
    costs.iter().sum::<u64>() >> FRACTION
}

/// Writes all blocks and an empty stored one, so that the stream ends on a byte boundary without being final.
pub fn write_blocks(data: &[u8], tokens: &Tokens, out: &mut Vec<u8>) {
    let bytes: usize = tokens.blocks.iter().map(|block| block.bytes).sum();
    // No block is larger than when stored: five bytes for each 65,535, and one for its alignment.
    let bound = bytes + tokens.blocks.len() * 8 + bytes / MAX_STORED * 5 + 16;
    out.clear();
    out.resize(bound + SLACK_BYTES, 0);
    let mut writer = BitWriter::new(out);
    for block in &tokens.blocks {
        write_block(data, tokens, block, &mut writer);
    }
    write_stored(&[], &mut writer);
    let length = writer.finish();
    out.truncate(length);
}

fn write_block(data: &[u8], tokens: &Tokens, block: &Block, writer: &mut BitWriter) {
    let dynamic = Coding::dynamic(block);
    let fixed = Coding::fixed();
    let dynamic_bits = dynamic.bits(block);
    let fixed_bits = fixed.bits(block);
    let stored_bits = (block.bytes * 8 + block.bytes.div_ceil(MAX_STORED) * 40) as u64;
    if stored_bits <= dynamic_bits.min(fixed_bits) {
        let raw = &data[block.first_byte..block.first_byte + block.bytes];
        raw.chunks(MAX_STORED)
            .for_each(|piece| write_stored(piece, writer));
    } else if fixed_bits <= dynamic_bits {
        fixed.write(data, tokens, block, writer);
    } else {
        dynamic.write(data, tokens, block, writer);
    }
}

fn write_stored(piece: &[u8], writer: &mut BitWriter) {
    writer.write(0b000, 3);
    writer.align();
    let length = piece.len() as u16;
    writer.bytes(&length.to_le_bytes());
    writer.bytes(&(!length).to_le_bytes());
    writer.bytes(piece);
}

/// A pair of codes and the header that sends them.
struct Coding {
    lengths: [u8; LITERAL_SYMBOLS + 2],
    distance_lengths: [u8; DISTANCE_SYMBOLS + 2],
    /// Values and bit counts behind the final bit.
    header: Vec<(u16, u8)>,
}

impl Coding {
    fn fixed() -> Self {
        let mut lengths = [8; LITERAL_SYMBOLS + 2];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        Self {
            lengths,
            distance_lengths: [5; DISTANCE_SYMBOLS + 2],
            header: vec![(0b01, 2)],
        }
    }

    fn dynamic(block: &Block) -> Self {
        let mut lengths = [0; LITERAL_SYMBOLS + 2];
        let mut distance_lengths = [0; DISTANCE_SYMBOLS + 2];
        code_lengths(
            &block.literals,
            LITERAL_LIMIT,
            &mut lengths[..LITERAL_SYMBOLS],
        );
        code_lengths(
            &block.distances,
            DISTANCE_LIMIT,
            &mut distance_lengths[..DISTANCE_SYMBOLS],
        );
        let used = |lengths: &[u8], least: usize| {
            lengths
                .iter()
                .rposition(|&length| length > 0)
                .map_or(least, |last| least.max(last + 1))
        };
        let header = dynamic_header(
            &lengths[..used(&lengths, 257)],
            &distance_lengths[..used(&distance_lengths, 1)],
        );
        Self {
            lengths,
            distance_lengths,
            header,
        }
    }

    /// Bits of the block in this coding, with its three header bits.
    fn bits(&self, block: &Block) -> u64 {
        let sum = |counts: &[u32], lengths: &[u8]| -> u64 {
            counts
                .iter()
                .zip(lengths)
                .map(|(&count, &length)| u64::from(count) * u64::from(length))
                .sum()
        };
        let header: u64 = self.header.iter().map(|&(_, bits)| u64::from(bits)).sum();
        1 + header
            + block.extra_bits
            + sum(&block.literals, &self.lengths)
            + sum(&block.distances, &self.distance_lengths)
    }

    fn write(&self, data: &[u8], tokens: &Tokens, block: &Block, writer: &mut BitWriter) {
        let mut literal_codes = [Code::default(); LITERAL_SYMBOLS + 2];
        let mut distance_codes = [Code::default(); DISTANCE_SYMBOLS + 2];
        codes(&self.lengths, &mut literal_codes);
        codes(&self.distance_lengths, &mut distance_codes);
        writer.write(0, 1);
        for &(value, bits) in &self.header {
            writer.write(u64::from(value), u32::from(bits));
        }
        let mut position = block.first_byte;
        for sequence in
            &tokens.sequences[block.first_sequence..block.first_sequence + block.sequences]
        {
            let literals = &data[position..position + sequence.literals as usize];
            write_literals(literals, &literal_codes, writer);
            position += literals.len() + sequence.length as usize;
            if sequence.length == 0 {
                continue;
            }
            let length = length_symbol(sequence.length);
            let code = literal_codes[length.symbol];
            writer.push(u64::from(code.bits), u32::from(code.length));
            writer.push(u64::from(length.extra), length.extra_bits);
            let distance = distance_symbol(sequence.distance);
            let code = distance_codes[distance.symbol];
            writer.push(u64::from(code.bits), u32::from(code.length));
            writer.push(u64::from(distance.extra), distance.extra_bits);
            writer.flush();
        }
        let end = literal_codes[END_OF_BLOCK];
        writer.write(u64::from(end.bits), u32::from(end.length));
    }
}

/// The hot loop. Pairs are joined before they meet the bit buffer, which shortens the chain of dependent shifts.
fn write_literals(literals: &[u8], codes: &[Code; LITERAL_SYMBOLS + 2], writer: &mut BitWriter) {
    let quads = literals.chunks_exact(4);
    let rest = quads.remainder();
    for quad in quads {
        let [a, b, c, d] = [quad[0], quad[1], quad[2], quad[3]].map(|byte| codes[byte as usize]);
        let low = u64::from(a.bits) | u64::from(b.bits) << a.length;
        let high = u64::from(c.bits) | u64::from(d.bits) << c.length;
        let low_length = u32::from(a.length + b.length);
        writer.push(
            low | high << low_length,
            low_length + u32::from(c.length + d.length),
        );
        writer.flush();
    }
    for &byte in rest {
        let code = codes[byte as usize];
        writer.write(u64::from(code.bits), u32::from(code.length));
    }
}

/// RFC 1951, 3.2.7: block type, the three counts, the code for code lengths, and both codes with their runs shortened.
fn dynamic_header(lengths: &[u8], distance_lengths: &[u8]) -> Vec<(u16, u8)> {
    let all: Vec<u8> = [lengths, distance_lengths].concat();
    let symbols = shorten_runs(&all);
    let mut histogram = [0u32; 19];
    symbols
        .iter()
        .for_each(|&(symbol, _, _)| histogram[symbol as usize] += 1);
    let mut meta_lengths = [0u8; 19];
    code_lengths(&histogram, 7, &mut meta_lengths);
    let mut meta_codes = [Code::default(); 19];
    codes(&meta_lengths, &mut meta_codes);
    let sent = LENGTH_ORDER
        .iter()
        .rposition(|&symbol| meta_lengths[symbol] > 0)
        .map_or(4, |last| 4.max(last + 1));
    let mut header = vec![
        (0b10, 2),
        ((lengths.len() - 257) as u16, 5),
        ((distance_lengths.len() - 1) as u16, 5),
        ((sent - 4) as u16, 4),
    ];
    header.extend(
        LENGTH_ORDER[..sent]
            .iter()
            .map(|&symbol| (u16::from(meta_lengths[symbol]), 3)),
    );
    for (symbol, extra, extra_bits) in symbols {
        let code = meta_codes[symbol as usize];
        header.push((code.bits, code.length));
        if extra_bits > 0 {
            header.push((u16::from(extra), extra_bits));
        }
    }
    header
}

/// Code lengths with runs as symbols 16 (repeat), 17 and 18 (zeros): symbol, extra value, extra bits.
fn shorten_runs(lengths: &[u8]) -> Vec<(u8, u8, u8)> {
    let mut symbols = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|a, b| a == b) {
        let value = run[0];
        let mut left = run.len();
        if value > 0 {
            symbols.push((value, 0, 0));
            left -= 1;
        }
        while left >= 3 {
            let (symbol, least, most, bits) = match (value, left) {
                (0, 11..) => (18, 11, 138, 7),
                (0, _) => (17, 3, 10, 3),
                _ => (16, 3, 6, 2),
            };
            let taken = left.min(most);
            symbols.push((symbol, (taken - least) as u8, bits));
            left -= taken;
        }
        symbols.extend(core::iter::repeat_n((value, 0, 0), left));
    }
    symbols
}
