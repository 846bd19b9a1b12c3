//! Static frequency tables: how often each bin occurs at each scale, stored as steps of quarter octaves.

use crate::bits::{BitReader, BitWriter};

/// Frequencies of a table sum to 2^12.
pub(crate) const PRECISION: u32 = 12;
pub(crate) const TOTAL: u32 = 1 << PRECISION;
/// Bin 0 escapes; bin `CENTRE` is the one that holds the predicted mean.
pub(crate) const BINS: usize = 256;
pub(crate) const CENTRE: i32 = 128;
pub(crate) const ESCAPE: usize = 0;
/// Classes of scale relative to the width of a bin.
pub(crate) const CLASSES: usize = 32;

/// floor(2^(i / 4)): the weight of level i + 1; level 0 is weight 0.
const WEIGHTS: [u32; 4 * PRECISION as usize + 1] = weights();
const TOP_LEVEL: u32 = WEIGHTS.len() as u32;
const GOLOMB_STEP: u32 = 1;
const LEVEL_BITS: u32 = 6;

const fn weights() -> [u32; 4 * PRECISION as usize + 1] {
    // 2^(0/4), 2^(1/4), 2^(2/4), 2^(3/4) in 1/2^16.
    const ROOTS: [u64; 4] = [65_536, 77_935, 92_681, 110_217];
    let mut weights = [0; 4 * PRECISION as usize + 1];
    let mut index = 0;
    while index < weights.len() {
        weights[index] = ((ROOTS[index % 4] << (index / 4)) >> 16) as u32;
        index += 1;
    }
    weights
}

/// The level whose weight is nearest to a count that has been brought to a total of 2^12.
fn level_of(count: u32) -> u32 {
    if count == 0 {
        return 0;
    }
    let above = WEIGHTS.iter().position(|&weight| weight >= count).unwrap_or(WEIGHTS.len() - 1);
    let nearer_below = above > 0 && WEIGHTS[above] - count > count - WEIGHTS[above - 1];
    (above - usize::from(nearer_below)) as u32 + 1
}

/// Where a table's run begins, counted from one end towards the centre: an outlier is cheaper to escape than the bins
/// between it and the others, each of which takes a step in the model and at least one count from all numbers.
fn outermost(counts: impl Iterator<Item = u32>, total: u64) -> usize {
    /// Bits that an escape takes more than a bin far out, and bits of a step in the model.
    const ESCAPE_BITS: i64 = 12;
    const STEP_BITS: i64 = 2;
    let bin_bits = STEP_BITS + (total / u64::from(TOTAL)) as i64;
    let (mut cost, mut best, mut least) = (0, 0, 0);
    for (place, count) in counts.enumerate() {
        if cost < least {
            (best, least) = (place, cost);
        }
        cost += ESCAPE_BITS * i64::from(count) - bin_bits;
    }
    best
}

/// A table's levels: that of the escape, and those of a run of bins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Levels {
    escape: u32,
    first: usize,
    bins: Vec<u32>,
}

impl Levels {
    /// @param counts occurrences by bin, at least one of them not 0
    pub(crate) fn of(counts: &[u32; BINS]) -> Self {
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        let level = |count: u32| {
            let part = ((u64::from(count) * u64::from(TOTAL) + total / 2) / total) as u32;
            // Every bin of the run can be coded, the escape always.
            level_of(part).max(1)
        };
        let centre = CENTRE as usize;
        let first = outermost((1..=centre).map(|bin| counts[bin]), total) + 1;
        let last = BINS - 1 - outermost((centre..BINS).rev().map(|bin| counts[bin]), total);
        let outside: u32 = counts[1..first].iter().chain(&counts[last + 1..]).sum();
        let bins = (first..=last).map(|bin| level(counts[bin])).collect();
        Self { escape: level(counts[ESCAPE] + outside), first, bins }
    }

    /// The frequencies of a class without a table.
    pub(crate) fn escape_only() -> [u32; BINS] {
        let mut frequencies = [0; BINS];
        frequencies[ESCAPE] = TOTAL;
        frequencies
    }

    pub(crate) fn write(&self, bits: &mut BitWriter) {
        bits.bits(self.escape, LEVEL_BITS);
        bits.bits(self.first as u32, 8);
        bits.bits(self.bins.len() as u32 - 1, 8);
        let mut before = 1;
        for &level in &self.bins {
            bits.signed_golomb(level as i32 - before, GOLOMB_STEP);
            before = level as i32;
        }
    }

    pub(crate) fn read(bits: &mut BitReader) -> Result<Self, String> {
        let escape = bits.bits(LEVEL_BITS)?;
        let first = bits.bits(8)? as usize;
        let count = bits.bits(8)? as usize + 1;
        if first == ESCAPE || first + count > BINS {
            return Err("model: a table's bins are not within 1 to 255".to_owned());
        }
        let mut before = 1;
        let mut bins = Vec::with_capacity(count);
        for _ in 0..count {
            before += bits.signed_golomb(GOLOMB_STEP)?;
            bins.push(before as u32);
        }
        if bins.iter().chain([&escape]).any(|level| !(1..=TOP_LEVEL).contains(level)) {
            return Err(format!("model: a table's level is not within 1 to {TOP_LEVEL}"));
        }
        Ok(Self { escape, first, bins })
    }

    /// Frequencies that sum to 2^12, none of a listed bin 0: weights in proportion, what is left to the most frequent.
    pub(crate) fn frequencies(&self) -> [u32; BINS] {
        let mut frequencies = [0; BINS];
        frequencies[ESCAPE] = WEIGHTS[self.escape as usize - 1];
        for (bin, &level) in self.bins.iter().enumerate() {
            frequencies[self.first + bin] = WEIGHTS[level as usize - 1];
        }
        let sum: u32 = frequencies.iter().sum();
        // Each listed bin has one count to begin with, and its share of the rest.
        let listed = self.bins.len() as u32 + 1;
        let mut left = TOTAL;
        for frequency in &mut frequencies {
            if *frequency > 0 {
                *frequency = 1 + *frequency * (TOTAL - listed) / sum;
                left -= *frequency;
            }
        }
        let most = (0..BINS).fold(0, |best, bin| if frequencies[bin] > frequencies[best] { bin } else { best });
        frequencies[most] += left;
        frequencies
    }
}

/// A table for decoding: the bin of each of the 2^12 slots, and frequency and start of each bin.
pub(crate) struct Slots {
    pub(crate) bins: [u8; TOTAL as usize],
    /// Frequency << 16 | start.
    pub(crate) ranges: [u32; BINS],
}

impl Slots {
    pub(crate) fn of(frequencies: &[u32; BINS]) -> Self {
        let mut slots = Self { bins: [0; TOTAL as usize], ranges: [0; BINS] };
        let mut start = 0;
        for (bin, &frequency) in frequencies.iter().enumerate() {
            slots.bins[start as usize..(start + frequency) as usize].fill(bin as u8);
            slots.ranges[bin] = frequency << 16 | start;
            start += frequency;
        }
        slots
    }
}
