//! Chunks of 16-bit numbers in classic mode, plain or as first differences: what latents are stored as. Decoded some times
//! faster than by `pco`, whose loops were made for native vector units. Every other chunk, and every damaged one, is left to
//! `pco`; what is decoded here is the same to the bit. The format is pco's `docs/format.md`, version 4.

/// Bytes behind the source that must be readable: the most that one batch takes, and a word.
pub(crate) const PADDING: usize = BATCH * (MAX_SIZE_LOG + MAX_OFFSET_BITS) as usize / 8 + 16;

const BATCH: usize = 256;
const INTERLEAVING: usize = 4;
/// A chunk has at most 2^24 numbers and less than 32 bits for each.
const MAX_CHUNK_BYTES: usize = 1 << 26;
/// States of four symbols and the seven bits before them fit one 64-bit word with the four low bits to spare. `pco` allows
/// 14, and takes 13 only for as many numbers and bins as no plane has.
const MAX_SIZE_LOG: u32 = 12;
const MAX_OFFSET_BITS: u32 = 16;
/// What a word holds behind the up to seven bits before a position.
const WORD_BITS: u32 = 57;
/// States are kept as byte offsets into the table.
const NODE_BYTES_LOG: u32 = 4;

/// How a number follows from the unsigned integer of the same order that a file holds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Unsigned,
    Signed,
    Float,
}

/// A tANS state. Shifts use the low six bits of their count alone, so a count in the lowest byte needs no mask.
#[derive(Clone, Copy)]
#[repr(C)]
struct Node {
    /// From bit 0: count of state bits to read, 8 for the count of offset bits, 32 base of the next state, 48 mask of its
    /// lower part, both in bytes of the table.
    next: u64,
    /// From bit 0: count of offset bits, 16 lower bound, 48 mask of the offset.
    number: u64,
}

/// Buffers that are kept between calls.
#[derive(Default)]
pub(crate) struct Fast16 {
    table: Vec<Node>,
    symbols: Vec<u16>,
    /// `Node::number` of each symbol of one batch.
    batch: Vec<u64>,
}

struct Bin {
    weight: u32,
    lower: u16,
    offset_bits: u32,
}

struct Bits<'a> {
    source: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    /// Up to 32 bits; none past the end.
    fn read(&mut self, count: u32) -> Option<u32> {
        let end = self.position + count as usize;
        if end > self.source.len() * 8 {
            return None;
        }
        let mut word = 0_u64;
        for (index, &byte) in self.source[self.position / 8..end.div_ceil(8)].iter().enumerate() {
            word |= u64::from(byte) << (8 * index);
        }
        let value = word >> (self.position % 8) & ((1 << count) - 1);
        self.position = end;
        Some(value as u32)
    }

    /// To the next byte, over bits that must be zero.
    fn align(&mut self) -> Option<()> {
        let left = (self.position.wrapping_neg() % 8) as u32;
        (self.read(left)? == 0).then_some(())
    }
}

impl Fast16 {
    /// Decodes the chunk that starts at `source`, behind its type and count, and gives the bytes that it takes. None where
    /// this decoder is not made for it or finds a fault; then `numbers` is in an unknown state.
    ///
    /// # Safety
    /// `PADDING` bytes behind `source` are readable.
    pub(crate) unsafe fn decode(&mut self, source: &[u8], numbers: &mut [u16], kind: Kind) -> Option<usize> {
        let source = &source[..source.len().min(MAX_CHUNK_BYTES)];
        let mut bits = Bits { source, position: 0 };
        if bits.read(4)? != 0 {
            return None;
        }
        let by_difference = match bits.read(4)? {
            0 => false,
            // Of order 1; the bit behind it is about a second variable, which this mode lacks.
            1 if bits.read(3)? == 1 => bits.read(1).map(|_| true)?,
            _ => return None,
        };
        let size_log = bits.read(4)?;
        let bin_count = bits.read(15)? as usize;
        if size_log > MAX_SIZE_LOG || bin_count == 0 || bin_count > 1 << size_log || (bin_count == 1 && size_log > 0) {
            return None;
        }
        let mut bins = Vec::with_capacity(bin_count.min(source.len()));
        for _ in 0..bin_count {
            let bin = Bin { weight: bits.read(size_log)? + 1, lower: bits.read(16)? as u16, offset_bits: bits.read(5)? };
            if bin.offset_bits > MAX_OFFSET_BITS {
                return None;
            }
            bins.push(bin);
        }
        bits.align()?;
        self.build(size_log, &bins)?;
        let moment = if by_difference { bits.read(16)? as u16 } else { 0 };
        let mut states = [0_u32; INTERLEAVING];
        for state in &mut states {
            *state = bits.read(size_log)? << NODE_BYTES_LOG;
        }
        bits.align()?;

        let start = bits.position / 8;
        // The last number of a page of differences is the sum of those before it.
        let coded = numbers.len() - usize::from(by_difference);
        let body = &source[start..];
        let end = self.body(body, &mut states, &mut numbers[..coded])?;
        let used = (end as usize).div_ceil(8);
        // Bits behind the last number must be zero.
        if end % 8 != 0 && body[used - 1] >> (end % 8) != 0 {
            return None;
        }
        if by_difference {
            if let Some(last) = numbers.last_mut() {
                *last = 0;
            }
            sum(numbers, moment);
        }
        convert(numbers, kind);
        Some(start + used)
    }

    /// The table of states: symbols spread by a stride near three fifths of it, each state's successor by Duda's rule.
    fn build(&mut self, size_log: u32, bins: &[Bin]) -> Option<()> {
        let size = 1_u32 << size_log;
        if bins.iter().map(|bin| bin.weight).sum::<u32>() != size {
            return None;
        }
        let mut stride = 3 * size / 5;
        if stride % 2 == 0 {
            stride += 1;
        }
        self.symbols.clear();
        self.symbols.resize(size as usize, 0);
        let mut place = 0_u32;
        for (symbol, bin) in bins.iter().enumerate() {
            for _ in 0..bin.weight {
                self.symbols[(place & (size - 1)) as usize] = symbol as u16;
                place = place.wrapping_add(stride);
            }
        }
        let mut next: Vec<u32> = bins.iter().map(|bin| bin.weight).collect();
        self.table.clear();
        self.table.extend(self.symbols.iter().map(|&symbol| {
            let bin = &bins[usize::from(symbol)];
            let x = next[usize::from(symbol)];
            next[usize::from(symbol)] += 1;
            let state_bits = x.leading_zeros() - size.leading_zeros();
            let base = ((x << state_bits) - size) << NODE_BYTES_LOG;
            let mask = ((1_u32 << state_bits) - 1) << NODE_BYTES_LOG;
            let offset_mask = (1_u64 << bin.offset_bits) - 1;
            Node {
                next: u64::from(state_bits)
                    | u64::from(bin.offset_bits) << 8
                    | u64::from(base) << 32
                    | u64::from(mask) << 48,
                number: u64::from(bin.offset_bits) | u64::from(bin.lower) << 16 | offset_mask << 48,
            }
        }));
        Some(())
    }

    /// Decodes `numbers`, without order or differences undone; gives the bits taken, or none where the source ends before.
    unsafe fn body(&mut self, source: &[u8], states: &mut [u32; 4], numbers: &mut [u16]) -> Option<u32> {
        self.batch.resize(BATCH, 0);
        let limit = source.len() as u32 * 8;
        let mut position = 0;
        for batch in numbers.chunks_mut(BATCH) {
            position = read_symbols(source.as_ptr(), position, &self.table, states, &mut self.batch[..batch.len()]);
            position = read_offsets(source.as_ptr(), position, &self.batch, batch);
            if position > limit {
                return None;
            }
        }
        Some(position)
    }
}

/// At least 57 bits from `position`, of which the caller uses no more.
#[inline(always)]
unsafe fn word_at(source: *const u8, position: u32) -> u64 {
    source.add((position >> 3) as usize).cast::<u64>().read_unaligned() >> (position & 7)
}

/// One symbol: its node's number, and in the low bytes of the result its counts of bits.
#[inline(always)]
unsafe fn step(table: *const Node, state: &mut u32, word: &mut u64, number: *mut u64) -> u32 {
    // Within the table, since base and mask do not overlap and are less than its size together.
    let node = table.byte_add(*state as usize);
    let next = (*node).next;
    number.write((*node).number);
    let (base, mask) = ((next >> 32) as u32 & 0xffff, (next >> 48) as u32);
    *state = base | (*word as u32 & mask);
    *word >>= next & 63;
    next as u32
}

/// Walks the four interleaved states over one batch; gives the position behind it.
#[inline(never)]
unsafe fn read_symbols(source: *const u8, start: u32, table: &[Node], states: &mut [u32; 4], batch: &mut [u64]) -> u32 {
    let table = table.as_ptr();
    let mut position = start;
    let [mut a, mut b, mut c, mut d] = *states;
    let mut groups = batch.chunks_exact_mut(INTERLEAVING);
    for group in &mut groups {
        let mut word = word_at(source, position) << NODE_BYTES_LOG;
        let out = group.as_mut_ptr();
        let counts = step(table, &mut a, &mut word, out)
            .wrapping_add(step(table, &mut b, &mut word, out.add(1)))
            .wrapping_add(step(table, &mut c, &mut word, out.add(2)))
            .wrapping_add(step(table, &mut d, &mut word, out.add(3)));
        position += counts & 0xff;
    }
    *states = [a, b, c, d];
    for (number, state) in groups.into_remainder().iter_mut().zip(states) {
        let mut word = word_at(source, position) << NODE_BYTES_LOG;
        position += step(table, state, &mut word, number) & 0xff;
    }
    position
}

#[inline(always)]
fn add_offset(node: u64, word: u64) -> u16 {
    ((word & (node >> 48)) as u16).wrapping_add((node >> 16) as u16)
}

/// Adds to each symbol's lower bound the offset that follows the batch's symbols; gives the position behind them.
#[inline(never)]
unsafe fn read_offsets(source: *const u8, start: u32, batch: &[u64], numbers: &mut [u16]) -> u32 {
    let mut position = start;
    let done = numbers.len() / INTERLEAVING * INTERLEAVING;
    let mut groups = numbers.chunks_exact_mut(INTERLEAVING);
    for (group, nodes) in (&mut groups).zip(batch.chunks_exact(INTERLEAVING)) {
        let mut word = word_at(source, position);
        let mut counts = 0_u32;
        for (number, &node) in group.iter_mut().zip(nodes) {
            *number = add_offset(node, word);
            word >>= node & 63;
            counts = counts.wrapping_add(node as u32);
        }
        let taken = counts & 0xff;
        if taken > WORD_BITS {
            read_offsets_by_one(source, position, nodes, group);
        }
        position += taken;
    }
    read_offsets_by_one(source, position, &batch[done..], groups.into_remainder())
}

#[inline(never)]
unsafe fn read_offsets_by_one(source: *const u8, start: u32, nodes: &[u64], numbers: &mut [u16]) -> u32 {
    let mut position = start;
    for (number, &node) in numbers.iter_mut().zip(nodes) {
        *number = add_offset(node, word_at(source, position));
        position += node as u32 & 0xff;
    }
    position
}

/// Exclusive sums of differences, which are stored around the middle of the range.
#[cfg(target_arch = "wasm32")]
fn sum(numbers: &mut [u16], moment: u16) {
    use core::arch::wasm32::*;
    let middle = u16x8_splat(0x8000);
    let zero = u16x8_splat(0);
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
    sum_by_one(eights.into_remainder(), u16x8_extract_lane::<0>(before));
}

#[cfg(not(target_arch = "wasm32"))]
fn sum(numbers: &mut [u16], moment: u16) {
    sum_by_one(numbers, moment);
}

fn sum_by_one(numbers: &mut [u16], moment: u16) {
    let mut before = moment;
    for number in numbers {
        let difference = *number ^ 0x8000;
        *number = before;
        before = before.wrapping_add(difference);
    }
}

fn convert(numbers: &mut [u16], kind: Kind) {
    match kind {
        Kind::Unsigned => {}
        Kind::Signed => numbers.iter_mut().for_each(|number| *number ^= 0x8000),
        // The sign bit set stands for a positive float, of which only that bit is flipped.
        Kind::Float => numbers.iter_mut().for_each(|number| {
            let positive = (*number as i16 >> 15) as u16;
            *number ^= !positive | 0x8000;
        }),
    }
}
