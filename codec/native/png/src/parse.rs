//! Two parsers: runs of one byte only, for pictures that are mostly noise, and a hash-chain LZ77 for the others.
use crate::costs::Costs;
use crate::tokens::{Tokens, MAX_MATCH, WINDOW};

/// Runs are looked for in steps of eight bytes, so that a run of sixteen is always seen.
const STEP: usize = 8;

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
        let end = at + 8 + equal_bytes(data, at + 7, at + 8, to);
        tokens.push(data, start, end - start, 1);
        free = end;
        at = end + 1;
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
    /// A match this long ends the search at its position.
    pub nice: usize,
    /// A match this long is taken without looking at the next position.
    pub lazy: usize,
    /// Misses after which a position is skipped, two after twice as many, and so on.
    pub patience: usize,
}

const HASH_BITS: u32 = 15;
const MIN_MATCH: usize = 3;
/// What a byte of a match is worth, in bits of its distance.
const BYTE_SCORE: i32 = 4;
const NOWHERE: u32 = u32::MAX;

/// Hash chains over the window, and what the bytes before each position cost as literals; kept for their memory only.
#[derive(Default)]
pub struct Matcher {
    head: Vec<u32>,
    previous: Vec<u32>,
    literals: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Match {
    length: usize,
    distance: usize,
    /// How good it is beside other matches that begin near it.
    score: i32,
}

const NO_MATCH: Match = Match {
    length: 0,
    distance: 0,
    score: 0,
};

impl Matcher {
    /// Parses `data[from..to]`, taking what saves the most by `costs`; matches do not reach before `from`.
    pub fn parse(
        &mut self,
        data: &[u8],
        from: usize,
        to: usize,
        search: Search,
        costs: &Costs,
        tokens: &mut Tokens,
    ) {
        self.head.clear();
        self.head.resize(1 << HASH_BITS, NOWHERE);
        self.previous.resize(WINDOW, NOWHERE);
        self.sum_literals(&data[from..to], costs);
        tokens.start_at(from);
        let mut at = from;
        let mut misses = 0;
        // Eight bytes are read at a time; the last few are literals.
        let last = to.saturating_sub(8);
        while at < last {
            let mut found = self.find(data, at, from, to, search, costs);
            self.insert(data, at);
            if found.length == 0 {
                misses += 1;
                at += 1 + misses / search.patience;
                continue;
            }
            misses = 0;
            while found.length < search.lazy && at + 1 < last {
                let next = self.find(data, at + 1, from, to, search, costs);
                if next.score <= found.score + BYTE_SCORE {
                    break;
                }
                at += 1;
                self.insert(data, at);
                found = next;
            }
            tokens.push(data, at, found.length, found.distance);
            let end = at + found.length;
            for covered in at + 1..end.min(last) {
                self.insert(data, covered);
            }
            at = end;
        }
        tokens.finish(data, to);
    }

    fn sum_literals(&mut self, data: &[u8], costs: &Costs) {
        self.literals.clear();
        self.literals.push(0);
        let mut sum = 0;
        self.literals.extend(data.iter().map(|&byte| {
            sum += u32::from(costs.literals[byte as usize]);
            sum
        }));
    }

    #[inline]
    fn find(
        &self,
        data: &[u8],
        at: usize,
        from: usize,
        to: usize,
        search: Search,
        costs: &Costs,
    ) -> Match {
        let end = to.min(at + MAX_MATCH);
        let mut best = NO_MATCH;
        let mut longest = MIN_MATCH - 1;
        let mut candidate = self.head[hash(load32(data, at))];
        for _ in 0..search.chain {
            if candidate == NOWHERE || at - candidate as usize > WINDOW {
                break;
            }
            let place = candidate as usize;
            // A farther match must be longer to be worth more.
            if data[place + longest] == data[at + longest] {
                let length = equal_bytes(data, place, at, end);
                if length > longest {
                    longest = length;
                    let distance = at - place;
                    let literals = self.literals[at - from + length] - self.literals[at - from];
                    let score = (length as i32) * BYTE_SCORE - (distance as u32).ilog2() as i32;
                    if score > best.score && literals > costs.of_match(length, distance) {
                        best = Match {
                            length,
                            distance,
                            score,
                        };
                    }
                    if length >= search.nice || at + length == end {
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

/// Of the first three bytes.
#[inline(always)]
fn hash(word: u32) -> usize {
    ((word << 8).wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}
