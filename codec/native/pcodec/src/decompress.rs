//! A standalone pcodec file to bytes of numbers; what the file declares is checked before it is allocated.

use crate::fast::{Fast, Kind};
use crate::Engine;
use half::f16;
use pco::data_types::{Number, NumberType};
use pco::standalone::{DecompressorItem, FileDecompressor};
use std::mem::{size_of, MaybeUninit};

const TYPE_BYTES: usize = 1;
const COUNT_BYTES: usize = 3;
/// The format version that our own decoder reads.
const FORMAT_MAJOR: u8 = 4;
const DICT_MODE: u32 = 4;
const DICT_LENGTH_MASK: u32 = (1 << 25) - 1;

/// The count of the chunk that starts here; refuses a dictionary longer than the bytes that should hold it, since
/// the decoder allocates it before it reads it.
fn declared_count<T: Number>(chunk: &[u8]) -> Result<usize, String> {
    let count = chunk
        .get(TYPE_BYTES..TYPE_BYTES + COUNT_BYTES)
        .map(|bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16)
        .ok_or("the file ends inside a chunk's count")?
        + 1;
    if let Some(bytes) = chunk.get(TYPE_BYTES + COUNT_BYTES..TYPE_BYTES + COUNT_BYTES + 4) {
        let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let entries = ((word >> 4) & DICT_LENGTH_MASK) as usize;
        if word & 15 == DICT_MODE && entries.saturating_mul(size_of::<T>()) > chunk.len() {
            return Err(format!("a dictionary of {entries} entries cannot be in {} bytes", chunk.len()));
        }
    }
    Ok(count)
}

/// The chunk by our own decoder, where it is one that this is made for; gives what follows it.
fn fast<'a, T: Number>(
    decoder: &mut Fast,
    file: &FileDecompressor,
    chunk: &'a [u8],
    place: &mut [MaybeUninit<T>],
) -> Option<&'a [u8]> {
    let (kind, bits) = match NumberType::new::<T>() {
        NumberType::U16 => (Kind::Unsigned, 16),
        NumberType::I16 => (Kind::Signed, 16),
        NumberType::F16 => (Kind::Float, 16),
        NumberType::F32 => (Kind::Float, 32),
        _ => return None,
    };
    let type_byte = NumberType::new::<T>() as u8;
    let fits_uniform = file.uniform_type().is_none_or(|uniform| uniform as u8 == type_byte);
    if file.format_version().major != FORMAT_MAJOR || chunk[0] != type_byte || !fits_uniform {
        return None;
    }
    let source = chunk.get(TYPE_BYTES + COUNT_BYTES..)?;
    let (start, count) = (place.as_mut_ptr(), place.len());
    // Every pattern of bits is a number of each of these types. The engine's input is padded.
    let taken = unsafe {
        match bits {
            16 => decoder.decode(source, std::slice::from_raw_parts_mut(start.cast::<u16>(), count), kind)?,
            _ => decoder.decode(source, std::slice::from_raw_parts_mut(start.cast::<u32>(), count), kind)?,
        }
    };
    source.get(taken..)
}

fn typed<T: Number>(
    engine: &mut Engine,
    file: &FileDecompressor,
    mut rest: &[u8],
    max_numbers: usize,
) -> Result<(), String> {
    let per_word = 8 / size_of::<T>();
    let too_many = |count: usize| format!("declares {count} numbers, the limit is {max_numbers}");
    if file.n_hint() > max_numbers {
        return Err(too_many(file.n_hint()));
    }
    engine.output.clear();
    let hinted_words = file.n_hint().div_ceil(per_word);
    if engine.output.capacity() < hinted_words {
        engine.output = Vec::new();
        engine.output.reserve_exact(hinted_words);
    }
    let mut total = 0_usize;
    while rest.first().is_some_and(|&byte| byte != 0) {
        let count = declared_count::<T>(rest)?;
        if count > max_numbers - total {
            return Err(too_many(total + count));
        }
        let words = (total + count).div_ceil(per_word);
        engine.output.reserve(words.saturating_sub(engine.output.len()));
        let place = unsafe {
            let start = engine.output.as_mut_ptr().cast::<MaybeUninit<T>>().add(total);
            std::slice::from_raw_parts_mut(start, count)
        };
        let own = if engine.only_pco { None } else { fast(&mut engine.fast, file, rest, place) };
        rest = match own {
            Some(behind) => behind,
            None => {
                let item = file.chunk_decompressor::<T, &[u8]>(rest).map_err(|error| error.message)?;
                let DecompressorItem::Chunk(mut chunk) = item else { break };
                chunk.read_uninit(place).map_err(|error| error.message)?;
                chunk.into_src()
            }
        };
        total += count;
        // Whole words up to the last written number, so that a later reallocation carries them over.
        unsafe { engine.output.set_len(words) };
    }
    match rest {
        [] => return Err("the file ends before its terminating byte".to_owned()),
        [_] => {}
        _ => return Err(format!("{} bytes follow the terminating byte", rest.len() - 1)),
    }
    engine.output_bytes = total * size_of::<T>();
    Ok(())
}

pub(crate) fn run(engine: &mut Engine, bytes: usize, max_numbers: usize) -> Result<(), String> {
    let source: &'static [u8] = unsafe { std::slice::from_raw_parts(engine.input.as_ptr().cast(), bytes) };
    let (file, rest) = FileDecompressor::new(source).map_err(|error| error.message)?;
    let found = file.peek_number_type_or_termination(rest).map_err(|error| error.message)?;
    let Some(number_type) = found else {
        engine.output_type = 0;
        engine.output_bytes = 0;
        return Ok(());
    };
    engine.output_type = number_type as u32;
    match number_type {
        NumberType::F16 => typed::<f16>(engine, &file, rest, max_numbers),
        NumberType::F32 => typed::<f32>(engine, &file, rest, max_numbers),
        NumberType::F64 => typed::<f64>(engine, &file, rest, max_numbers),
        NumberType::I8 => typed::<i8>(engine, &file, rest, max_numbers),
        NumberType::I16 => typed::<i16>(engine, &file, rest, max_numbers),
        NumberType::I32 => typed::<i32>(engine, &file, rest, max_numbers),
        NumberType::I64 => typed::<i64>(engine, &file, rest, max_numbers),
        NumberType::U8 => typed::<u8>(engine, &file, rest, max_numbers),
        NumberType::U16 => typed::<u16>(engine, &file, rest, max_numbers),
        NumberType::U32 => typed::<u32>(engine, &file, rest, max_numbers),
        NumberType::U64 => typed::<u64>(engine, &file, rest, max_numbers),
        other => Err(format!("number type {other:?} is newer than this reader")),
    }
}
