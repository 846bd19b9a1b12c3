//! Weighted least squares over rows of samples. Sums run in a fixed order, so that every machine fits the same numbers.

use crate::model::MAX_TAPS;

/// Columns: the terms (a constant among them where there is one), and the target last.
const COLUMNS: usize = MAX_TAPS + 2;
/// Partial sums of a row, one for each place modulo this: what a compiler may turn into vectors without reordering.
pub(crate) const PARTS: usize = 16;

/// The normal equations of `terms` terms.
pub(crate) struct Fit {
    terms: usize,
    sums: Vec<f64>,
    columns: Vec<Vec<f32>>,
    weighted: Vec<f32>,
}

impl Fit {
    pub(crate) fn new(terms: usize, width: usize) -> Self {
        let padded = width.next_multiple_of(PARTS);
        Self {
            terms,
            sums: vec![0.0; COLUMNS * COLUMNS],
            columns: vec![vec![0.0; padded]; terms + 1],
            weighted: vec![0.0; padded],
        }
    }

    /// Room for one term's row; places beyond the row's width stay 0.
    pub(crate) fn column(&mut self, term: usize) -> &mut [f32] {
        &mut self.columns[term]
    }

    pub(crate) fn target(&mut self) -> &mut [f32] {
        &mut self.columns[self.terms]
    }

    /// Adds the row that the columns hold.
    ///
    /// @param weights one for each place; `None` is 1
    pub(crate) fn add_row(&mut self, weights: Option<&[f32]>) {
        for first in 0..self.terms {
            self.weighted.copy_from_slice(&self.columns[first]);
            if let Some(weights) = weights {
                for (value, &weight) in self.weighted.iter_mut().zip(weights) {
                    *value *= weight;
                }
            }
            for second in first..=self.terms {
                self.sums[first * COLUMNS + second] += f64::from(dot(&self.weighted, &self.columns[second]));
            }
        }
    }

    /// The coefficients; a little ridge keeps terms that repeat each other apart. Cholesky's decomposition.
    pub(crate) fn solve(&self) -> Vec<f64> {
        const RIDGE: f64 = 1e-6;
        let n = self.terms;
        let at = |row: usize, column: usize| self.sums[row.min(column) * COLUMNS + row.max(column)];
        let mut lower = vec![[0.0_f64; COLUMNS]; n];
        for row in 0..n {
            for column in 0..=row {
                let known: f64 = (0..column).map(|k| lower[row][k] * lower[column][k]).sum();
                lower[row][column] = if row == column {
                    (at(row, row) * (1.0 + RIDGE) + RIDGE - known).max(RIDGE).sqrt()
                } else {
                    (at(row, column) - known) / lower[column][column]
                };
            }
        }
        let mut solution = vec![0.0; n];
        for row in 0..n {
            let known: f64 = (0..row).map(|k| lower[row][k] * solution[k]).sum();
            solution[row] = (at(row, n) - known) / lower[row][row];
        }
        for row in (0..n).rev() {
            let known: f64 = (row + 1..n).map(|k| lower[k][row] * solution[k]).sum();
            solution[row] = (solution[row] - known) / lower[row][row];
        }
        solution
    }
}

/// @param first, second of one length, a multiple of `PARTS`
pub(crate) fn dot(first: &[f32], second: &[f32]) -> f32 {
    let mut parts = [0.0_f32; PARTS];
    for (a, b) in first.chunks_exact(PARTS).zip(second.chunks_exact(PARTS)) {
        for ((part, a), b) in parts.iter_mut().zip(a).zip(b) {
            *part += a * b;
        }
    }
    // Halves onto each other, in a fixed order.
    let mut count = PARTS / 2;
    while count > 0 {
        let (low, high) = parts.split_at_mut(count);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
        count /= 2;
    }
    parts[0]
}

/// Coefficients in units of 2^-bits.
pub(crate) fn quantise(coefficients: &[f64], bits: u32) -> Vec<i32> {
    let unit = f64::from(1_u32 << bits);
    coefficients.iter().map(|value| (value * unit).round().clamp(-32_767.0, 32_767.0) as i32).collect()
}
