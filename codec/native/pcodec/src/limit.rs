//! A global allocator that counts, so that no input can make the module take more memory than its caller allows.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Bounded;

static USED: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

pub(crate) fn set(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

fn claim(bytes: usize) -> bool {
    let total = USED.load(Relaxed).saturating_add(bytes);
    if total > LIMIT.load(Relaxed) {
        return false;
    }
    USED.store(total, Relaxed);
    true
}

fn release(bytes: usize) {
    USED.store(USED.load(Relaxed) - bytes, Relaxed);
}

// A refused request answers null, which std turns into an abort: a trap that the caller sees.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !claim(layout.size()) {
            return std::ptr::null_mut();
        }
        let address = System.alloc(layout);
        if address.is_null() {
            release(layout.size());
        }
        address
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !claim(layout.size()) {
            return std::ptr::null_mut();
        }
        let address = System.alloc_zeroed(layout);
        if address.is_null() {
            release(layout.size());
        }
        address
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        System.dealloc(address, layout);
        release(layout.size());
    }
}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Bounded = Bounded;
