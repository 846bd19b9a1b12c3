//! Bits of the model, least significant first, and the two variable-length codes that its numbers are written in.

#[derive(Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl BitWriter {
    /// The low `bits` (at most 32) of `value`.
    pub(crate) fn bits(&mut self, value: u32, bits: u32) {
        self.pending |= u64::from(value) << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// Exponential Golomb code of order `order`: as many zeros as `value + 2^order` has bits above `order + 1`, then it.
    pub(crate) fn golomb(&mut self, value: u32, order: u32) {
        let shifted = value + (1 << order);
        let extra = 31 - shifted.leading_zeros() - order;
        self.bits(0, extra);
        self.bits(1, 1);
        self.bits(shifted & ((1 << (order + extra)) - 1), order + extra);
    }

    pub(crate) fn signed_golomb(&mut self, value: i32, order: u32) {
        self.golomb(((value << 1) ^ (value >> 31)) as u32, order);
    }

    /// The bytes, filled with zero bits to a whole number of 32-bit words.
    pub(crate) fn into_words(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending as u8);
        }
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes
    }
}

pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

/// The longest prefix of an exponential Golomb code that a writer makes: values stay below 2^24.
const MAX_GOLOMB_ZEROS: u32 = 24;

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn bits(&mut self, bits: u32) -> Result<u32, String> {
        let mut value = 0;
        for place in 0..bits {
            let byte = self.bytes.get(self.position / 8).ok_or("model: ends early")?;
            value |= u32::from(byte >> (self.position % 8) & 1) << place;
            self.position += 1;
        }
        Ok(value)
    }

    pub(crate) fn golomb(&mut self, order: u32) -> Result<u32, String> {
        let mut extra = 0;
        while self.bits(1)? == 0 {
            extra += 1;
            if extra + order > MAX_GOLOMB_ZEROS {
                return Err("model: a number has more than 24 bits".to_owned());
            }
        }
        let low = self.bits(order + extra)?;
        Ok((1 << (order + extra)) + low - (1 << order))
    }

    pub(crate) fn signed_golomb(&mut self, order: u32) -> Result<i32, String> {
        let value = self.golomb(order)?;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    /// What follows the last number: zero bits up to the end of a 32-bit word.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        if self.position.div_ceil(32) * 4 != self.bytes.len() {
            return Err("model: its length is not what its numbers take".to_owned());
        }
        while self.position < self.bytes.len() * 8 {
            if self.bits(1)? != 0 {
                return Err("model: padding is not zero".to_owned());
            }
        }
        Ok(())
    }
}
