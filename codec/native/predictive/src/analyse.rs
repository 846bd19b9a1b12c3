//! What the compressor finds out about a tensor: for each channel its references and coefficients.

use crate::decode::Planes;
use crate::fit::{quantise, Fit};
use crate::float::Layout;
use crate::model::{
    add_rows, Channel, TapRows, ERROR_SHIFT, MAX_REFERENCES, SAMPLE_SHIFT, SCALE_BITS
};
use crate::plane::Plane;
use crate::stream::Shape;
use crate::symbol::clamp_mean;

/// Rows are left out of the sums so that about this many numbers of a channel are looked at.
const ENOUGH_NUMBERS: usize = 4096;
/// The part of a residual's variance that a reference must explain to be worth its coefficients.
const LEAST_GAIN: f64 = 0.006;

/// A channel with what its prediction gives on every number.
pub(crate) struct Analysed {
    pub(crate) channel: Channel,
    /// Fixed-point values, predicted means and sums of the scale's terms.
    pub(crate) values: Vec<i32>,
    pub(crate) means: Vec<i32>,
    pub(crate) scales: Vec<i32>,
}

pub(crate) struct Analyser<'a> {
    shape: Shape,
    layout: Layout,
    words: &'a [u16],
    planes: Vec<Planes>,
    /// Residuals of predictions from the channel alone, of the rows that are looked at.
    residuals: Vec<Vec<f32>>,
    step: usize,
}

impl<'a> Analyser<'a> {
    pub(crate) fn new(words: &'a [u16], shape: Shape, layout: Layout) -> Self {
        let step = (shape.plane() / ENOUGH_NUMBERS).clamp(1, shape.height);
        Self { shape, layout, words, planes: Vec::new(), residuals: Vec::new(), step }
    }

    /// The next channel.
    pub(crate) fn next(&mut self) -> Analysed {
        let index = self.planes.len();
        let plane = self.shape.plane();
        let words = &self.words[index * plane..(index + 1) * plane];
        let shift = self.shift(words);
        let lowest_unit = self.layout.lowest_unit(shift);
        let values: Vec<i32> = words.iter().map(|&word| self.layout.value(word, lowest_unit)).collect();
        let sum: i64 = values.iter().map(|&value| i64::from(value >> SAMPLE_SHIFT)).sum();
        let mean = sum.div_euclid(plane as i64) as i32;
        let mut channel = Channel { shift, mean, ..Channel::default() };
        let mut samples = Plane::new(self.shape.height, self.shape.width, 0);
        let mut row = vec![0_i16; self.shape.width];
        for (y, line) in values.chunks_exact(self.shape.width).enumerate() {
            for (sample, &value) in row.iter_mut().zip(line) {
                *sample = ((value >> SAMPLE_SHIFT) - mean).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
            }
            samples.set_row(y, &row);
        }
        self.planes.push(Planes { samples, errors: Plane::new(1, 1, 0) });

        let alone = self.fit_mean(index, &channel, None);
        self.keep_residual(index, &alone);
        channel.references = self.choose_references(index);
        let mut means = vec![0; plane];
        channel.mean_taps = quantise(&self.fit_mean(index, &channel, None), SAMPLE_SHIFT);
        self.predict(index, &mut channel, &values, &mut means);
        let mut scales = vec![0; plane];
        self.fit_scale(index, &mut channel, None, &mut scales);
        let weights = self.weights(&channel, &scales);
        channel.mean_taps = quantise(&self.fit_mean(index, &channel, Some(&weights)), SAMPLE_SHIFT);
        self.predict(index, &mut channel, &values, &mut means);
        self.fit_scale(index, &mut channel, Some(&weights), &mut scales);
        Analysed { channel, values, means, scales }
    }

    /// From the median exponent, which no outlier moves.
    fn shift(&self, words: &[u16]) -> i32 {
        let exponent_bits = 15 - self.layout.dropped - self.layout.mantissa;
        let mut counts = vec![0_usize; 1 << exponent_bits];
        for &word in words {
            counts[usize::from((word & 0x7fff) >> (self.layout.dropped + self.layout.mantissa))] += 1;
        }
        let mut below = 0;
        let median = counts.iter().position(|&count| {
            below += count;
            below * 2 >= words.len()
        });
        self.layout.shift_for(median.unwrap_or(0) as u32)
    }

    /// Every tap's row, the serial ones included, of samples or of errors.
    fn with_rows<R>(
        &self,
        index: usize,
        channel: &Channel,
        y: usize,
        pick: fn(&Planes) -> &Plane,
        use_rows: impl FnOnce(&[&[i16]]) -> R,
    ) -> R {
        let own = pick(&self.planes[index]);
        let references: Vec<&Plane> = channel.references.iter().map(|&other| pick(&self.planes[other])).collect();
        let line = own.row(y as isize, 0);
        let first = own.row(y as isize - 1, 0)[0];
        // The row once more, moved right by two behind what stands to the left of its first number.
        let left = [&[first; 2], &line[..line.len() - 1]].concat();
        let mut rows = TapRows::default();
        rows.push(&left[1..]);
        rows.push(&left[..line.len()]);
        rows.append(own, &references, y);
        use_rows(rows.get())
    }

    fn fit_mean(&self, index: usize, channel: &Channel, weights: Option<&[f32]>) -> Vec<f64> {
        let width = self.shape.width;
        let mut fit = Fit::new(channel.taps(), width);
        for y in (0..self.shape.height).step_by(self.step) {
            self.with_rows(index, channel, y, |planes| &planes.samples, |rows| {
                for (term, row) in rows.iter().enumerate() {
                    widen(fit.column(term), row);
                }
            });
            widen(fit.target(), self.planes[index].samples.row(y as isize, 0));
            fit.add_row(weights.map(|weights| &weights[y * width..(y + 1) * width]));
        }
        fit.solve()
    }

    fn keep_residual(&mut self, index: usize, taps: &[f64]) {
        let taps: Vec<f32> = taps.iter().map(|&tap| tap as f32).collect();
        let alone = Channel::default();
        let mut residual = Vec::new();
        for y in (0..self.shape.height).step_by(self.step) {
            let target = self.planes[index].samples.row(y as isize, 0);
            self.with_rows(index, &alone, y, |planes| &planes.samples, |rows| {
                let start = residual.len();
                residual.extend(target.iter().map(|&sample| f32::from(sample)));
                for (row, &tap) in rows.iter().zip(&taps) {
                    for (value, &sample) in residual[start..].iter_mut().zip(*row) {
                        *value -= tap * f32::from(sample);
                    }
                }
            });
        }
        let padded = residual.len().next_multiple_of(crate::fit::PARTS);
        residual.resize(padded, 0.0);
        self.residuals.push(residual);
    }

    /// The earlier channels whose residuals explain most of this one's, in the order of their share.
    fn choose_references(&self, index: usize) -> Vec<usize> {
        let own = &self.residuals[index];
        let energy = crate::fit::dot(own, own).max(1.0);
        let mut shares: Vec<(f64, usize)> = (0..index)
            .map(|other| {
                let theirs = &self.residuals[other];
                let common = f64::from(crate::fit::dot(own, theirs));
                let their_energy = f64::from(crate::fit::dot(theirs, theirs).max(1.0));
                (common * common / (f64::from(energy) * their_energy), other)
            })
            .filter(|&(share, _)| share > LEAST_GAIN)
            .collect();
        shares.sort_by(|a, b| b.0.total_cmp(&a.0));
        shares.iter().take(MAX_REFERENCES).map(|&(_, other)| other).collect()
    }

    /// Predicts every number with the quantised coefficients and keeps the errors.
    fn predict(&mut self, index: usize, channel: &mut Channel, values: &[i32], means: &mut [i32]) {
        let Shape { height, width, .. } = self.shape;
        let mut total = 0_i64;
        let mut errors = vec![0_i16; height * width];
        for y in 0..height {
            let place = y * width..(y + 1) * width;
            let sums = &mut means[place.clone()];
            self.with_rows(index, channel, y, |planes| &planes.samples, |rows| {
                add_rows(sums, channel.mean << SAMPLE_SHIFT, &channel.mean_taps, rows);
            });
            for ((sum, &value), error) in sums.iter_mut().zip(&values[place.clone()]).zip(&mut errors[place]) {
                *sum = clamp_mean(*sum);
                *error = ((value - *sum).abs() >> ERROR_SHIFT).min(i32::from(i16::MAX)) as i16;
                total += i64::from(*error);
            }
        }
        channel.error = (total / (height * width) as i64) as i32;
        let mut plane = Plane::new(height, width, channel.error as i16);
        for (y, row) in errors.chunks_exact(width).enumerate() {
            plane.set_row(y, row);
        }
        self.planes[index].errors = plane;
    }

    /// Least squares of the absolute error, and what the quantised coefficients give on every number.
    fn fit_scale(&self, index: usize, channel: &mut Channel, weights: Option<&[f32]>, scales: &mut [i32]) {
        let quantised = quantise(&self.fit_errors(index, channel, weights), SCALE_BITS);
        channel.scale_constant = quantised[0];
        channel.scale_taps = quantised[1..].to_vec();
        let constant = channel.scale_constant.wrapping_mul(channel.error);
        for (y, row) in scales.chunks_exact_mut(self.shape.width).enumerate() {
            self.with_rows(index, channel, y, |planes| &planes.errors, |rows| {
                add_rows(row, constant, &channel.scale_taps, rows);
            });
        }
    }

    fn fit_errors(&self, index: usize, channel: &Channel, weights: Option<&[f32]>) -> Vec<f64> {
        let width = self.shape.width;
        let mut fit = Fit::new(1 + channel.taps(), width);
        let constant = channel.error as f32;
        fit.column(0)[..width].fill(constant);
        for y in (0..self.shape.height).step_by(self.step) {
            self.with_rows(index, channel, y, |planes| &planes.errors, |rows| {
                for (term, row) in rows.iter().enumerate() {
                    widen(fit.column(term + 1), row);
                }
            });
            widen(fit.target(), self.planes[index].errors.row(y as isize, 0));
            fit.add_row(weights.map(|weights| &weights[y * width..(y + 1) * width]));
        }
        fit.solve()
    }

    /// One over the square of the scale, 1 where the scale is the channel's mean error.
    fn weights(&self, channel: &Channel, scales: &[i32]) -> Vec<f32> {
        let least = channel.least_scale();
        let unit = (channel.error.max(1) << SCALE_BITS) as f32;
        scales
            .iter()
            .map(|&scale| {
                let ratio = unit / scale.max(least) as f32;
                ratio * ratio
            })
            .collect()
    }
}

fn widen(column: &mut [f32], row: &[i16]) {
    for (value, &sample) in column.iter_mut().zip(row) {
        *value = f32::from(sample);
    }
}
