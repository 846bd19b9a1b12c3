//! The face to JavaScript: a workspace by its address, its buffers by theirs.
mod adler;
mod bits;
mod costs;
mod deflate;
mod entropy;
mod filter;
mod huffman;
mod parse;
mod strip;
mod tokens;

pub use strip::{Effort, Workspace};

/// A workspace that lives as long as the instance.
#[no_mangle]
pub extern "C" fn png_workspace() -> *mut Workspace {
    Box::into_raw(Box::default())
}

/// Room for `len` bytes of pixels; invalidates the views of earlier calls.
///
/// # Safety
/// `workspace` comes from `png_workspace`.
#[no_mangle]
pub unsafe extern "C" fn png_input(workspace: *mut Workspace, len: usize) -> *mut u8 {
    let input = &mut (*workspace).input;
    input.resize(len, 0);
    input.as_mut_ptr()
}

/// Encodes the rows of the input and returns the bytes of output.
///
/// # Safety
/// `workspace` comes from `png_workspace`; its input holds one row and at least one more of `row_bytes`.
#[no_mangle]
pub unsafe extern "C" fn png_encode(
    workspace: *mut Workspace,
    row_bytes: usize,
    pixel_bytes: usize,
    effort: u32,
) -> usize {
    let effort = match effort {
        0 => Effort::Fast,
        1 => Effort::Small,
        _ => Effort::Smallest,
    };
    (*workspace).encode(row_bytes, pixel_bytes, effort);
    (*workspace).output.len()
}

/// # Safety
/// `workspace` comes from `png_workspace`.
#[no_mangle]
pub unsafe extern "C" fn png_output(workspace: *const Workspace) -> *const u8 {
    (*workspace).output.as_ptr()
}

/// Adler-32 of the filtered rows of the last strip.
///
/// # Safety
/// `workspace` comes from `png_workspace`.
#[no_mangle]
pub unsafe extern "C" fn png_adler(workspace: *const Workspace) -> u32 {
    (*workspace).adler
}
