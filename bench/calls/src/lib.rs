//! A plugin that makes the host calls that a request with a known token needs, and nothing else: it reads all headers,
//! adds four, removes one and sets four properties. What it costs, no gate in Wasm can save that does the same work;
//! what the real one costs beyond it is its own.
#![expect(unsafe_code, reason = "a host is called here, and exported names are outside the compiler's sight")]

use std::cell::UnsafeCell;
use std::ptr::null_mut;

const REQUEST: u32 = 0;
/// About as long as the real ones.
const HEADERS: [(&str, &str); 4] = [
    ("x-auth-request-user", "caller-000000000000"),
    ("x-auth-request-issuer", "http://127.0.0.1:10000"),
    ("x-auth-request-email", "caller-000000000000@example.com"),
    ("x-auth-request-token-scopes", "orders:list orders:read profile"),
];
const PROPERTIES: [(&str, &str); 4] = [
    ("jotgate_decision", "allowed"),
    ("jotgate_issuer", "idp-1"),
    ("jotgate_rule", "orders"),
    ("jotgate_subject", "caller-000000000000"),
];

/// Memory for the host, which has what it wrote there last overwritten by what it writes next.
struct Scratch(UnsafeCell<[u8; 65_536]>);

// SAFETY: a VM has one thread.
unsafe impl Sync for Scratch {}

static SCRATCH: Scratch = Scratch(UnsafeCell::new([0; 65_536]));

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_add_header_map_value(map: u32, name: *const u8, name_size: usize, value: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, size: usize) -> u32;
}

/// Marks the version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Gives no more than there is.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    if size > size_of::<Scratch>() { null_mut() } else { SCRATCH.0.get().cast() }
}

/// A gate has to know whose requests are whose.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(_context: u32, _root: u32) {}

/// And when they are gone.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(_context: u32) {}

/// Answers 0, which lets the request pass.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_context: u32, _headers: u32, _end_of_stream: u32) -> u32 {
    let (mut time, mut data, mut size) = (0, null_mut(), 0);
    let credential = "authorization";
    // SAFETY: texts live on, and what the host writes has its place.
    unsafe {
        proxy_get_current_time_nanoseconds(&raw mut time);
        proxy_get_header_map_pairs(REQUEST, &raw mut data, &raw mut size);
        proxy_remove_header_map_value(REQUEST, credential.as_ptr(), credential.len());
        for (name, value) in HEADERS {
            proxy_add_header_map_value(REQUEST, name.as_ptr(), name.len(), value.as_ptr(), value.len());
        }
        for (name, value) in PROPERTIES {
            proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len());
        }
    }
    0
}
