//! The C face of the predictive codec. One WebAssembly instance serves one thread and one call at a time:
//! the caller writes into `predictive_input`, calls, and reads `predictive_output`.

mod analyse;
mod bits;
mod decode;
mod encode;
mod fit;
mod float;
mod model;
mod narrow;
mod plane;
mod stream;
mod symbol;
mod tables;

use float::Layout;
use std::cell::UnsafeCell;
use stream::{Header, Kind, Shape, HEADER_BYTES};

/// A tensor's element type, as the caller numbers them.
#[derive(Clone, Copy, PartialEq)]
pub enum DType {
    F16,
    Bf16,
    F32,
}

impl DType {
    fn from_code(code: u32) -> Option<Self> {
        [Self::F16, Self::Bf16, Self::F32].into_iter().find(|dtype| *dtype as u32 == code)
    }
}

/// Compresses a tensor's bytes (little-endian, C order). `None` where it is of f32 that no 16-bit type holds exactly.
pub fn compress(bytes: &[u8], dtype: DType, shape: [usize; 3]) -> Result<Option<Vec<u8>>, String> {
    let shape = Shape { channels: shape[0], height: shape[1], width: shape[2] };
    let numbers = shape.numbers()?;
    let size = if dtype == DType::F32 { 4 } else { 2 };
    if bytes.len() != numbers * size {
        return Err(format!("data: {} bytes where the shape takes {}", bytes.len(), numbers * size));
    }
    let narrowed = match dtype {
        DType::F16 => Some((Kind::F16, words_of(bytes))),
        DType::Bf16 => Some((Kind::Bf16, words_of(bytes))),
        DType::F32 => {
            let wide: Vec<u32> = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            let half = || narrow::to_f16(&wide).map(|words| (Kind::F16InF32, words));
            narrow::to_bf16(&wide).map(|words| (Kind::Bf16InF32, words)).or_else(half)
        }
    };
    Ok(narrowed.map(|(kind, words)| smallest(kind, &words, shape)))
}

/// Modelled, or stored plainly where that is no larger.
fn smallest(kind: Kind, words: &[u16], shape: Shape) -> Vec<u8> {
    let stored = Header { kind, modelled: false, dropped: 0, shape, model_bytes: 2 * words.len(), stream_bytes: [0; 2] };
    if shape.can_be_modelled() {
        let dropped = narrow::unused_low_bits(words, kind.most_dropped());
        let layout = Layout::new(kind.is_bfloat(), dropped);
        let (model, streams) = encode::encode(words, shape, layout);
        let stream_bytes = [streams[0].len(), streams[1].len()];
        if model.len() + stream_bytes[0] + stream_bytes[1] < stored.model_bytes {
            let header = Header { modelled: true, dropped, model_bytes: model.len(), stream_bytes, ..stored };
            return [header.write().as_slice(), &model, &streams[0], &streams[1]].concat();
        }
    }
    let mut file = Vec::with_capacity(HEADER_BYTES + stored.model_bytes);
    file.extend_from_slice(&stored.write());
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    file
}

/// The bytes of the tensor of this type and shape that a stream holds.
///
/// Refuses what declares anything else, before it allocates; then allocates no more than the shape calls for.
pub fn decompress(file: &[u8], dtype: DType, shape: [usize; 3]) -> Result<Vec<u8>, String> {
    let shape = Shape { channels: shape[0], height: shape[1], width: shape[2] };
    let header = Header::read(file, shape)?;
    let fits = match header.kind {
        Kind::F16 => dtype == DType::F16,
        Kind::Bf16 => dtype == DType::Bf16,
        Kind::F16InF32 | Kind::Bf16InF32 => dtype == DType::F32,
    };
    if !fits {
        return Err("header: the number kind is not that of the tensor's type".to_owned());
    }
    let words = if header.modelled { decode::decode(file, &header)? } else { words_of(&file[HEADER_BYTES..]) };
    Ok(match header.kind {
        Kind::F16InF32 => words.iter().flat_map(|&word| narrow::f32_of(word).to_le_bytes()).collect(),
        Kind::Bf16InF32 => words.iter().flat_map(|&word| (u32::from(word) << 16).to_le_bytes()).collect(),
        Kind::F16 | Kind::Bf16 => words.iter().flat_map(|word| word.to_le_bytes()).collect(),
    })
}

fn words_of(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Buffers of the one engine; `failed` tells whether `output` is a message.
#[derive(Default)]
struct Engine {
    input: Vec<u8>,
    output: Vec<u8>,
}

struct Single(UnsafeCell<Option<Engine>>);
// Sound because the module is built without threads: an instance has one thread, and no export re-enters another.
unsafe impl Sync for Single {}
static ENGINE: Single = Single(UnsafeCell::new(None));

fn engine() -> &'static mut Engine {
    unsafe { (*ENGINE.0.get()).get_or_insert_with(Engine::default) }
}

/// What a call answers: the output is a result, a message, or nothing (the tensor is none for this codec).
const OK: u32 = 0;
const FAILED: u32 = 1;
const UNSUITED: u32 = 2;

fn finish(outcome: Result<Option<Vec<u8>>, String>) -> u32 {
    let (status, output) = match outcome {
        Ok(Some(output)) => (OK, output),
        Ok(None) => (UNSUITED, Vec::new()),
        Err(message) => (FAILED, message.into_bytes()),
    };
    engine().output = output;
    status
}

fn dtype_of(code: u32) -> Result<DType, String> {
    DType::from_code(code).ok_or_else(|| format!("type {code} is unknown"))
}

#[no_mangle]
pub extern "C" fn predictive_input(bytes: usize) -> *mut u8 {
    let engine = engine();
    // Freed first: a result of the call before and a new input need not be there together.
    engine.output = Vec::new();
    engine.input.resize(bytes, 0);
    engine.input.as_mut_ptr()
}

#[no_mangle]
pub extern "C" fn predictive_compress(dtype: u32, channels: usize, height: usize, width: usize) -> u32 {
    let shape = [channels, height, width];
    finish(dtype_of(dtype).and_then(|dtype| compress(&engine().input, dtype, shape)))
}

#[no_mangle]
pub extern "C" fn predictive_decompress(dtype: u32, channels: usize, height: usize, width: usize) -> u32 {
    let shape = [channels, height, width];
    finish(dtype_of(dtype).and_then(|dtype| decompress(&engine().input, dtype, shape).map(Some)))
}

#[no_mangle]
pub extern "C" fn predictive_output() -> *const u8 {
    engine().output.as_ptr()
}

#[no_mangle]
pub extern "C" fn predictive_output_bytes() -> usize {
    engine().output.len()
}
