//! A little-endian bit writer over a buffer that was sized for the worst case beforehand.

/// Room that a write may touch beyond the last byte that counts.
pub const SLACK_BYTES: usize = 16;

pub struct BitWriter<'a> {
    out: &'a mut [u8],
    position: usize,
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub fn new(out: &'a mut [u8]) -> Self {
        Self {
            out,
            position: 0,
            bits: 0,
            count: 0,
        }
    }

    /// Adds bits without storing any; at most 56 may be added between two calls of `flush`.
    #[inline(always)]
    pub fn push(&mut self, value: u64, count: u32) {
        self.bits |= value << self.count;
        self.count += count;
    }

    /// Stores the whole bytes, which leaves at most seven bits.
    #[inline(always)]
    pub fn flush(&mut self) {
        let position = self.position;
        self.out[position..position + 8].copy_from_slice(&self.bits.to_le_bytes());
        let bytes = self.count >> 3;
        self.position += bytes as usize;
        self.bits >>= bytes * 8;
        self.count &= 7;
    }

    #[inline(always)]
    pub fn write(&mut self, value: u64, count: u32) {
        self.push(value, count);
        self.flush();
    }

    pub fn align(&mut self) {
        self.count = (self.count + 7) & !7;
        self.flush();
    }

    /// Copies bytes; the writer must stand on a byte boundary.
    pub fn bytes(&mut self, data: &[u8]) {
        debug_assert_eq!(self.count, 0);
        self.out[self.position..self.position + data.len()].copy_from_slice(data);
        self.position += data.len();
    }

    pub fn finish(self) -> usize {
        debug_assert_eq!(self.count, 0);
        self.position
    }
}
