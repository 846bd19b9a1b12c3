//! One strip from pixels to deflate blocks, at one of three efforts.
use crate::adler::adler32;
use crate::costs::Costs;
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

const QUICK: Search = Search {
    chain: 32,
    nice: 128,
    lazy: 16,
    patience: 64,
};
/// Bounded so that a megapixel of noise takes well under a second.
const THOROUGH: Search = Search {
    chain: 48,
    nice: 258,
    lazy: 64,
    patience: 48,
};
/// Some seconds for a megapixel of noise, since all six filters are tried with it.
const EXHAUSTIVE: Search = Search {
    chain: 64,
    nice: 258,
    lazy: 258,
    patience: 96,
};

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
            Effort::Small => self.encode_best(
                row_bytes,
                pixel_bytes,
                &[Choice::Adaptive, Choice::Fixed(0)],
                THOROUGH,
                1,
            ),
            Effort::Smallest => {
                let choices = [
                    Choice::Adaptive,
                    Choice::Fixed(0),
                    Choice::Fixed(1),
                    Choice::Fixed(2),
                    Choice::Fixed(3),
                    Choice::Fixed(4),
                ];
                self.encode_best(row_bytes, pixel_bytes, &choices, EXHAUSTIVE, 2);
            }
        }
        self.adler = adler32(&self.filtered);
        write_blocks(&self.filtered, &self.tokens, &mut self.output);
    }

    fn encode_fast(&mut self, row_bytes: usize, pixel_bytes: usize) {
        let Self {
            input,
            filters,
            filtered,
            tokens,
            other,
            matcher,
            ..
        } = self;
        filters.run(
            &Rows {
                pixels: input,
                row_bytes,
                pixel_bytes,
            },
            Choice::Adaptive,
            filtered,
        );
        let end = filtered.len();
        runs(filtered, 0, end, tokens);
        let bits = merge_blocks(&mut tokens.blocks);
        if !is_flat(tokens, end) {
            return;
        }
        matcher.parse(
            filtered,
            0,
            end,
            QUICK,
            &Costs::guess(&tokens.blocks),
            other,
        );
        if merge_blocks(&mut other.blocks) < bits {
            core::mem::swap(tokens, other);
        }
    }

    fn encode_best(
        &mut self,
        row_bytes: usize,
        pixel_bytes: usize,
        choices: &[Choice],
        search: Search,
        passes: usize,
    ) {
        let Self {
            input,
            filters,
            filtered,
            candidate,
            tokens,
            other,
            matcher,
            ..
        } = self;
        let mut least = u64::MAX;
        for &choice in choices {
            filters.run(
                &Rows {
                    pixels: input,
                    row_bytes,
                    pixel_bytes,
                },
                choice,
                candidate,
            );
            let end = candidate.len();
            for pass in 0..=passes {
                match pass {
                    0 => runs(candidate, 0, end, other),
                    _ => {
                        let costs = if pass == 1 {
                            Costs::guess(&other.blocks)
                        } else {
                            Costs::count(&other.blocks)
                        };
                        matcher.parse(candidate, 0, end, search, &costs, other);
                    }
                }
                let bits = merge_blocks(&mut other.blocks);
                if bits < least {
                    least = bits;
                    tokens.clone_from(other);
                    filtered.clone_from(candidate);
                }
            }
        }
    }
}

/// Drawings, depth maps and screenshots are runs for more than three quarters of their filtered bytes. Elsewhere matches
/// save some percent at most and take as long as all the rest many times over.
fn is_flat(tokens: &Tokens, bytes: usize) -> bool {
    let literals: usize = tokens
        .sequences
        .iter()
        .map(|sequence| sequence.literals as usize)
        .sum();
    literals * 4 < bytes
}
