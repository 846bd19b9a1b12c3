//! One channel's samples with a margin, so that every neighbour that a prediction asks for is there.

/// Rows kept above (two rows up) and below (one row down) the channel.
const ABOVE: usize = 2;
const BELOW: usize = 1;

pub(crate) struct Plane {
    samples: Vec<i16>,
    stride: usize,
    height: usize,
}

impl Plane {
    /// `above` is what stands above the first row.
    pub(crate) fn new(height: usize, width: usize, above: i16) -> Self {
        let stride = width + 2;
        let mut samples = vec![0; (height + ABOVE + BELOW) * stride];
        samples[..ABOVE * stride].fill(above);
        Self { samples, stride, height }
    }

    /// Row `y` from -2 to `height`, shifted by `dx` from -1 to 1; as long as the channel is wide.
    #[inline]
    pub(crate) fn row(&self, y: isize, dx: isize) -> &[i16] {
        let start = (y + ABOVE as isize) as usize * self.stride + (1 + dx) as usize;
        &self.samples[start..start + self.stride - 2]
    }

    /// Sets a row and the margins that follow from it: its ends repeated, the last row once more below.
    pub(crate) fn set_row(&mut self, y: usize, row: &[i16]) {
        let start = (y + ABOVE) * self.stride;
        let line = &mut self.samples[start..start + self.stride];
        line[1..=row.len()].copy_from_slice(row);
        line[0] = row[0];
        line[self.stride - 1] = row[row.len() - 1];
        if y + 1 == self.height {
            self.samples.copy_within(start..start + self.stride, start + self.stride);
        }
    }
}
