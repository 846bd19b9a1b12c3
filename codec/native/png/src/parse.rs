//! Two parsers: runs of one byte only, for pictures that are mostly noise, and a hash-chain LZ77 for the others.
use crate::tokens::{Tokens, WINDOW};

/// Runs are looked for in steps of eight bytes, so that a run of fifteen is always seen.
const STEP: usize = 8;
const MIN_RUN: usize = 8;

#[inline(always)]
fn load64(data: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(data[at..at + 8].try_into().unwrap())
}

#[inline(always)]
fn load32(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(data[at..at + 4].try_into().unwrap())
}

/// Matches at distance 1 only; costs little more than reading the data.
pub fn runs(data: &[u8], from: usize, to: usize, tokens: &mut Tokens) {
    tokens.start_at(from);
    let mut at = from + 1;
    let mut free = from;
    while at + 8 <= to {
        if load64(data, at) != load64(data, at - 1) {
            at += STEP;
            continue;
        }
        let value = data[at];
        let mut start = at;
        while start > free + 1 && data[start - 1] == value && data[start - 2] == value {
            start -= 1;
        }
        let length = 8 + (at - start) + equal_bytes(data, at + 7, at + 8, to);
        if length >= MIN_RUN {
            tokens.push(data, start, length, 1);
            free = start + length;
        }
        at = start + length + 1;
    }
    tokens.finish(data, to);
}

/// How many bytes from `b` equal those from `a < b`, up to `to`.
#[inline]
fn equal_bytes(data: &[u8], a: usize, b: usize, to: usize) -> usize {
    let mut length = 0;
    while b + length + 8 <= to {
        let difference = load64(data, a + length) ^ load64(data, b + length);
        if difference != 0 {
            return length + difference.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    while b + length < to && data[a + length] == data[b + length] {
        length += 1;
    }
    length
}

/// How hard the LZ77 parser looks.
#[derive(Clone, Copy)]
pub struct Search {
    /// Earlier places tried at each position.
    pub chain: usize,
    /// A match this long is taken without looking further.
    pub nice: usize,
    /// Look at the next position too before a match is taken.
    pub lazy: bool,
}

const HASH_BITS: u32 = 15;
const NOWHERE: u32 = u32::MAX;
/// Misses after which positions are skipped, one more for each doubling of this count.
const PATIENCE: usize = 64;

/// Hash chains over the window; kept between strips for their memory only.
#[derive(Default)]
pub struct Matcher {
    head: Vec<u32>,
    previous: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Match {
    length: usize,
    distance: usize,
    /// Bits saved against literals.
    gain: i32,
}

const NO_MATCH: Match = Match { length: 0, distance: 0, gain: 0 };

impl Matcher {
    /// Parses `data[from..to]`; matches do not reach before `from`. `literal_bits` is what a literal costs on average.
    pub fn parse(&mut self, data: &[u8], from: usize, to: usize, search: Search, literal_bits: i32, tokens: &mut Tokens) {
        self.head.clear();
        self.head.resize(1 << HASH_BITS, NOWHERE);
        self.previous.resize(WINDOW, NOWHERE);
        tokens.start_at(from);
        let mut at = from;
        let mut misses = 0;
        // Eight bytes are read at a time; the last few are literals.
        let last = to.saturating_sub(8);
        while at < last {
            let mut found = self.find(data, at, to, search, literal_bits);
            self.insert(data, at);
            if found.length == 0 {
                misses += 1;
                at += 1 + misses / PATIENCE;
                continue;
            }
            misses = 0;
            while search.lazy && found.length < search.nice && at + 1 < last {
                let next = self.find(data, at + 1, to, search, literal_bits);
                if next.gain <= found.gain {
                    break;
                }
                at += 1;
                self.insert(data, at);
                found = next;
            }
            tokens.push(data, at, found.length, found.distance);
            let end = at + found.length;
            at += 1;
            while at < end.min(last) {
                self.insert(data, at);
                at += 1;
            }
            at = end;
        }
        tokens.finish(data, to);
    }

    fn find(&self, data: &[u8], at: usize, to: usize, search: Search, literal_bits: i32) -> Match {
        let word = load32(data, at);
        let mut candidate = self.head[hash(word)];
        let mut best = NO_MATCH;
        for _ in 0..search.chain {
            if candidate == NOWHERE || at - candidate as usize > WINDOW {
                break;
            }
            let place = candidate as usize;
            if load32(data, place) == word && (best.length == 0 || data[place + best.length] == data[at + best.length]) {
                let length = 4 + equal_bytes(data, place + 4, at + 4, to);
                let gain = gain(length, at - place, literal_bits);
                if gain > best.gain {
                    best = Match { length, distance: at - place, gain };
                    if length >= search.nice || at + length >= to {
                        break;
                    }
                }
            }
            let next = self.previous[place % WINDOW];
            if next >= candidate {
                break;
            }
            candidate = next;
        }
        best
    }

    #[inline]
    fn insert(&mut self, data: &[u8], at: usize) {
        let slot = &mut self.head[hash(load32(data, at))];
        self.previous[at % WINDOW] = *slot;
        *slot = at as u32;
    }
}

#[inline(always)]
fn hash(word: u32) -> usize {
    (word.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

/// Bits that a match saves: its literals less about seven bits for a length, four for a distance, and the extra bits.
#[inline]
fn gain(length: usize, distance: usize, literal_bits: i32) -> i32 {
    let length_bits = 7 + (length.min(crate::tokens::MAX_MATCH) as u32 >> 3 | 1).ilog2() as i32;
    let distance_bits = 4 + (distance as u32 >> 1 | 1).ilog2() as i32;
    length.min(4096) as i32 * literal_bits - length_bits - distance_bits
}
