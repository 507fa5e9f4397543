//! A host in memory, for tests: it has Envoy's functions, and hands over what no Envoy should.
//!
//! Miri (`make miri`) sees every pointer that crosses the border in either direction.

#![allow(unsafe_op_in_unsafe_fn, reason = "all of it is a host, whose pointers are those that it made")]

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::functions::{Functions, install};
use crate::raw::{Buffer, Envoy, Pair, SUCCESS, slice};

/// A request, as this host keeps it.
#[derive(Default)]
pub(crate) struct Request {
    /// What it hands over as header lines, of whatever map.
    pub(crate) lines: RefCell<Vec<Pair>>,
    /// How many lines it counts, if not those that it has; then it hands none over.
    pub(crate) counted: Cell<Option<usize>>,
    /// What it says of an attribute.
    pub(crate) attribute: Cell<Option<Buffer>>,
    /// What it was asked for, in order.
    pub(crate) asked: RefCell<Vec<String>>,
    /// What it does within the next call that may call back.
    pub(crate) within: RefCell<Option<Box<dyn FnOnce()>>>,
    pub(crate) schedulers: Schedulers,
}

/// A configuration, as this host keeps it.
#[derive(Default)]
pub(crate) struct Configuration {
    pub(crate) callouts: Cell<u64>,
    /// Whether it takes metrics and callouts.
    pub(crate) is_willing: Cell<bool>,
    pub(crate) schedulers: Schedulers,
}

/// Schedulers, as this host keeps them.
#[derive(Clone, Default)]
pub(crate) struct Schedulers(Arc<Kept>);

#[derive(Default)]
struct Kept {
    alive: AtomicUsize,
    commits: AtomicUsize,
    /// What it does within the next commit.
    within: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Schedulers {
    /// How many there are.
    pub(crate) fn alive(&self) -> usize {
        self.0.alive.load(Ordering::Relaxed)
    }

    /// How often they were asked to call.
    pub(crate) fn commits(&self) -> usize {
        self.0.commits.load(Ordering::Relaxed)
    }

    pub(crate) fn within_the_next_commit(&self, act: impl FnOnce() + Send + 'static) {
        *self.0.within.lock().unwrap() = Some(Box::new(act));
    }

    fn make(&self) -> Envoy {
        self.0.alive.fetch_add(1, Ordering::Relaxed);
        Box::into_raw(Box::new(self.clone())).cast()
    }
}

impl Request {
    pub(crate) fn with(lines: &[(Buffer, Buffer)]) -> Self {
        let pairs = lines.iter().map(|(key, value)| Pair { key: *key, value: *value });
        Self { lines: RefCell::new(pairs.collect()), ..Self::default() }
    }

    /// As the module gets it.
    pub(crate) fn pointer(&self) -> Envoy {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn note(&self, what: &str) {
        self.asked.borrow_mut().push(what.to_owned());
        let within = self.within.borrow_mut().take();
        if let Some(within) = within {
            within();
        }
    }
}

impl Configuration {
    pub(crate) fn willing() -> Self {
        Self { is_willing: Cell::new(true), ..Self::default() }
    }

    /// As the module gets it.
    pub(crate) fn pointer(&self) -> Envoy {
        std::ptr::from_ref(self).cast_mut().cast()
    }
}

/// Puts this host in Envoy's place.
pub(crate) fn load() {
    install(Functions {
        add_header: set_header,
        clear_route_cache: clear_route,
        config_callout,
        config_increment_counter: metric,
        config_record_histogram: metric,
        config_scheduler_commit: commit,
        config_scheduler_delete: delete,
        config_scheduler_new,
        config_set_gauge: metric,
        continue_decoding,
        continue_encoding,
        define_counter: define,
        define_gauge: define,
        define_histogram: define,
        get_attribute_string,
        get_concurrency,
        get_headers,
        get_headers_size,
        get_worker_index,
        is_validation_mode,
        log,
        reset_stream,
        scheduler_commit: commit,
        scheduler_delete: delete,
        scheduler_new,
        send_response,
        set_filter_state,
        set_header,
    });
}

unsafe fn request<'a>(pointer: Envoy) -> &'a Request {
    &*pointer.cast::<Request>()
}

unsafe fn configuration<'a>(pointer: Envoy) -> &'a Configuration {
    &*pointer.cast::<Configuration>()
}

/// Reads all of it, as a host that copies it does.
unsafe fn text(buffer: Buffer) -> String {
    String::from_utf8_lossy(buffer.bytes()).into_owned()
}

unsafe fn texts(pairs: *const Pair, size: usize) -> String {
    slice(pairs, size).iter().flat_map(|pair| [" ".into(), text(pair.key), "=".into(), text(pair.value)]).collect()
}

unsafe extern "C" fn set_header(stream: Envoy, _: u32, key: Buffer, value: Buffer) -> bool {
    request(stream).note(&format!("set {}={}", text(key), text(value)));
    true
}

unsafe extern "C" fn clear_route(stream: Envoy) {
    request(stream).note("clear route");
}

unsafe extern "C" fn config_callout(
    config: Envoy,
    number: *mut u64,
    cluster: Buffer,
    headers: *const Pair,
    size: usize,
    body: Buffer,
    _: u64,
) -> u32 {
    let config = configuration(config);
    let _ = (text(cluster), texts(headers, size), text(body));
    if !config.is_willing.get() {
        return 1;
    }
    config.callouts.set(config.callouts.get() + 1);
    *number = config.callouts.get();
    SUCCESS
}

unsafe extern "C" fn metric(config: Envoy, _: usize, _: *const Buffer, _: usize, _: u64) -> u32 {
    u32::from(!configuration(config).is_willing.get())
}

unsafe extern "C" fn define(config: Envoy, name: Buffer, _: *const Buffer, _: usize, id: *mut usize) -> u32 {
    *id = text(name).len();
    u32::from(!configuration(config).is_willing.get())
}

unsafe extern "C" fn config_scheduler_new(config: Envoy) -> Envoy {
    configuration(config).schedulers.make()
}

unsafe extern "C" fn scheduler_new(stream: Envoy) -> Envoy {
    request(stream).schedulers.make()
}

unsafe extern "C" fn commit(scheduler: Envoy, _: u64) {
    let scheduler = &*scheduler.cast::<Schedulers>();
    scheduler.0.commits.fetch_add(1, Ordering::Relaxed);
    let within = scheduler.0.within.lock().unwrap().take();
    if let Some(within) = within {
        within();
    }
}

unsafe extern "C" fn delete(scheduler: Envoy) {
    let scheduler = Box::from_raw(scheduler.cast::<Schedulers>());
    scheduler.0.alive.fetch_sub(1, Ordering::Relaxed);
}

unsafe extern "C" fn continue_decoding(stream: Envoy) {
    request(stream).note("continue");
}

unsafe extern "C" fn continue_encoding(stream: Envoy) {
    request(stream).note("continue response");
}

unsafe extern "C" fn get_attribute_string(stream: Envoy, _: u32, value: *mut Buffer) -> bool {
    let attribute = request(stream).attribute.get();
    if let Some(attribute) = attribute {
        *value = attribute;
    }
    attribute.is_some()
}

unsafe extern "C" fn get_concurrency() -> u32 {
    0
}

unsafe extern "C" fn get_headers_size(stream: Envoy, _: u32) -> usize {
    let request = request(stream);
    request.counted.get().unwrap_or(request.lines.borrow().len())
}

unsafe extern "C" fn get_headers(stream: Envoy, _: u32, pairs: *mut Pair) -> bool {
    let request = request(stream);
    if request.counted.get().is_some() {
        return false;
    }
    for (index, line) in request.lines.borrow().iter().enumerate() {
        *pairs.add(index) = *line;
    }
    true
}

unsafe extern "C" fn get_worker_index(_: Envoy) -> u32 {
    7
}

unsafe extern "C" fn is_validation_mode() -> bool {
    false
}

unsafe extern "C" fn log(_: u32, line: Buffer) {
    let _ = text(line);
}

unsafe extern "C" fn reset_stream(stream: Envoy, _: u32, details: Buffer) {
    request(stream).note(&format!("reset {}", text(details)));
}

unsafe extern "C" fn send_response(
    stream: Envoy,
    status: u32,
    headers: *const Pair,
    size: usize,
    body: Buffer,
    details: Buffer,
) {
    let (headers, body, details) = (texts(headers, size), text(body), text(details));
    request(stream).note(&format!("respond {status}{headers} `{body}` {details}"));
}

unsafe extern "C" fn set_filter_state(stream: Envoy, key: Buffer, value: Buffer) -> bool {
    request(stream).note(&format!("state {}={}", text(key), text(value)));
    true
}

/// A pointer that no module should follow.
pub(crate) fn nowhere() -> *const u8 {
    std::ptr::without_provenance(0x10)
}

/// What a hook takes for one of its own.
pub(crate) const NONE: *const c_void = std::ptr::null();
