//! The chunks that latents are stored as: 16-bit numbers and f32, in classic mode or with low bits that are all the same, plain
//! or as first differences. Decoded some times faster than by `pco`, whose loops were made for native vector units. Every
//! other chunk, and every damaged one, is left to `pco`; what is decoded here is the same to the bit. The format is pco's
//! `docs/format.md`, version 4.

use crate::latent::Latent;

/// Bytes behind the source that must be readable: the most that one batch takes, and a word.
pub(crate) const PADDING: usize = BATCH * (MAX_SIZE_LOG as usize + 32) / 8 + 16;

const BATCH: usize = 256;
const INTERLEAVING: usize = 4;
/// A chunk has at most 2^24 numbers and less than 64 bits for each.
const MAX_CHUNK_BYTES: usize = 1 << 27;
/// States of four symbols and the seven bits before them fit one 64-bit word with the four low bits to spare. `pco` allows
/// 14, and takes 13 only for as many numbers and bins as no plane has.
const MAX_SIZE_LOG: u32 = 12;
/// What a word holds behind the up to seven bits before a position.
const WORD_BITS: u32 = 57;
/// States are kept as byte offsets into the table.
const NODE_BYTES_LOG: u32 = 4;

/// How a number follows from the unsigned integer of the same order that a file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unsigned,
    Signed,
    Float,
}

/// What a file holds of each number.
enum Mode<L> {
    Classic,
    /// All but some low bits, which are the same in each number but for the sign's flip.
    Quantized { low_bits: u32, low: L },
}

/// A tANS state. Shifts use the low six bits of their count alone, so a count in the lowest byte needs no mask.
#[derive(Clone, Copy)]
#[repr(C)]
struct Node {
    /// From bit 0: count of state bits to read, 8 for the count of offset bits, 32 base of the next state, 48 mask of its
    /// lower part, both in bytes of the table.
    next: u64,
    /// What `Latent` makes of the count of offset bits, which is in the lowest byte, and the lower bound.
    number: u64,
}

/// Buffers that are kept between calls.
#[derive(Default)]
pub(crate) struct Fast {
    table: Vec<Node>,
    symbols: Vec<u16>,
    /// `Node::number` of each symbol of one batch.
    batch: Vec<u64>,
}

struct Bin<L> {
    weight: u32,
    lower: L,
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

/// The binary logarithm of the table's size, and the bins of one variable.
fn read_bins<L: Latent>(bits: &mut Bits) -> Option<(u32, Vec<Bin<L>>)> {
    let size_log = bits.read(4)?;
    let count = bits.read(15)? as usize;
    if size_log > MAX_SIZE_LOG || count == 0 || count > 1 << size_log || (count == 1 && size_log > 0) {
        return None;
    }
    let mut bins = Vec::with_capacity(count);
    for _ in 0..count {
        let (weight, lower) = (bits.read(size_log)? + 1, L::from_u32(bits.read(L::BITS)?));
        let offset_bits = bits.read(L::BITS.ilog2() + 1).filter(|&count| count <= L::BITS)?;
        bins.push(Bin { weight, lower, offset_bits });
    }
    Some((size_log, bins))
}

impl Fast {
    /// Decodes the chunk that starts at `source`, behind its type and count, and gives the bytes that it takes. None where
    /// this decoder is not made for it or finds a fault; then `numbers` is in an unknown state.
    ///
    /// # Safety
    /// `PADDING` bytes behind `source` are readable.
    pub(crate) unsafe fn decode<L: Latent>(&mut self, source: &[u8], numbers: &mut [L], kind: Kind) -> Option<usize> {
        let source = &source[..source.len().min(MAX_CHUNK_BYTES)];
        let mut bits = Bits { source, position: 0 };
        let low_bits = match bits.read(4)? {
            0 => 0,
            3 if kind == Kind::Float => Some(bits.read(8)?).filter(|count| (1..=L::MANTISSA_BITS).contains(count))?,
            _ => return None,
        };
        let by_difference = match bits.read(4)? {
            0 => false,
            // Of order 1, the low bits by themselves.
            1 if bits.read(3)? == 1 && bits.read(1)? == 0 => true,
            _ => return None,
        };
        let (size_log, bins) = read_bins::<L>(&mut bits)?;
        let mode = match low_bits {
            0 => Mode::Classic,
            _ => match read_bins::<L>(&mut bits)? {
                (0, low) if low.len() == 1 && low[0].offset_bits == 0 => Mode::Quantized { low_bits, low: low[0].lower },
                _ => return None,
            },
        };
        bits.align()?;
        self.build(size_log, &bins)?;
        let moment = if by_difference { L::from_u32(bits.read(L::BITS)?) } else { L::from_u32(0) };
        let mut states = [0_u32; INTERLEAVING];
        for state in &mut states {
            *state = bits.read(size_log)? << NODE_BYTES_LOG;
        }
        bits.align()?;

        let start = bits.position / 8;
        // The last number of a page of differences is the sum of those before it.
        let coded = numbers.len() - usize::from(by_difference);
        let body = &source[start..];
        let widest = bins.iter().map(|bin| bin.offset_bits).max()?;
        let end = self.body(body, &mut states, &mut numbers[..coded], widest)?;
        let used = (end as usize).div_ceil(8);
        // Bits behind the last number must be zero.
        if end % 8 != 0 && body[used - 1] >> (end % 8) != 0 {
            return None;
        }
        if by_difference {
            if let Some(last) = numbers.last_mut() {
                *last = L::from_u32(0);
            }
            L::sum(numbers, moment);
        }
        match (mode, kind) {
            (Mode::Classic, Kind::Unsigned) => {}
            (Mode::Classic, Kind::Signed) => L::to_signed(numbers),
            (Mode::Classic, Kind::Float) => L::to_float(numbers),
            (Mode::Quantized { low_bits, low }, _) => L::to_quantized_float(numbers, low_bits, low),
        }
        Some(start + used)
    }

    /// The table of states: symbols spread by a stride near three fifths of it, each state's successor by Duda's rule.
    fn build<L: Latent>(&mut self, size_log: u32, bins: &[Bin<L>]) -> Option<()> {
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
            Node {
                next: u64::from(state_bits)
                    | u64::from(bin.offset_bits) << 8
                    | u64::from(base) << 32
                    | u64::from(mask) << 48,
                number: L::pack(bin.offset_bits, bin.lower),
            }
        }));
        Some(())
    }

    /// Decodes `numbers`, without order or differences undone; gives the bits taken, or none where the source ends before.
    unsafe fn body<L: Latent>(
        &mut self,
        source: &[u8],
        states: &mut [u32; INTERLEAVING],
        numbers: &mut [L],
        widest: u32,
    ) -> Option<u32> {
        // Where four offsets do not fit a word in a latent's few widest bins, each group tells; where they never do, none is tried.
        let grouped = widest * INTERLEAVING as u32 <= WORD_BITS || L::BITS == 16;
        self.batch.resize(BATCH, 0);
        let limit = source.len() as u32 * 8;
        let mut position = 0;
        for batch in numbers.chunks_mut(BATCH) {
            position = read_symbols(source.as_ptr(), position, &self.table, states, &mut self.batch[..batch.len()]);
            position = if grouped {
                read_offsets(source.as_ptr(), position, &self.batch, batch)
            } else {
                read_offsets_by_one(source.as_ptr(), position, &self.batch, batch)
            };
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

/// Adds to each symbol's lower bound the offset that follows the batch's symbols; gives the position behind them.
#[inline(never)]
unsafe fn read_offsets<L: Latent>(source: *const u8, start: u32, batch: &[u64], numbers: &mut [L]) -> u32 {
    let mut position = start;
    let done = numbers.len() / INTERLEAVING * INTERLEAVING;
    let mut groups = numbers.chunks_exact_mut(INTERLEAVING);
    for (group, nodes) in (&mut groups).zip(batch.chunks_exact(INTERLEAVING)) {
        let mut word = word_at(source, position);
        let mut counts = 0_u32;
        for (number, &node) in group.iter_mut().zip(nodes) {
            *number = L::add_offset(node, word);
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
unsafe fn read_offsets_by_one<L: Latent>(source: *const u8, start: u32, nodes: &[u64], numbers: &mut [L]) -> u32 {
    let mut position = start;
    for (number, &node) in numbers.iter_mut().zip(nodes) {
        *number = L::add_offset(node, word_at(source, position));
        position += node as u32 & 0xff;
    }
    position
}
