//! A plugin that is called with the headers of every request and does nothing: what is left is what it costs to call
//! any plugin at all.
#![expect(unsafe_code, reason = "exported names are outside the compiler's sight; each is the ABI's own")]

use std::ptr::null_mut;

/// Marks the version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// The host asks for memory only for what a plugin asks for, and this one asks for nothing.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(_size: usize) -> *mut u8 {
    null_mut()
}

/// Answers 0, which lets the request pass.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
    0
}
