//! The words of a tensor to a stream: analysis, tables from counts, and the numbers coded from last to first.

use crate::analyse::{Analysed, Analyser};
use crate::bits::BitWriter;
use crate::decode::LEAST_STATE;
use crate::float::{Layout, VALUE_LIMIT};
use crate::stream::{Shape, LANES};
use crate::symbol::{place, MAGNITUDE_BITS, SMALL_BITS, WORD_BITS};
use crate::tables::{Levels, BINS, CENTRE, CLASSES, ESCAPE, PRECISION};

/// A class of fewer numbers is not worth a table: they are escaped.
const LEAST_COUNT: u32 = 24;

/// What a number is coded as: a bin of a class's table, then plain bits, and more plain bits where it is near zero.
#[derive(Clone, Copy)]
struct Coded {
    class: u8,
    bin: u8,
    bits: u8,
    more_bits: u8,
    plain: u16,
    more_plain: u16,
}

/// The coded form of a number whose prediction is known.
fn code(layout: Layout, lowest_unit: i32, word: u16, value: i32, mean: i32, scale: i32, least_scale: i32) -> Coded {
    let place = place(layout, mean, scale, least_scale);
    let escape = Coded {
        class: place.class as u8,
        bin: ESCAPE as u8,
        bits: WORD_BITS as u8,
        more_bits: 0,
        plain: layout.narrowed(word),
        more_plain: 0,
    };
    let bin = (value >> place.shift) - (mean >> place.shift) + CENTRE;
    let magnitude = value ^ (value >> 31);
    if magnitude >= VALUE_LIMIT || bin <= ESCAPE as i32 || bin >= BINS as i32 {
        return escape;
    }
    let (significand, unit) = layout.split(word, lowest_unit);
    let mut coded = Coded { bin: bin as u8, bits: 0, plain: 0, ..escape };
    let plain = |bits: i32| {
        let bits = bits.max(0) as u32;
        (bits as u8, (significand & ((1 << bits) - 1)) as u16)
    };
    if magnitude >> place.shift > 0 {
        (coded.bits, coded.plain) = plain(place.shift - unit);
        return coded;
    }
    // Near zero the bits below the bin's width come first, exactly as they are in the float.
    let shift = place.shift - SMALL_BITS as i32;
    let small = if unit >= shift {
        i64::from(significand) << (unit - shift)
    } else {
        i64::from(significand) >> (shift - unit).min(63)
    };
    coded.bits = SMALL_BITS as u8;
    coded.plain = small as u16;
    (coded.more_bits, coded.more_plain) = if small == 0 {
        (MAGNITUDE_BITS as u8, (word & 0x7fff) >> layout.dropped)
    } else {
        plain(shift - unit)
    };
    coded
}

fn code_channel(analysed: &Analysed, layout: Layout, words: &[u16], coded: &mut Vec<Coded>) {
    let Analysed { channel, values, means, scales } = analysed;
    let (lowest_unit, least_scale) = (layout.lowest_unit(channel.shift), channel.least_scale());
    coded.extend(words.iter().zip(values).zip(means.iter().zip(scales)).map(|((&word, &value), (&mean, &scale))| {
        code(layout, lowest_unit, word, value, mean, scale, least_scale)
    }));
}

struct Encoder {
    state: u64,
    /// From the last to the first.
    words: Vec<u32>,
}

impl Encoder {
    /// A slot range of 2^12 and plain bits above it, undone by one refill of the decompressor.
    fn put(&mut self, frequency: u32, start: u32, bits: u32, plain: u16) {
        let frequency = u64::from(frequency);
        if self.state >> (64 - PRECISION - bits) >= frequency {
            self.words.push(self.state as u32);
            self.state >>= 32;
        }
        let state = self.state << bits | u64::from(plain);
        self.state = (state / frequency) << PRECISION | (state % frequency + u64::from(start));
    }

    fn put_plain(&mut self, bits: u32, plain: u16) {
        if self.state >> (64 - bits) > 0 {
            self.words.push(self.state as u32);
            self.state >>= 32;
        }
        self.state = self.state << bits | u64::from(plain);
    }

    fn finish(mut self) -> Vec<u8> {
        self.words.push(self.state as u32);
        self.words.push((self.state >> 32) as u32);
        self.words.iter().rev().flat_map(|word| word.to_le_bytes()).collect()
    }
}

/// The parts of a modelled stream: model, then one stream for each lane.
pub(crate) fn encode(words: &[u16], shape: Shape, layout: Layout) -> (Vec<u8>, [Vec<u8>; LANES]) {
    let mut analyser = Analyser::new(words, shape, layout);
    let mut bits = BitWriter::default();
    let mut coded = Vec::with_capacity(words.len());
    for (index, words) in words.chunks_exact(shape.plane()).enumerate() {
        let analysed = analyser.next();
        analysed.channel.write(index, &mut bits);
        code_channel(&analysed, layout, words, &mut coded);
    }
    let mut counts = vec![[0_u32; BINS]; CLASSES];
    for number in &coded {
        counts[usize::from(number.class)][usize::from(number.bin)] += 1;
    }
    let mut ranges = Vec::with_capacity(CLASSES);
    for counts in &counts {
        let levels = (counts.iter().sum::<u32>() >= LEAST_COUNT).then(|| Levels::of(counts));
        bits.bits(u32::from(levels.is_some()), 1);
        if let Some(levels) = &levels {
            levels.write(&mut bits);
        }
        ranges.push(starts(&levels.map_or_else(Levels::escape_only, |levels| levels.frequencies())));
    }
    let streams = std::array::from_fn(|lane| {
        if lane >= shape.channels {
            return Vec::new();
        }
        let mut encoder = Encoder { state: LEAST_STATE, words: Vec::new() };
        for index in (lane..shape.channels).step_by(LANES).rev() {
            let place = index * shape.plane()..(index + 1) * shape.plane();
            for (number, &word) in coded[place.clone()].iter().zip(&words[place]).rev() {
                put(&mut encoder, &ranges, number, word, layout);
            }
        }
        encoder.finish()
    });
    (bits.into_words(), streams)
}

/// Frequency and start of each bin.
fn starts(frequencies: &[u32; BINS]) -> [(u32, u32); BINS] {
    let mut start = 0;
    frequencies.map(|frequency| {
        start += frequency;
        (frequency, start - frequency)
    })
}

fn put(encoder: &mut Encoder, ranges: &[[(u32, u32); BINS]], number: &Coded, word: u16, layout: Layout) {
    let table = &ranges[usize::from(number.class)];
    let (frequency, start) = table[usize::from(number.bin)];
    if frequency == 0 || usize::from(number.bin) == ESCAPE {
        let (frequency, start) = table[ESCAPE];
        encoder.put(frequency, start, WORD_BITS, layout.narrowed(word));
        return;
    }
    if number.more_bits > 0 {
        encoder.put_plain(u32::from(number.more_bits), number.more_plain);
    }
    encoder.put(frequency, start, u32::from(number.bits), number.plain);
}