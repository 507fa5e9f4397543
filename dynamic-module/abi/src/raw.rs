//! The C types, as `abi.h` of Envoy declares them.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

/// `envoy_dynamic_module_type_{envoy,module}_buffer`: the same for both owners.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Buffer {
    pub(crate) pointer: *const u8,
    pub(crate) length: usize,
}

impl Buffer {
    pub(crate) const NULL: Self = Self { pointer: ptr::null(), length: 0 };

    /// Lent to a call that copies what it needs. Never null, which means something else to some functions.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { pointer: bytes.as_ptr(), length: bytes.len() }
    }

    /// # Safety
    ///
    /// The buffer holds as many bytes as it says, which nobody changes or frees during `'a`.
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the caller's.
        unsafe { slice(self.pointer, self.length) }
    }
}

/// `envoy_dynamic_module_type_{envoy,module}_http_header`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Pair {
    pub(crate) key: Buffer,
    pub(crate) value: Buffer,
}

impl Pair {
    pub(crate) const NULL: Self = Self { key: Buffer::NULL, value: Buffer::NULL };

    pub(crate) fn of(key: &[u8], value: &[u8]) -> Self {
        Self { key: Buffer::of(key), value: Buffer::of(value) }
    }
}

/// `length` elements at `pointer`, which may be null if there are none.
///
/// # Safety
///
/// They are there, and nobody changes or frees them during `'a`.
pub(crate) unsafe fn slice<'a, T>(pointer: *const T, length: usize) -> &'a [T] {
    if pointer.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: neither null nor empty; the rest is the caller's.
    unsafe { std::slice::from_raw_parts(pointer, length) }
}

/// A pointer that Envoy gave, and takes back.
pub(crate) type Envoy = *mut c_void;

/// Keeps a type on its thread.
pub(crate) type NotSend = PhantomData<*const ()>;

/// `envoy_dynamic_module_type_http_header_type`.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum HeaderType {
    Request = 0,
    RequestTrailer = 1,
    Response = 2,
}

/// `envoy_dynamic_module_type_metrics_result_Success`, and that of a callout, and of its start.
pub(crate) const SUCCESS: u32 = 0;

/// `envoy_dynamic_module_type_attribute_id_SourceAddress`: an address with its port.
pub(crate) const SOURCE_ADDRESS: u32 = 24;

/// `envoy_dynamic_module_type_attribute_id_ConnectionSha256PeerCertificateDigest`, in hexadecimal.
pub(crate) const PEER_CERTIFICATE_DIGEST: u32 = 38;

/// `envoy_dynamic_module_type_http_filter_stream_reset_reason_LocalReset`.
pub(crate) const LOCAL_RESET: u32 = 0;
