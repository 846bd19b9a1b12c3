//! libFuzzer's target: a file that our own decoder reads is the same to the bit as `pco` reads it, and what one refuses the
//! other refuses.
#![no_main]

use latentbox_pcodec::compare::decompress;
use libfuzzer_sys::fuzz_target;

/// More numbers than any input of libFuzzer's default size needs.
const MAX_NUMBERS: usize = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let ours = decompress(data, MAX_NUMBERS, false);
    let official = decompress(data, MAX_NUMBERS, true);
    assert!(ours == official, "ours {ours:?}, pco {official:?}");
});
