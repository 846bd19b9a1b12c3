//! The fixed first bytes of a stream, held to their rules before anything is allocated for what they declare.

use crate::float::Layout;

pub(crate) const MAGIC: [u8; 4] = *b"LBP1";
pub(crate) const HEADER_BYTES: usize = 32;
/// Channels are dealt to this many coded streams in turn, which one core decodes side by side.
pub(crate) const LANES: usize = 2;
/// 2^24 numbers: 16 channels of 1024 x 1024. Planes of 16-bit samples and errors are kept for all of them.
pub(crate) const MAX_NUMBERS: usize = 1 << 24;
/// Smaller channels are stored plainly.
pub(crate) const LEAST_SIDE: usize = 4;

/// What the numbers are: as the tensor has them, or narrowed from f32 without loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    F16,
    Bf16,
    F16InF32,
    Bf16InF32,
}

impl Kind {
    fn from_code(code: u8) -> Option<Self> {
        [Self::F16, Self::Bf16, Self::F16InF32, Self::Bf16InF32].into_iter().find(|kind| *kind as u8 == code)
    }

    pub(crate) fn is_bfloat(self) -> bool {
        matches!(self, Self::Bf16 | Self::Bf16InF32)
    }

    /// Low mantissa bits that may be left away: one stays.
    pub(crate) fn most_dropped(self) -> u32 {
        if self.is_bfloat() { 6 } else { 9 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Shape {
    pub(crate) fn plane(self) -> usize {
        self.height * self.width
    }

    /// Errors name the number that is over the bound; a product cannot overflow 64 bits unseen.
    pub(crate) fn numbers(self) -> Result<usize, String> {
        let numbers = (self.channels as u64).saturating_mul(self.height as u64).saturating_mul(self.width as u64);
        if numbers > MAX_NUMBERS as u64 {
            return Err(format!("shape: {numbers} numbers, the limit is {MAX_NUMBERS}"));
        }
        Ok(numbers as usize)
    }

    pub(crate) fn can_be_modelled(self) -> bool {
        self.channels > 0 && self.height >= LEAST_SIDE && self.width >= LEAST_SIDE
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) modelled: bool,
    pub(crate) dropped: u32,
    pub(crate) shape: Shape,
    pub(crate) model_bytes: usize,
    pub(crate) stream_bytes: [usize; LANES],
}

impl Header {
    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.kind.is_bfloat(), self.dropped)
    }

    pub(crate) fn write(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = self.kind as u8;
        bytes[5] = u8::from(self.modelled);
        bytes[6] = self.dropped as u8;
        let Shape { channels, height, width } = self.shape;
        let numbers = [channels, height, width, self.model_bytes, self.stream_bytes[0], self.stream_bytes[1]];
        for (place, number) in bytes[8..].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&(number as u32).to_le_bytes());
        }
        bytes
    }

    /// @param expected the shape that the caller knows
    pub(crate) fn read(file: &[u8], expected: Shape) -> Result<Self, String> {
        let head = file.get(..HEADER_BYTES).ok_or("header: the file ends within it")?;
        if head[..4] != MAGIC {
            return Err("magic: not LBP1".to_owned());
        }
        let kind = Kind::from_code(head[4]).ok_or(format!("header: number kind {} is unknown", head[4]))?;
        if head[5] > 1 {
            return Err(format!("header: mode {} is unknown", head[5]));
        }
        let (modelled, dropped) = (head[5] == 1, u32::from(head[6]));
        if dropped > kind.most_dropped() || (dropped > 0 && !modelled) {
            return Err(format!("header: {dropped} dropped bits do not fit the kind and mode"));
        }
        if head[7] != 0 {
            return Err("header: byte 7 is not 0".to_owned());
        }
        let number = |place: usize| {
            let at = 8 + 4 * place;
            u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize
        };
        let shape = Shape { channels: number(0), height: number(1), width: number(2) };
        if shape != expected {
            return Err(format!("header: shape {shape:?}, expected {expected:?}"));
        }
        let numbers = shape.numbers()?;
        let (model_bytes, stream_bytes) = (number(3), [number(4), number(5)]);
        let parts = [model_bytes, stream_bytes[0], stream_bytes[1]];
        let rest = parts.iter().map(|&bytes| bytes as u64).sum::<u64>();
        if rest != (file.len() - HEADER_BYTES) as u64 {
            return Err(format!("header: parts of {rest} bytes where {} follow", file.len() - HEADER_BYTES));
        }
        if modelled {
            if !shape.can_be_modelled() {
                return Err(format!("header: {shape:?} cannot be modelled"));
            }
            if parts.iter().any(|bytes| bytes % 4 != 0) {
                return Err("header: a part is no whole number of 32-bit words".to_owned());
            }
        } else if model_bytes != 2 * numbers || stream_bytes != [0, 0] {
            return Err(format!("header: {model_bytes} stored bytes for {numbers} numbers"));
        }
        Ok(Self { kind, modelled, dropped, shape, model_bytes, stream_bytes })
    }
}
