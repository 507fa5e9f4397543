//! The host's functions, wrapped: every status is a value.
#![expect(unsafe_code, reason = "the ABI passes pointers; each block states why they are good")]

use std::ptr::{null_mut, slice_from_raw_parts_mut};
use std::time::Duration;

use crate::types::{Buffer, LogLevel, Map, MetricKind, Status};

// WASI's functions, as far as they are called from here.
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(octets: *mut u8, size: usize) -> u32;
}

/// The type of a stream.
const HTTP_REQUEST: u32 = 0;

/// What a call to the host gives.
pub type Answer<T> = Result<T, Status>;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        results: *mut *mut u8,
        results_size: *mut usize,
    ) -> u32;
    fn proxy_close_stream(stream: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout_milliseconds: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_log(level: u32, message: *const u8, message_size: usize) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, cas: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
}

/// Adds a line to a header map.
pub fn add_header(map: Map, name: &[u8], value: &[u8]) -> Answer<()> {
    // SAFETY: pointers and sizes are those of live slices, which the host reads during the call only.
    check(unsafe { proxy_add_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Calls a function that this host may have and others have not.
pub fn call_foreign_function(name: &str, arguments: &[u8]) -> Answer<Vec<u8>> {
    // SAFETY: as above; `owned` says what the host writes.
    owned(|data, size| unsafe {
        proxy_call_foreign_function(name.as_ptr(), name.len(), arguments.as_ptr(), arguments.len(), data, size)
    })
}

/// Ends the stream of the effective context, wherever it is: both sides see it reset.
pub fn close_request() -> Answer<()> {
    // SAFETY: no pointers.
    check(unsafe { proxy_close_stream(HTTP_REQUEST) })
}

/// Lets the paused request of the effective context go on.
pub fn continue_request() -> Answer<()> {
    // SAFETY: no pointers.
    check(unsafe { proxy_continue_stream(HTTP_REQUEST) })
}

/// Lets the paused response to the effective context's request go on.
pub fn continue_response() -> Answer<()> {
    const HTTP_RESPONSE: u32 = 1;
    // SAFETY: no pointers.
    check(unsafe { proxy_continue_stream(HTTP_RESPONSE) })
}

/// Makes a metric, or finds the one of that name.
pub fn define_metric(kind: MetricKind, name: &str) -> Answer<u32> {
    let mut id = 0;
    // SAFETY: as above; the host writes one `u32`.
    check(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) }).map(|()| id)
}

/// At most `max` bytes of a buffer.
pub fn buffer(buffer: Buffer, max: usize) -> Answer<Vec<u8>> {
    // SAFETY: `owned` says what the host writes.
    owned(|data, size| unsafe { proxy_get_buffer_bytes(buffer as u32, 0, max, data, size) })
}

/// The time since the epoch, in nanoseconds.
pub fn now() -> Answer<u64> {
    let mut time = 0;
    // SAFETY: the host writes one `u64`.
    check(unsafe { proxy_get_current_time_nanoseconds(&raw mut time) }).map(|()| time)
}

/// A whole header map, as [`crate::pairs`] reads it.
pub fn header_map(map: Map) -> Answer<Vec<u8>> {
    // SAFETY: `owned` says what the host writes.
    owned(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })
}

/// Starts an HTTP request; the host calls back with the token that this gives. `headers` is as [`crate::pairs`] writes
/// it.
pub fn http_call(cluster: &str, headers: &[u8], body: &[u8], timeout: Duration) -> Answer<u32> {
    const NO_TRAILERS: [u8; 4] = [0; 4];
    let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let mut token = 0;
    // SAFETY: pointers and sizes are those of live slices; the host writes one `u32`.
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            NO_TRAILERS.as_ptr(),
            NO_TRAILERS.len(),
            timeout,
            &raw mut token,
        )
    };
    check(status).map(|()| token)
}

/// Adds to a counter.
pub fn increment_metric(id: u32, offset: i64) -> Answer<()> {
    // SAFETY: no pointers.
    check(unsafe { proxy_increment_metric(id, offset) })
}

/// Writes to the log. A host that cannot log is no reason to stop.
pub fn log(level: LogLevel, message: &str) {
    // SAFETY: pointer and size are those of a live slice.
    let _ = unsafe { proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Fills `octets` from the host's cryptographic generator.
pub fn random(octets: &mut [u8]) -> Answer<()> {
    // SAFETY: pointer and size are those of a live slice, which the host fills.
    check(unsafe { random_get(octets.as_mut_ptr(), octets.len()) })
}

/// Sets a gauge.
pub fn record_metric(id: u32, value: u64) -> Answer<()> {
    // SAFETY: no pointers.
    check(unsafe { proxy_record_metric(id, value) })
}

/// Removes all lines of a name from a header map.
pub fn remove_header(map: Map, name: &[u8]) -> Answer<()> {
    // SAFETY: pointer and size are those of a live slice.
    check(unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// Replaces the lines of a name in a header map by one, or adds it.
pub fn replace_header(map: Map, name: &[u8], value: &[u8]) -> Answer<()> {
    // SAFETY: pointers and sizes are those of live slices.
    check(unsafe { proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Answers the request of the effective context. `headers` is as [`crate::pairs`] writes it.
pub fn send_response(status: u16, details: &str, body: &str, headers: &[u8], grpc_status: Option<u8>) -> Answer<()> {
    let grpc_status = grpc_status.map_or(-1, i32::from);
    // SAFETY: pointers and sizes are those of live slices.
    check(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

/// Chooses the context that the next calls are about.
pub fn set_effective_context(context: u32) -> Answer<()> {
    // SAFETY: no pointers.
    check(unsafe { proxy_set_effective_context(context) })
}

/// The value of a property.
pub fn property(path: &[&str]) -> Answer<Vec<u8>> {
    // Segments are told apart by a NUL.
    let path = path.join("\0");
    // SAFETY: as above.
    owned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a property of one segment, which access logs read as filter state.
pub fn set_property(name: &str, value: &[u8]) -> Answer<()> {
    // SAFETY: pointers and sizes are those of live slices.
    check(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// The value of a key in the data that VMs share, with the number of its version.
pub fn shared_data(key: &str) -> Answer<(Vec<u8>, u32)> {
    let mut cas = 0;
    // SAFETY: as above; the host writes one `u32` besides.
    let value =
        owned(|data, size| unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut cas) })?;
    Ok((value, cas))
}

/// Writes a key in the data that VMs share, if the number of its version is `cas`; 0: in any case.
pub fn set_shared_data(key: &str, value: &[u8], cas: u32) -> Answer<()> {
    // SAFETY: pointers and sizes are those of live slices.
    check(unsafe { proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) })
}

/// Asks for a tick after `period`, and one after each further; zero: none.
pub fn set_tick_period(period: Duration) -> Answer<()> {
    let milliseconds = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: no pointers.
    check(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

fn check(status: u32) -> Answer<()> {
    match status {
        0 => Ok(()),
        status => Err(Status(status)),
    }
}

/// Takes over memory that the host fills: it asks [`allocate`](crate::exports::allocate) for it, and writes its address and size.
fn owned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Answer<Vec<u8>> {
    let (mut data, mut size) = (null_mut(), 0);
    check(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: `allocate` made this memory, of this size, and gave it away.
    Ok(unsafe { Box::from_raw(slice_from_raw_parts_mut(data, size)) }.into_vec())
}
