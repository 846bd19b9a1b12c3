//! Bytes of numbers to a standalone pcodec file.

use crate::planes::{self, Chunk, Ordered};
use crate::Engine;
use half::f16;
use pco::data_types::{Number, NumberType};
use pco::standalone::FileCompressor;
use pco::{ChunkConfig, DeltaSpec, ModeSpec};
use std::io::{self, Write};

pub(crate) fn config(
    level: usize,
    mode: u32,
    mode_argument: f64,
    delta: u32,
    delta_order: usize,
) -> Result<ChunkConfig, String> {
    let mode = match mode {
        0 => ModeSpec::Auto,
        1 => ModeSpec::Classic,
        2 => ModeSpec::TryIntMult(mode_argument as u64),
        3 => ModeSpec::TryFloatMult(mode_argument),
        4 => ModeSpec::TryFloatQuant(mode_argument as u32),
        5 => ModeSpec::TryDict,
        _ => return Err(format!("unknown mode {mode}")),
    };
    let delta = match delta {
        0 => DeltaSpec::Auto,
        1 => DeltaSpec::NoOp,
        2 => DeltaSpec::TryConsecutive(delta_order),
        3 => DeltaSpec::TryLookback,
        4 => DeltaSpec::TryConv1(delta_order),
        _ => return Err(format!("unknown delta {delta}")),
    };
    Ok(ChunkConfig::default()
        .with_compression_level(level)
        .with_mode_spec(mode)
        .with_delta_spec(delta)
        .with_enable_8_bit(true))
}

/// Appends to the engine's output words, so that compressed bytes are written once, where the caller reads them.
struct Sink<'a> {
    words: &'a mut Vec<u64>,
    bytes: usize,
}

impl Write for Sink<'_> {
    fn write(&mut self, source: &[u8]) -> io::Result<usize> {
        let end = self.bytes + source.len();
        self.words.reserve(end.div_ceil(8));
        let start = self.words.as_mut_ptr().cast::<u8>();
        // The vector's length stays 0: its capacity is the storage, `bytes` is what was written.
        unsafe { std::ptr::copy_nonoverlapping(source.as_ptr(), start.add(self.bytes), source.len()) };
        let written = end.div_ceil(8);
        // Only written words count as initialised, which is what a reallocation carries over.
        unsafe { self.words.set_len(written) };
        self.bytes = end;
        Ok(source.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn input<T: Number>(engine: &Engine, bytes: usize) -> &'static [T] {
    // The input outlives the call, and no export is entered while another runs.
    unsafe { std::slice::from_raw_parts(engine.input.as_ptr().cast::<T>(), bytes / std::mem::size_of::<T>()) }
}

fn write<T: Number>(
    engine: &mut Engine,
    numbers: &[T],
    chunks: impl Iterator<Item = Chunk>,
    config: &ChunkConfig,
) -> Result<(), String> {
    engine.output.clear();
    let mut sink = Sink { words: &mut engine.output, bytes: 0 };
    let file = FileCompressor::default()
        .with_n_hint(numbers.len())
        .with_uniform_type(Some(NumberType::new::<T>()));
    let written = (|| {
        file.write_header(&mut sink)?;
        let mut rest = numbers;
        for chunk in chunks {
            let (part, after) = rest.split_at(chunk.length);
            let config = config.clone().with_delta_spec(chunk.delta);
            file.chunk_compressor(part, &config)?.write(&mut sink)?;
            rest = after;
        }
        file.write_footer(&mut sink).map(|_| ())
    })();
    written.map_err(|error| error.message)?;
    engine.output_bytes = sink.bytes;
    Ok(())
}

fn typed<T: Number>(engine: &mut Engine, bytes: usize, config: &ChunkConfig, chunk: usize) -> Result<(), String> {
    let numbers = input::<T>(engine, bytes);
    let chunks = numbers.chunks(chunk).map(|part| Chunk { length: part.len(), delta: config.delta_spec.clone() });
    write(engine, numbers, chunks, config)
}

fn typed_planes<T: Number + Ordered>(
    engine: &mut Engine,
    bytes: usize,
    config: &ChunkConfig,
    plane: usize,
) -> Result<(), String> {
    let numbers = input::<T>(engine, bytes);
    write(engine, numbers, planes::plan(numbers, plane).into_iter(), config)
}

pub(crate) fn run_planes(
    engine: &mut Engine,
    bytes: usize,
    number_type: u32,
    config: &ChunkConfig,
    plane: usize,
) -> Result<(), String> {
    match u8::try_from(number_type).ok().and_then(NumberType::from_descriminant) {
        Some(NumberType::F16) => typed_planes::<f16>(engine, bytes, config, plane),
        Some(NumberType::F32) => typed_planes::<f32>(engine, bytes, config, plane),
        Some(NumberType::U16) => typed_planes::<u16>(engine, bytes, config, plane),
        _ => Err("planes are of u16, f16 or f32".to_owned()),
    }
}

pub(crate) fn run(
    engine: &mut Engine,
    bytes: usize,
    number_type: u32,
    config: &ChunkConfig,
    chunk: usize,
) -> Result<(), String> {
    let number_type = u8::try_from(number_type).ok().and_then(NumberType::from_descriminant);
    match number_type {
        Some(NumberType::F16) => typed::<f16>(engine, bytes, config, chunk),
        Some(NumberType::F32) => typed::<f32>(engine, bytes, config, chunk),
        Some(NumberType::F64) => typed::<f64>(engine, bytes, config, chunk),
        Some(NumberType::I8) => typed::<i8>(engine, bytes, config, chunk),
        Some(NumberType::I16) => typed::<i16>(engine, bytes, config, chunk),
        Some(NumberType::I32) => typed::<i32>(engine, bytes, config, chunk),
        Some(NumberType::I64) => typed::<i64>(engine, bytes, config, chunk),
        Some(NumberType::U8) => typed::<u8>(engine, bytes, config, chunk),
        Some(NumberType::U16) => typed::<u16>(engine, bytes, config, chunk),
        Some(NumberType::U32) => typed::<u32>(engine, bytes, config, chunk),
        Some(NumberType::U64) => typed::<u64>(engine, bytes, config, chunk),
        _ => Err("unknown number type".to_owned()),
    }
}
