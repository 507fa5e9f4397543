//! What a request is asked for and told, by its [`StreamId`], on the thread that runs it.
//!
//! INVARIANT: the table of a thread holds the pointers of exactly those requests of that thread that exist: Envoy makes
//! and destroys a request on the thread that runs it, and calls a hook each time.

use std::cell::RefCell;
use std::mem;

use crate::functions::{Functions, functions};
use crate::raw::{Buffer, Envoy, HeaderType, LOCAL_RESET, PEER_CERTIFICATE_DIGEST, Pair, SOURCE_ADDRESS, slice};
use crate::waker::StreamWaker;

/// Names a request: no other one on its thread, neither at the same time nor later.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct StreamId(pub u64);

/// Header maps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Headers {
    /// Those in front of the body of a request.
    Request,
    /// Those behind it.
    RequestTrailers,
    /// Those of the response.
    Response,
}

/// A header line: its name, and its value.
pub type Line<'a> = (&'a [u8], &'a [u8]);

#[derive(Debug)]
struct Slot {
    generation: u32,
    stream: Option<Envoy>,
    /// A request is answered once, whatever went wrong meanwhile.
    is_answered: bool,
    waker: Option<StreamWaker>,
}

#[derive(Debug)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// How often headers are lent just now. INVARIANT: meanwhile Envoy is asked for nothing that might free them.
    lent: u32,
}

thread_local! {
    static TABLE: RefCell<Table> = const { RefCell::new(Table { slots: Vec::new(), free: Vec::new(), lent: 0 }) };
}

impl Table {
    fn slot(&mut self, StreamId(id): StreamId) -> Option<&mut Slot> {
        let (index, generation) = (id & u64::from(u32::MAX), id >> 32);
        let slot = self.slots.get_mut(usize::try_from(index).ok()?)?;
        (u64::from(slot.generation) == generation).then_some(slot)
    }

    fn insert(&mut self, stream: Envoy) -> Option<StreamId> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow()?,
        };
        let slot = self.slots.get_mut(usize::try_from(index).ok()?)?;
        slot.stream = Some(stream);
        slot.is_answered = false;
        Some(StreamId(u64::from(slot.generation) << 32 | u64::from(index)))
    }

    fn grow(&mut self) -> Option<u32> {
        let index = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(Slot { generation: 0, stream: None, is_answered: false, waker: None });
        Some(index)
    }

    fn remove(&mut self, id: StreamId) -> Option<StreamWaker> {
        let index = u32::try_from(id.0 & u64::from(u32::MAX)).ok()?;
        let slot = self.slot(id)?;
        slot.stream = None;
        let waker = slot.waker.take();
        // A slot whose numbers are used up is never used again.
        if let Some(next) = slot.generation.checked_add(1) {
            slot.generation = next;
            self.free.push(index);
        }
        waker
    }
}

/// A request has begun: its name from now on.
///
/// # Safety
///
/// `stream` is a new request of this thread, and [`forget`] is called when it is destroyed.
pub(crate) unsafe fn remember(stream: Envoy) -> Option<StreamId> {
    TABLE.with_borrow_mut(|table| table.insert(stream))
}

/// A request is destroyed.
pub(crate) fn forget(id: StreamId) {
    if let Some(waker) = TABLE.with_borrow_mut(|table| table.remove(id)) {
        waker.close();
    }
}

/// The request, for one call to Envoy that may change or free it; `None` also while headers are lent.
fn exclusive(id: StreamId) -> Option<(Envoy, &'static Functions)> {
    let functions = functions()?;
    TABLE.with_borrow_mut(|table| {
        if table.lent > 0 {
            return None;
        }
        Some((table.slot(id)?.stream?, functions))
    })
}

/// The request, for one call to Envoy that changes nothing.
fn shared(id: StreamId) -> Option<(Envoy, &'static Functions)> {
    let functions = functions()?;
    TABLE.with_borrow_mut(|table| Some((table.slot(id)?.stream?, functions)))
}

/// Whether the request is there, on this thread. Envoy 1.40 calls the hook that destroys one a little after its end:
/// until then, it has no headers.
pub fn exists(id: StreamId) -> bool {
    // SAFETY: the request exists, or Envoy has not destroyed what is left of it.
    shared(id)
        .is_some_and(|(stream, functions)| unsafe { (functions.get_headers_size)(stream, kind(Headers::Request)) } > 0)
}

/// Headers are lent until this is dropped.
struct Loan;

impl Loan {
    fn begin() -> Self {
        TABLE.with_borrow_mut(|table| table.lent += 1);
        Self
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        TABLE.with_borrow_mut(|table| table.lent -= 1);
    }
}

/// Hands the lines of headers to `read`; `None` if Envoy has none, or the request is gone.
pub fn read_headers<T>(id: StreamId, headers: Headers, read: impl FnOnce(&[Line<'_>]) -> T) -> Option<T> {
    let (stream, functions) = shared(id)?;
    let kind = kind(headers);
    let _loan = Loan::begin();
    // SAFETY: the request exists.
    let size = unsafe { (functions.get_headers_size)(stream, kind) };
    let mut pairs = vec![Pair::NULL; size];
    // SAFETY: the request exists, and there is room for as many lines as Envoy has just counted.
    if size > 0 && !unsafe { (functions.get_headers)(stream, kind, pairs.as_mut_ptr()) } {
        return None;
    }
    let lines: Vec<Line<'_>> =
        // SAFETY: the bytes stay as they are until a hook ends or a header is set, and neither happens during the loan.
        pairs.iter().map(|pair| unsafe { (pair.key.bytes(), pair.value.bytes()) }).collect();
    Some(read(&lines))
}

/// Replaces all lines of that name by one, or adds it.
pub fn set_header(id: StreamId, headers: Headers, name: &[u8], value: &[u8]) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists, and the bytes outlive the call, which copies them.
    unsafe { (functions.set_header)(stream, kind(headers), Buffer::of(name), Buffer::of(value)) }
}

/// Adds a line.
pub fn add_header(id: StreamId, headers: Headers, name: &[u8], value: &[u8]) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists, and the bytes outlive the call, which copies them.
    unsafe { (functions.add_header)(stream, kind(headers), Buffer::of(name), Buffer::of(value)) }
}

/// Removes all lines of that name, if there are any.
pub fn remove_header(id: StreamId, headers: Headers, name: &[u8]) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists, the name outlives the call, and no value means that there should be none.
    unsafe { (functions.set_header)(stream, kind(headers), Buffer::of(name), Buffer::NULL) }
}

/// Has the route chosen anew, by the headers that are there when it is asked for next.
pub fn clear_route(id: StreamId) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists.
    unsafe { (functions.clear_route_cache)(stream) };
    true
}

/// The address that the request comes from, with its port.
pub fn peer_address(id: StreamId) -> Option<Vec<u8>> {
    attribute(id, SOURCE_ADDRESS)
}

/// The SHA-256 of the certificate that the client of its connection has shown, in hexadecimal.
pub fn peer_certificate(id: StreamId) -> Option<Vec<u8>> {
    attribute(id, PEER_CERTIFICATE_DIGEST)
}

fn attribute(id: StreamId, attribute: u32) -> Option<Vec<u8>> {
    let (stream, functions) = shared(id)?;
    let mut text = Buffer::NULL;
    // SAFETY: the request exists, and there is room for one buffer.
    let is_known = unsafe { (functions.get_attribute_string)(stream, attribute, &raw mut text) };
    // SAFETY: the bytes are there until this hook ends, and are copied at once.
    is_known.then(|| unsafe { text.bytes() }.to_vec())
}

/// Sets a value of the request's filter state, which access logs show.
pub fn set_filter_state(id: StreamId, name: &str, value: &str) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists, and the bytes outlive the call, which copies them.
    unsafe { (functions.set_filter_state)(stream, Buffer::of(name.as_bytes()), Buffer::of(value.as_bytes())) }
}

/// Answers the request, unless it was answered before. Envoy may call hooks meanwhile, of this request or others.
pub fn send_response(id: StreamId, status: u16, headers: &[(&str, &str)], body: &str, details: &str) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    let is_first = |table: &mut Table| table.slot(id).is_some_and(|slot| !mem::replace(&mut slot.is_answered, true));
    if !TABLE.with_borrow_mut(is_first) {
        return false;
    }
    let pairs: Vec<Pair> = headers.iter().map(|(name, value)| Pair::of(name.as_bytes(), value.as_bytes())).collect();
    let (body, details) = (Buffer::of(body.as_bytes()), Buffer::of(details.as_bytes()));
    // SAFETY: the request exists, and the bytes outlive the call, which copies them.
    unsafe { (functions.send_response)(stream, status.into(), pairs.as_ptr(), pairs.len(), body, details) };
    true
}

/// Answers the request with 500. `grpc-status` says the same to a client of gRPC, which Envoy would otherwise be told is
/// 0, success.
pub fn refuse(id: StreamId) -> bool {
    let headers = [("cache-control", "no-store"), ("grpc-status", "13")];
    let is_grpc = read_headers(id, Headers::Request, is_grpc).unwrap_or_default();
    send_response(id, 500, headers.get(..if is_grpc { 2 } else { 1 }).unwrap_or_default(), "", "jotgate_host_failure")
}

/// Whether a request is one of gRPC, for Envoy.
pub fn is_grpc(lines: &[Line<'_>]) -> bool {
    let is_grpc = |value: &[u8]| matches!(value.strip_prefix(b"application/grpc"), Some([] | [b'+', ..]));
    lines.iter().any(|(name, value)| *name == b"content-type" && is_grpc(value))
}

/// Lets a request go on that was paused. Envoy may call hooks meanwhile, of this request or others.
pub fn continue_request(id: StreamId) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists.
    unsafe { (functions.continue_decoding)(stream) };
    true
}

/// Lets a response go on that was paused. Envoy may call hooks meanwhile, of this request or others.
pub fn continue_response(id: StreamId) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists.
    unsafe { (functions.continue_encoding)(stream) };
    true
}

/// Ends a request and its response at once. Envoy may call hooks meanwhile, of this request or others.
pub fn reset(id: StreamId, details: &str) -> bool {
    let Some((stream, functions)) = exclusive(id) else { return false };
    // SAFETY: the request exists, and the details outlive the call, which copies them.
    unsafe { (functions.reset_stream)(stream, LOCAL_RESET, Buffer::of(details.as_bytes())) };
    true
}

/// What wakes this request from any thread.
pub fn waker(id: StreamId) -> Option<StreamWaker> {
    let (stream, functions) = shared(id)?;
    if let Some(waker) = TABLE.with_borrow_mut(|table| table.slot(id)?.waker.clone()) {
        return Some(waker);
    }
    // SAFETY: the request exists on this thread, and [`forget`] closes the waker.
    let waker = unsafe { StreamWaker::new(functions, stream) }?;
    TABLE.with_borrow_mut(|table| table.slot(id)?.waker.replace(waker.clone()));
    Some(waker)
}

fn kind(headers: Headers) -> u32 {
    match headers {
        Headers::Request => HeaderType::Request as u32,
        Headers::RequestTrailers => HeaderType::RequestTrailer as u32,
        Headers::Response => HeaderType::Response as u32,
    }
}

/// The lines of the response to a callout.
///
/// # Safety
///
/// The lines are there, and nobody changes or frees them during `'a`.
pub(crate) unsafe fn lines<'a>(pairs: *const Pair, size: usize) -> Vec<Line<'a>> {
    // SAFETY: the caller's.
    unsafe { slice(pairs, size) }.iter().map(|pair| unsafe { (pair.key.bytes(), pair.value.bytes()) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Envoy {
        std::ptr::dangling_mut()
    }

    #[test]
    fn the_name_of_a_request_that_is_gone_finds_nothing() {
        let mut table = Table { slots: Vec::new(), free: Vec::new(), lent: 0 };
        let first = table.insert(stream()).unwrap();
        let second = table.insert(stream()).unwrap();
        table.remove(first);
        let third = table.insert(stream()).unwrap();
        assert!(table.slot(first).is_none());
        assert!([second, third].iter().all(|id| table.slot(*id).is_some_and(|slot| slot.stream.is_some())));
        assert_eq!(table.slots.len(), 2, "slots are used again");
        assert!(table.remove(first).is_none());
        assert!(table.slot(third).is_some(), "a second end is none of the request that has the slot now");
        assert!(table.slot(StreamId(u64::MAX)).is_none());
    }

    #[test]
    fn a_slot_whose_numbers_are_used_up_is_not_used_again() {
        let mut table = Table { slots: Vec::new(), free: Vec::new(), lent: 0 };
        let first = table.insert(stream()).unwrap();
        table.slot(first).unwrap().generation = u32::MAX;
        let last = StreamId(u64::from(u32::MAX) << 32);
        table.remove(last);
        assert!(table.slot(last).is_none_or(|slot| slot.stream.is_none()));
        assert_eq!(table.insert(stream()), Some(StreamId(1)));
    }

    #[test]
    fn grpc_is_what_envoy_takes_for_it() {
        for (value, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(&[(b"accept", b"x"), (b"content-type", value.as_bytes())]), expected, "{value}");
        }
        assert!(!is_grpc(&[(b"x-content-type", b"application/grpc")]));
    }
}
