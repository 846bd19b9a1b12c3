//! A stream to the words of its tensor. Two channels are decoded side by side, the second some rows behind the first,
//! so that it may look at it: each number waits for the one to its left, and two such chains fill one core's time.

use crate::bits::BitReader;
use crate::float::{scale, Layout};
use crate::model::{add_rows, Channel, TapRows, ERROR_SHIFT, MAX_REFERENCES, SAMPLE_SHIFT, SERIAL_TAPS};
use crate::plane::Plane;
use crate::stream::{Header, Shape, HEADER_BYTES, LANES};
use crate::symbol::{clamp_mean, place, MAGNITUDE_BITS, SMALL_BITS, WORD_BITS};
use crate::tables::{Levels, Slots, CENTRE, CLASSES, ESCAPE, PRECISION, TOTAL};

/// How many rows a lane stays behind the one before it: a reference is looked at one row below.
const LAG: usize = 2;
/// A number takes at most two words of its stream.
const WORDS_A_NUMBER: usize = 2;

/// The state of one rANS stream: 64 bits, refilled by 32.
pub(crate) struct Lane {
    state: u64,
    next: usize,
    /// The stream's words and zeros for a row that runs beyond them.
    words: Vec<u32>,
    length: usize,
}

pub(crate) const LEAST_STATE: u64 = 1 << 32;

impl Lane {
    fn new(index: usize, bytes: &[u8], width: usize) -> Result<Self, String> {
        let length = bytes.len() / 4;
        let mut words = Vec::with_capacity(length + WORDS_A_NUMBER * width);
        words.extend(bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        words.resize(length + WORDS_A_NUMBER * width, 0);
        let state = match bytes.len() {
            0 => LEAST_STATE,
            4 => return Err(format!("stream {index}: ends within its state")),
            _ => u64::from(words[0]) << 32 | u64::from(words[1]),
        };
        if state < LEAST_STATE {
            return Err(format!("stream {index}: its state is under 2^32"));
        }
        Ok(Self { state, next: length.min(2), words, length })
    }

    fn check(&self, index: usize) -> Result<(), String> {
        if self.next > self.length {
            return Err(format!("stream {index}: ends early"));
        }
        Ok(())
    }

    fn finish(&self, index: usize) -> Result<(), String> {
        if self.state != LEAST_STATE || self.next != self.length {
            return Err(format!("stream {index}: does not end where its numbers do"));
        }
        Ok(())
    }
}

/// What stays the same along a row.
#[derive(Clone, Copy)]
struct Constants {
    layout: Layout,
    lowest_unit: i32,
    mean_taps: [i32; SERIAL_TAPS],
    scale_taps: [i32; SERIAL_TAPS],
    sample_mean: i32,
    least_scale: i32,
    /// Sample and error above the first number, which stand for those to its left.
    above: (i32, i32),
}

/// A row that a lane decodes: the sums of its terms by rows, and room for what comes out.
struct Row {
    constants: Constants,
    mean_sums: Vec<i32>,
    scale_sums: Vec<i32>,
    samples: Vec<i16>,
    errors: Vec<i16>,
    words: Vec<u16>,
}

impl Row {
    fn new(width: usize, layout: Layout) -> Self {
        let constants = Constants {
            layout,
            lowest_unit: 0,
            mean_taps: [0; SERIAL_TAPS],
            scale_taps: [0; SERIAL_TAPS],
            sample_mean: 0,
            least_scale: 0,
            above: (0, 0),
        };
        Self {
            constants,
            mean_sums: vec![0; width],
            scale_sums: vec![0; width],
            samples: vec![0; width],
            errors: vec![0; width],
            words: vec![0; width],
        }
    }

    fn prepare(&mut self, channel: &Channel, planes: &[Planes], index: usize, y: usize) {
        let own = &planes[index];
        let mut others: [&Plane; MAX_REFERENCES] = [&own.samples; MAX_REFERENCES];
        let mut rows = TapRows::default();
        for (other, &reference) in others.iter_mut().zip(&channel.references) {
            *other = &planes[reference].samples;
        }
        let count = channel.references.len();
        rows.gather(&own.samples, &others[..count], y);
        add_rows(&mut self.mean_sums, channel.mean << SAMPLE_SHIFT, &channel.mean_taps[SERIAL_TAPS..], rows.get());
        for (other, &reference) in others.iter_mut().zip(&channel.references) {
            *other = &planes[reference].errors;
        }
        rows.gather(&own.errors, &others[..count], y);
        let constant = channel.scale_constant.wrapping_mul(channel.error);
        add_rows(&mut self.scale_sums, constant, &channel.scale_taps[SERIAL_TAPS..], rows.get());
        let y = y as isize - 1;
        self.constants = Constants {
            layout: self.constants.layout,
            lowest_unit: self.constants.layout.lowest_unit(channel.shift),
            mean_taps: [channel.mean_taps[0], channel.mean_taps[1]],
            scale_taps: [channel.scale_taps[0], channel.scale_taps[1]],
            sample_mean: channel.mean,
            least_scale: channel.least_scale(),
            above: (i32::from(own.samples.row(y, 0)[0]), i32::from(own.errors.row(y, 0)[0])),
        };
    }

    /// The row in slices of one length, so that places within it need no checks of their own.
    fn cells(&mut self) -> Cells<'_> {
        let width = self.words.len();
        Cells {
            mean_sums: &self.mean_sums[..width],
            scale_sums: &self.scale_sums[..width],
            samples: &mut self.samples[..width],
            errors: &mut self.errors[..width],
            words: &mut self.words[..width],
        }
    }
}

struct Cells<'a> {
    mean_sums: &'a [i32],
    scale_sums: &'a [i32],
    samples: &'a mut [i16],
    errors: &'a mut [i16],
    words: &'a mut [u16],
}

/// Samples and errors of a channel.
pub(crate) struct Planes {
    pub(crate) samples: Plane,
    pub(crate) errors: Plane,
}

impl Planes {
    pub(crate) fn new(channel: &Channel, shape: Shape) -> Self {
        let Shape { height, width, .. } = shape;
        Self { samples: Plane::new(height, width, 0), errors: Plane::new(height, width, channel.error as i16) }
    }
}

/// What passes from a number to the next in its row, in registers.
struct Chain {
    state: u64,
    next: usize,
    left: [i32; SERIAL_TAPS],
    left_errors: [i32; SERIAL_TAPS],
}

impl Chain {
    fn enter(lane: &Lane, row: &Row) -> Self {
        let (sample, error) = row.constants.above;
        Self { state: lane.state, next: lane.next, left: [sample; 2], left_errors: [error; 2] }
    }

    fn leave(self, lane: &mut Lane) {
        lane.state = self.state;
        lane.next = self.next;
    }

    #[inline(always)]
    fn take(&mut self, bits: u32) -> i32 {
        let value = self.state & ((1 << bits) - 1);
        self.state >>= bits;
        value as i32
    }

    #[inline(always)]
    fn refill(&mut self, words: &[u32]) {
        let word = u64::from(words[self.next]);
        let low = self.state < LEAST_STATE;
        self.state = if low { self.state << 32 | word } else { self.state };
        self.next += usize::from(low);
    }

    #[inline(always)]
    fn step(&mut self, row: &Constants, cells: &mut Cells, words: &[u32], tables: &Tables, x: usize) {
        let layout = row.layout;
        let mean = cells.mean_sums[x]
            .wrapping_add(row.mean_taps[0].wrapping_mul(self.left[0]))
            .wrapping_add(row.mean_taps[1].wrapping_mul(self.left[1]));
        let sum = cells.scale_sums[x]
            .wrapping_add(row.scale_taps[0].wrapping_mul(self.left_errors[0]))
            .wrapping_add(row.scale_taps[1].wrapping_mul(self.left_errors[1]));
        let place = place(layout, clamp_mean(mean), sum, row.least_scale);

        let table = &tables[place.class & (CLASSES - 1)];
        let slot = (self.state as u32) & (TOTAL - 1);
        let bin = usize::from(table.bins[slot as usize]);
        let range = table.ranges[bin];
        self.state = u64::from(range >> 16) * (self.state >> PRECISION) + u64::from(slot - (range & 0xffff));

        let position = bin as i32 - CENTRE + (place.mean >> place.shift);
        let sign = position >> 31;
        let mut top = position ^ sign;
        let mut shift = place.shift;
        let (word, value);
        if bin == ESCAPE || top == 0 {
            let (whole, small) = self.rare(words, bin == ESCAPE, sign);
            if small == 0 {
                word = whole;
                value = layout.value(layout.widened(word), row.lowest_unit);
                self.finish_number(row, cells, words, x, word, value, place.mean);
                return;
            }
            (top, shift) = (small, shift - SMALL_BITS as i32);
        }
        let highest = 31 - (top as u32).leading_zeros() as i32;
        let unit = (highest + shift - layout.mantissa as i32).max(row.lowest_unit);
        let plain = shift - unit;
        let significand = if plain >= 0 {
            let plain = plain.min(MAGNITUDE_BITS as i32) as u32;
            top << plain | self.take(plain)
        } else {
            top >> plain.unsigned_abs().min(31)
        };
        let magnitude = ((unit - row.lowest_unit) << layout.mantissa).wrapping_add(significand);
        word = ((magnitude & 0x7fff) | (sign & 0x8000)) as u16;
        value = scale(significand, unit) ^ sign;
        self.finish_number(row, cells, words, x, word, value, place.mean);
    }

    /// An escape, or a number in the bin at zero: its word whole and 0, or its leading bits below the bin's width.
    #[inline(never)]
    fn rare(&mut self, words: &[u32], escape: bool, sign: i32) -> (u16, i32) {
        if escape {
            return (self.take(WORD_BITS) as u16, 0);
        }
        let small = self.take(SMALL_BITS);
        self.refill(words);
        if small == 0 {
            return ((self.take(MAGNITUDE_BITS) | (sign & 0x8000)) as u16, 0);
        }
        (0, small)
    }

    #[inline(always)]
    fn finish_number(&mut self, row: &Constants, cells: &mut Cells, words: &[u32], x: usize, word: u16, value: i32, mean: i32) {
        self.refill(words);
        let sample = (value >> SAMPLE_SHIFT) - row.sample_mean;
        let sample = sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
        let error = ((value - mean).abs() >> ERROR_SHIFT).min(i32::from(i16::MAX));
        self.left = [sample, self.left[0]];
        self.left_errors = [error, self.left_errors[0]];
        cells.words[x] = word;
        cells.samples[x] = sample as i16;
        cells.errors[x] = error as i16;
    }
}

#[inline(never)]
fn decode_row(lane: &mut Lane, row: &mut Row, tables: &Tables) {
    let mut chain = Chain::enter(lane, row);
    let constants = row.constants;
    let mut cells = row.cells();
    for x in 0..cells.words.len() {
        chain.step(&constants, &mut cells, &lane.words, tables, x);
    }
    chain.leave(lane);
}

#[inline(never)]
fn decode_two_rows(lanes: &mut [Lane; LANES], rows: &mut [Row; LANES], tables: &Tables) {
    let ([first, second], [first_row, second_row]) = (lanes, rows);
    let mut one = Chain::enter(first, first_row);
    let mut two = Chain::enter(second, second_row);
    let (first_constants, second_constants) = (first_row.constants, second_row.constants);
    let (mut first_cells, mut second_cells) = (first_row.cells(), second_row.cells());
    for x in 0..first_cells.words.len().min(second_cells.words.len()) {
        one.step(&first_constants, &mut first_cells, &first.words, tables, x);
        two.step(&second_constants, &mut second_cells, &second.words, tables, x);
    }
    one.leave(first);
    two.leave(second);
}

type Tables = [Slots; CLASSES];

/// The words of a modelled stream, channel by channel.
pub(crate) fn decode(file: &[u8], header: &Header) -> Result<Vec<u16>, String> {
    let (shape, layout) = (header.shape, header.layout());
    let (model, streams) = file[HEADER_BYTES..].split_at(header.model_bytes);
    let mut bits = BitReader::new(model);
    let channels =
        (0..shape.channels).map(|index| Channel::read(index, layout, &mut bits)).collect::<Result<Vec<_>, _>>()?;
    let tables = (0..CLASSES)
        .map(|_| {
            let levels = if bits.bits(1)? == 1 { Some(Levels::read(&mut bits)?) } else { None };
            // A class without a table escapes always.
            Ok(Slots::of(&levels.as_ref().map_or_else(Levels::escape_only, Levels::frequencies)))
        })
        .collect::<Result<Vec<_>, String>>()?;
    bits.finish()?;
    let tables: Box<Tables> = tables.try_into().map_err(|_| "model: tables".to_owned())?;

    let (first, second) = streams.split_at(header.stream_bytes[0]);
    let mut lanes = [Lane::new(0, first, shape.width)?, Lane::new(1, second, shape.width)?];
    let mut rows = [Row::new(shape.width, layout), Row::new(shape.width, layout)];
    let mut planes: Vec<Planes> = Vec::with_capacity(shape.channels);
    planes.extend(channels.iter().map(|channel| Planes::new(channel, shape)));
    let mut words = vec![0; shape.channels * shape.plane()];

    for group in (0..shape.channels).step_by(LANES) {
        let members = LANES.min(shape.channels - group);
        for turn in 0..shape.height + LAG * (members - 1) {
            let row_of = |lane: usize| turn.checked_sub(LAG * lane).filter(|&y| lane < members && y < shape.height);
            for lane in 0..LANES {
                if let Some(y) = row_of(lane) {
                    rows[lane].prepare(&channels[group + lane], &planes, group + lane, y);
                }
            }
            match (row_of(0), row_of(1)) {
                (Some(_), Some(_)) => decode_two_rows(&mut lanes, &mut rows, &tables),
                (Some(_), None) => decode_row(&mut lanes[0], &mut rows[0], &tables),
                (None, Some(_)) => decode_row(&mut lanes[1], &mut rows[1], &tables),
                (None, None) => {}
            }
            for lane in 0..LANES {
                if let Some(y) = row_of(lane) {
                    lanes[lane].check(lane)?;
                    let start = (group + lane) * shape.plane() + y * shape.width;
                    words[start..start + shape.width].copy_from_slice(&rows[lane].words);
                    planes[group + lane].samples.set_row(y, &rows[lane].samples);
                    planes[group + lane].errors.set_row(y, &rows[lane].errors);
                }
            }
        }
    }
    for (index, lane) in lanes.iter().enumerate() {
        lane.finish(index)?;
    }
    if layout.dropped > 0 {
        words.iter_mut().for_each(|word| *word = layout.widened(*word));
    }
    Ok(words)
}
