//! One strip from pixels to deflate blocks, at one of three efforts.
use crate::adler::adler32;
use crate::deflate::{merge_blocks, write_blocks};
use crate::filter::{Choice, Filters, Rows};
use crate::parse::{runs, Matcher, Search};
use crate::tokens::Tokens;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    Fast,
    Small,
    Smallest,
}

const QUICK: Search = Search { chain: 8, nice: 64, lazy: true };
const THOROUGH: Search = Search { chain: 64, nice: 258, lazy: true };
const EXHAUSTIVE: Search = Search { chain: 1024, nice: 4096, lazy: true };

/// Buffers that are used again for the next strip.
#[derive(Default)]
pub struct Workspace {
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    pub adler: u32,
    filters: Filters,
    filtered: Vec<u8>,
    candidate: Vec<u8>,
    tokens: Tokens,
    other: Tokens,
    matcher: Matcher,
}

impl Workspace {
    /// Encodes the rows that `input` holds (with the row above before them) into `output`.
    pub fn encode(&mut self, row_bytes: usize, pixel_bytes: usize, effort: Effort) {
        match effort {
            Effort::Fast => self.encode_fast(row_bytes, pixel_bytes),
            Effort::Small => self.encode_best(row_bytes, pixel_bytes, &[Choice::Adaptive, Choice::Fixed(0)], THOROUGH),
            Effort::Smallest => {
                let choices = [Choice::Adaptive, Choice::Fixed(0), Choice::Fixed(1), Choice::Fixed(2), Choice::Fixed(3), Choice::Fixed(4)];
                self.encode_best(row_bytes, pixel_bytes, &choices, EXHAUSTIVE);
            }
        }
        self.adler = adler32(&self.filtered);
        write_blocks(&self.filtered, &self.tokens, &mut self.output);
    }

    fn encode_fast(&mut self, row_bytes: usize, pixel_bytes: usize) {
        let Self { input, filters, filtered, tokens, other, matcher, .. } = self;
        filters.run(&Rows { pixels: input, row_bytes, pixel_bytes }, Choice::Adaptive, filtered);
        let end = filtered.len();
        runs(filtered, 0, end, tokens);
        let bits = merge_blocks(&mut tokens.blocks);
        if matches_pay(filtered, bits, matcher, other) {
            matcher.parse(filtered, 0, end, QUICK, literal_bits(bits, end), tokens);
            merge_blocks(&mut tokens.blocks);
        }
    }

    fn encode_best(&mut self, row_bytes: usize, pixel_bytes: usize, choices: &[Choice], search: Search) {
        let Self { input, filters, filtered, candidate, tokens, other, matcher, .. } = self;
        let mut least = u64::MAX;
        for &choice in choices {
            filters.run(&Rows { pixels: input, row_bytes, pixel_bytes }, choice, candidate);
            let end = candidate.len();
            runs(candidate, 0, end, other);
            let run_bits = merge_blocks(&mut other.blocks);
            if run_bits < least {
                least = run_bits;
                core::mem::swap(tokens, other);
                filtered.clone_from(candidate);
            }
            matcher.parse(candidate, 0, end, search, literal_bits(run_bits, end), other);
            let bits = merge_blocks(&mut other.blocks);
            if bits < least {
                least = bits;
                core::mem::swap(tokens, other);
                filtered.clone_from(candidate);
            }
        }
    }
}

/// Rounded average, at least one.
fn literal_bits(bits: u64, bytes: usize) -> i32 {
    ((bits + bytes as u64 / 2) / bytes as u64).max(1) as i32
}

/// Samples of the strip that decide whether matches other than runs are worth looking for.
const SAMPLES: usize = 4;
const SAMPLE_BYTES: usize = 16 << 10;

fn matches_pay(filtered: &[u8], bits: u64, matcher: &mut Matcher, tokens: &mut Tokens) -> bool {
    let end = filtered.len();
    let (mut with_runs, mut with_matches) = (0, 0);
    for i in 0..SAMPLES {
        let from = end * i / SAMPLES;
        let to = end.min(from + SAMPLE_BYTES);
        runs(filtered, from, to, tokens);
        with_runs += merge_blocks(&mut tokens.blocks);
        matcher.parse(filtered, from, to, QUICK, literal_bits(bits, end), tokens);
        with_matches += merge_blocks(&mut tokens.blocks);
    }
    with_matches * 100 < with_runs * 98
}
