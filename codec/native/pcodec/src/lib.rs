//! The C face of one pcodec engine. One WebAssembly instance serves one thread and one call at a time:
//! the caller writes into `pcodec_input`, calls, and reads `pcodec_output`.

#[cfg(not(target_arch = "wasm32"))]
pub mod compare;
mod compress;
mod decompress;
mod fast;
mod latent;
mod limit;
mod planes;

use std::cell::UnsafeCell;

/// Buffers are kept between calls; 8-byte words give every number type its alignment.
#[derive(Default)]
pub(crate) struct Engine {
    input: Vec<u64>,
    output: Vec<u64>,
    output_bytes: usize,
    output_type: u32,
    message: String,
    fast: fast::Fast,
    /// Leaves every chunk to `pco`, for comparisons.
    only_pco: bool,
}

struct Single(UnsafeCell<Option<Engine>>);
// Sound because the module is built without threads: an instance has one thread, and no export re-enters another.
unsafe impl Sync for Single {}
static ENGINE: Single = Single(UnsafeCell::new(None));

fn engine() -> &'static mut Engine {
    unsafe { (*ENGINE.0.get()).get_or_insert_with(Engine::default) }
}

/// What a call that can fail answers; the message is at `pcodec_message`.
const OK: u32 = 0;
const FAILED: u32 = 1;

fn finish(outcome: Result<(), String>) -> u32 {
    match outcome {
        Ok(()) => OK,
        Err(message) => {
            engine().message = message;
            FAILED
        }
    }
}

/// Forbids allocations that would bring the total over `bytes`; the instance traps instead.
#[no_mangle]
pub extern "C" fn pcodec_set_memory_limit(bytes: usize) {
    limit::set(bytes);
}

impl Engine {
    /// Room for input, with zeros behind it for a decoder that reads on.
    pub(crate) fn room(&mut self, bytes: usize) -> *mut u8 {
        let words = (bytes + fast::PADDING).div_ceil(8);
        if self.input.capacity() < words {
            // Freed first: a growing vector would carry its old bytes over.
            self.input = Vec::new();
            self.input.reserve_exact(words);
        }
        let start = self.input.as_mut_ptr().cast::<u8>();
        unsafe { start.add(bytes).write_bytes(0, words * 8 - bytes) };
        start
    }
}

#[no_mangle]
pub extern "C" fn pcodec_input(bytes: usize) -> *mut u8 {
    engine().room(bytes)
}

/// `mode`: 0 auto, 1 classic, 2 int-mult, 3 float-mult, 4 float-quant, 5 dict; `delta`: 0 auto, 1 none,
/// 2 consecutive, 3 lookback, 4 conv1.
#[no_mangle]
pub extern "C" fn pcodec_compress(
    bytes: usize,
    number_type: u32,
    level: usize,
    mode: u32,
    mode_argument: f64,
    delta: u32,
    delta_order: usize,
    chunk_numbers: usize,
) -> u32 {
    let config = compress::config(level, mode, mode_argument, delta, delta_order);
    finish(config.and_then(|config| compress::run(engine(), bytes, number_type, &config, chunk_numbers)))
}

/// As `pcodec_compress`, the chunks and their deltas chosen from the statistics of planes of this many numbers.
#[no_mangle]
pub extern "C" fn pcodec_compress_planes(
    bytes: usize,
    number_type: u32,
    level: usize,
    mode: u32,
    mode_argument: f64,
    plane_numbers: usize,
) -> u32 {
    let config = compress::config(level, mode, mode_argument, 1, 0);
    finish(config.and_then(|config| compress::run_planes(engine(), bytes, number_type, &config, plane_numbers)))
}

#[no_mangle]
pub extern "C" fn pcodec_decompress(bytes: usize, max_numbers: usize) -> u32 {
    finish(decompress::run(engine(), bytes, max_numbers))
}

#[no_mangle]
pub extern "C" fn pcodec_output() -> *const u8 {
    engine().output.as_ptr().cast()
}

#[no_mangle]
pub extern "C" fn pcodec_output_bytes() -> usize {
    engine().output_bytes
}

/// pcodec's own byte for the number type of the last decompressed file.
#[no_mangle]
pub extern "C" fn pcodec_output_type() -> u32 {
    engine().output_type
}

#[no_mangle]
pub extern "C" fn pcodec_message() -> *const u8 {
    engine().message.as_ptr()
}

#[no_mangle]
pub extern "C" fn pcodec_message_bytes() -> usize {
    engine().message.len()
}
