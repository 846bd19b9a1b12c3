//! Coverage-guided fuzzing of the decoder's own branches, which the fuzzer of `npm run fuzz` cannot see in WebAssembly.
//!
//! With cargo-fuzz (nightly): `cargo fuzz run decompress CORPUS`, in `codec/native/predictive`. With a stable compiler:
//!
//!   RUSTFLAGS='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
//!     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
//!     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1' \
//!     cargo run --release --target x86_64-unknown-linux-gnu -- CORPUS -max_total_time=600 -max_len=4096
//!
//! What a session keeps becomes `codec/testing/fuzz/seeds/predictive.json`, which the unit tests run.
#![no_main]

use latentbox_predictive::{decompress, DType};

/// As the limit of a small container.
const MAX_NUMBERS: u64 = 1 << 16;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(head) = data.get(..20) else { return };
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    // A container's header says what to expect: here it says what the stream does.
    let shape = [number(8), number(12), number(16)];
    let numbers = shape.iter().fold(1_u64, |product, &size| product.saturating_mul(size as u64));
    if numbers > MAX_NUMBERS {
        return;
    }
    let (dtype, size) = match head[4] {
        0 => (DType::F16, 2),
        1 => (DType::Bf16, 2),
        _ => (DType::F32, 4),
    };
    if let Ok(tensor) = decompress(data, dtype, shape) {
        assert_eq!(tensor.len() as u64, numbers * size);
    }
});
