//! Decompression with and without our own decoder, for tests and fuzzing on the building machine.

use crate::{decompress, Engine};

/// The number type's byte and the numbers' bytes, or what is wrong with the file.
pub type Outcome = Result<(u32, Vec<u8>), String>;

/// As the WebAssembly module decompresses; `only_pco` leaves every chunk to the official decoder.
pub fn decompress(file: &[u8], max_numbers: usize, only_pco: bool) -> Outcome {
    let mut engine = Engine { only_pco, ..Engine::default() };
    let room = engine.room(file.len());
    unsafe { room.copy_from_nonoverlapping(file.as_ptr(), file.len()) };
    decompress::run(&mut engine, file.len(), max_numbers)?;
    let start = engine.output.as_ptr().cast::<u8>();
    // The output's words hold this many bytes that were written.
    let bytes = unsafe { std::slice::from_raw_parts(start, engine.output_bytes) };
    Ok((engine.output_type, bytes.to_vec()))
}
