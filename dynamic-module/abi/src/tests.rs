//! The border as a whole, between a module that does all that one can, and a host that does what none should.

use std::rc::Rc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::exports::*;
use crate::fake::{self, Configuration, NONE, Request, nowhere};
use crate::{
    Action, Answer, Config, ConfigWaker, Definition, Headers, Main, Module, Stream, StreamId, StreamWaker, stream,
};

/// Does what the first header line says.
struct Probe {
    waker: ConfigWaker,
    seen: Mutex<Vec<String>>,
    wakers: Mutex<Vec<StreamWaker>>,
}

impl Probe {
    fn see(&self, what: impl Into<String>) {
        self.seen.lock().unwrap().push(what.into());
    }
}

fn words(id: StreamId) -> Vec<String> {
    let lines = |lines: &[stream::Line<'_>]| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        lines.iter().map(|(name, value)| format!("{}={}", text(name), text(value))).collect()
    };
    stream::read_headers(id, Headers::Request, lines).unwrap_or_default()
}

impl Module for Probe {
    fn configure(definition: &Definition, name: &str, configuration: &[u8]) -> Option<Self> {
        assert_ne!(configuration, b"panic");
        if configuration == b"refuse" {
            return None;
        }
        let metrics = [definition.counter("c"), definition.gauge("g"), definition.histogram("h")];
        let waker = definition.waker();
        waker.wake();
        let seen =
            format!("{name} {} {} {:?}", definition.workers(), definition.is_check(), metrics.map(|it| it.is_some()));
        Some(Self { waker, seen: Mutex::new(vec![seen]), wakers: Mutex::default() })
    }

    fn scheduled(&self, main: Main<'_>) {
        let sent = main.callout("cluster", &[(":path", "/"), ("host", "")], b"", Duration::MAX);
        self.see(format!("scheduled {:?}", sent.map_err(|error| error.status)));
    }

    fn callout_done(&self, _: Main<'_>, number: u64, answer: Option<Answer<'_>>) {
        let text = answer.map(|answer| (answer.headers.len(), answer.body.concat()));
        assert_ne!(number, 13, "panics");
        self.see(format!("answer {number} {text:?}"));
    }

    fn request_headers(&self, _: &Config, stream: Stream, _: bool) -> Action {
        let words = words(stream.id);
        self.see(format!("request {words:?} on {}", stream.worker));
        match words.first().map(String::as_str) {
            Some("do=panic") => panic!("asked"),
            Some("do=answer") => {
                stream::send_response(stream.id, 403, &[("a", "b"), ("c", "")], "body", "details");
                // Whatever is asked of a request that is gone by now does nothing.
                stream::set_header(stream.id, Headers::Request, b"late", b"");
                Action::Pause
            }
            Some("do=answer and panic") => {
                stream::send_response(stream.id, 403, &[], "", "details");
                panic!("asked");
            }
            Some("do=wait") => {
                self.wakers.lock().unwrap().extend(stream::waker(stream.id));
                Action::Pause
            }
            _ => Action::Continue,
        }
    }

    fn request_trailers(&self, _: &Config, stream: Stream) -> Action {
        assert!(stream::remove_header(stream.id, Headers::RequestTrailers, b"gone"));
        Action::Pause
    }

    fn response_headers(&self, _: &Config, _: Stream) -> Action {
        panic!("asked");
    }

    fn stream_scheduled(&self, _: &Config, stream: Stream) {
        stream::continue_request(stream.id);
    }

    fn stream_gone(&self, _: &Config, stream: Stream) {
        assert!(!stream::exists(stream.id));
        self.see("gone");
    }

    fn panicked(&self, _: &Config, worker: Option<usize>) {
        self.see(format!("panicked {worker:?}"));
    }
}

/// A configuration that the module has taken.
struct Taken {
    host: Rc<Configuration>,
    module: Opaque,
}

impl Taken {
    fn new(host: Configuration) -> Self {
        fake::load();
        let host = Rc::new(host);
        let module = configure(&host, b"text");
        assert!(!module.is_null());
        Self { host, module }
    }

    /// Since the last call.
    fn seen(&self) -> Vec<String> {
        // SAFETY: it is there until this is dropped.
        std::mem::take(&mut unsafe { module::<Probe>(self.module) }.seen.lock().unwrap())
    }

    fn begin(&self, request: &Request) -> Opaque {
        // SAFETY: the hook is called as Envoy does.
        unsafe { filter_new::<Probe>(self.module, request.pointer()) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // SAFETY: the hook is called as Envoy does, for the last time.
        unsafe { config_destroy::<Probe>(self.module) };
        assert_eq!(self.host.schedulers.alive(), 0, "schedulers are deleted once");
    }
}

fn configure(host: &Configuration, text: &[u8]) -> Opaque {
    // SAFETY: the hook is called as Envoy does.
    unsafe { config_new::<Probe>(host.pointer(), Buffer::of(b"name"), Buffer::of(text)) }
}

fn header(name: &'static str, value: &'static str) -> (Buffer, Buffer) {
    (Buffer::of(name.as_bytes()), Buffer::of(value.as_bytes()))
}

fn headers(begun: Opaque) -> u32 {
    // SAFETY: the hook is called as Envoy does.
    unsafe { request_headers::<Probe>(std::ptr::null_mut(), begun, true) }
}

fn end(begun: Opaque) {
    // SAFETY: the hook is called as Envoy does.
    unsafe { destroy::<Probe>(begun) };
}

const CONTINUE: u32 = 0;
const PAUSE: u32 = 4;

#[test]
fn buffers_of_any_kind_are_read_as_what_they_hold() {
    let taken = Taken::new(Configuration::willing());
    let odd = [
        header("a", "b"),
        (Buffer::NULL, Buffer::NULL),
        (Buffer { pointer: std::ptr::null(), length: 7 }, Buffer { pointer: nowhere(), length: 0 }),
        (Buffer::of(b"\xff\0"), Buffer::of(b"")),
    ];
    let request = Request::with(&odd);
    let begun = taken.begin(&request);
    assert_eq!(headers(begun), CONTINUE);
    assert_eq!(taken.seen()[1], "request [\"a=b\", \"=\", \"=\", \"\u{fffd}\\0=\"] on 7");
    request.lines.borrow_mut().clear();
    assert_eq!(headers(begun), CONTINUE);
    request.counted.set(Some(3));
    assert_eq!(headers(begun), CONTINUE);
    assert_eq!(taken.seen(), ["request [] on 7", "request [] on 7"], "a host that counts and hands nothing over");
    end(begun);
}

#[test]
fn attributes_are_copied_if_there_are_any() {
    fake::load();
    let request = Request::default();
    // SAFETY: it is forgotten below.
    let id = unsafe { stream::remember(request.pointer()) }.unwrap();
    for (attribute, expected) in [
        (None, None),
        (Some(Buffer::NULL), Some(&b""[..])),
        (Some(Buffer { pointer: std::ptr::null(), length: 9 }), Some(b"")),
        (Some(Buffer::of(b"127.0.0.1:1")), Some(b"127.0.0.1:1")),
    ] {
        request.attribute.set(attribute);
        assert_eq!(stream::peer_address(id).as_deref(), expected);
        assert_eq!(stream::peer_certificate(id).as_deref(), expected);
    }
    stream::forget(id);
    assert_eq!(stream::peer_address(id), None);
}

#[test]
fn nothing_changes_while_headers_are_lent() {
    fake::load();
    let request = Request::with(&[header("a", "b")]);
    // SAFETY: it is forgotten below.
    let id = unsafe { stream::remember(request.pointer()) }.unwrap();
    let refused = stream::read_headers(id, Headers::Request, |lines| {
        let again = stream::read_headers(id, Headers::Response, |lines| lines.len());
        let done = [
            stream::set_header(id, Headers::Request, b"a", b"c"),
            stream::add_header(id, Headers::Request, b"a", b"c"),
            stream::remove_header(id, Headers::Request, b"a"),
            stream::clear_route(id),
            stream::set_filter_state(id, "a", "b"),
            stream::send_response(id, 200, &[], "", ""),
            stream::continue_request(id),
            stream::continue_response(id),
            stream::reset(id, ""),
        ];
        (again, done, lines.len())
    });
    assert_eq!(refused, Some((Some(1), [false; 9], 1)));
    assert!(request.asked.borrow().is_empty());
    // A closure that panics gives them back.
    let panicked = std::panic::catch_unwind(|| stream::read_headers(id, Headers::Request, |_| panic!("asked")));
    assert!(panicked.is_err());
    assert!(stream::set_header(id, Headers::Request, b"a", b""));
    assert_eq!(*request.asked.borrow(), ["set a="]);
    stream::forget(id);
}

/// Envoy calls hooks of a request within calls for it; the last one may be that which destroys it.
#[test]
fn a_request_that_ends_within_its_own_call_is_gone_after_it() {
    let taken = Taken::new(Configuration::willing());
    let request = Rc::new(Request::with(&[header("do", "answer")]));
    let begun = taken.begin(&request);
    *request.within.borrow_mut() = Some(Box::new(move || end(begun)));
    assert_eq!(headers(begun), PAUSE);
    assert_eq!(*request.asked.borrow(), ["respond 403 a=b c= `body` details"]);
    assert_eq!(taken.seen()[1..], ["request [\"do=answer\"] on 7", "gone"]);
}

#[test]
fn a_waker_outlives_its_request_and_does_nothing_then() {
    let taken = Taken::new(Configuration::willing());
    let request = Request::with(&[header("do", "wait")]);
    let begun = taken.begin(&request);
    assert_eq!(headers(begun), PAUSE);
    // SAFETY: it is there until the configuration is destroyed.
    let probe = unsafe { module::<Probe>(taken.module) };
    let waker = probe.wakers.lock().unwrap().pop().unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| waker.wake());
        }
    });
    assert_eq!((request.schedulers.commits(), request.schedulers.alive()), (2, 1));
    // SAFETY: the hook is called as Envoy does.
    unsafe { scheduled::<Probe>(request.pointer(), begun, 0) };
    assert_eq!(*request.asked.borrow(), ["continue"]);
    end(begun);
    assert_eq!(request.schedulers.alive(), 0);
    thread::scope(|scope| scope.spawn(|| waker.wake()).join().unwrap());
    assert_eq!(request.schedulers.commits(), 2);
}

#[test]
fn a_panic_is_an_answer_of_500_and_the_module_learns_of_it() {
    let taken = Taken::new(Configuration::willing());
    let request = Request::with(&[header("do", "panic"), header("content-type", "application/grpc")]);
    let begun = taken.begin(&request);
    assert_eq!(headers(begun), PAUSE);
    let expected = "respond 500 cache-control=no-store grpc-status=13 `` jotgate_host_failure";
    assert_eq!(*request.asked.borrow(), [expected]);
    // SAFETY: hooks are called as Envoy does.
    unsafe {
        assert_eq!(response_headers::<Probe>(std::ptr::null_mut(), begun, true), CONTINUE, "it is the upstream's");
        assert_eq!(request_trailers::<Probe>(std::ptr::null_mut(), begun), 1);
        config_callout_done::<Probe>(
            std::ptr::null_mut(),
            taken.module,
            13,
            0,
            std::ptr::null(),
            9,
            std::ptr::null(),
            9,
        );
    }
    end(begun);
    let seen = taken.seen();
    let panics: Vec<_> = seen.iter().filter(|line| line.starts_with("panicked")).collect();
    assert_eq!(panics, ["panicked Some(7)", "panicked Some(7)", "panicked None"]);
    let refused = Configuration::willing();
    assert!(configure(&refused, b"panic").is_null());
    assert_eq!(refused.schedulers.alive(), 0);
}

#[test]
fn a_request_is_answered_once() {
    let taken = Taken::new(Configuration::willing());
    let request = Request::with(&[header("do", "answer and panic")]);
    for _ in 0..2 {
        let begun = taken.begin(&request);
        assert_eq!(headers(begun), PAUSE);
        assert_eq!(*request.asked.take(), ["respond 403 `` details"], "and not once more because of the panic");
        end(begun);
    }
}

#[test]
fn answers_of_any_shape_reach_the_module() {
    let taken = Taken::new(Configuration::willing());
    let lines = [crate::raw::Pair::of(b":status", b"200"), crate::raw::Pair::NULL];
    let body = [Buffer::of(b"one"), Buffer::NULL, Buffer { pointer: nowhere(), length: 0 }, Buffer::of(b"two")];
    let null = std::ptr::null_mut();
    // SAFETY: hooks are called as Envoy does, but for what they hand over.
    unsafe {
        config_callout_done::<Probe>(null, taken.module, 1, 0, lines.as_ptr(), 2, body.as_ptr(), 4);
        config_callout_done::<Probe>(null, taken.module, 2, 0, std::ptr::null(), 5, std::ptr::null(), 5);
        // What did not succeed is not looked at.
        config_callout_done::<Probe>(null, taken.module, 3, 2, nowhere().cast(), 5, nowhere().cast(), 5);
        config_scheduled::<Probe>(null, taken.module, 0);
        taken.host.is_willing.set(false);
        config_scheduled::<Probe>(null, taken.module, 0);
    }
    assert_eq!(
        taken.seen()[1..],
        [
            "answer 1 Some((2, [111, 110, 101, 116, 119, 111]))",
            "answer 2 Some((0, []))",
            "answer 3 None",
            "scheduled Ok(1)",
            "scheduled Err(1)",
        ]
    );
}

#[test]
fn a_configuration_is_taken_or_refused_and_leaves_nothing() {
    let taken = Taken::new(Configuration::default());
    assert_eq!(taken.seen(), ["name 1 false [false, false, false]"], "a host that takes no metrics");
    assert_eq!(taken.host.schedulers.commits(), 1);
    // SAFETY: it is there until the configuration is destroyed.
    let waker = unsafe { module::<Probe>(taken.module) }.waker.clone();
    let schedulers = taken.host.schedulers.clone();
    drop(taken);
    waker.wake();
    assert_eq!((schedulers.commits(), schedulers.alive()), (1, 0));
    let refused = Configuration::willing();
    assert!(configure(&refused, b"refuse").is_null());
    assert_eq!(refused.schedulers.alive(), 0);
}

/// The last reference to a configuration.
struct Last(Opaque);

// SAFETY: Envoy destroys a configuration on whichever thread was the last to use it.
unsafe impl Send for Last {}

impl Last {
    fn destroy(&self) {
        // SAFETY: the hook is called as Envoy does, for the last time.
        unsafe { config_destroy::<Probe>(self.0) };
    }
}

/// Envoy holds a reference while it is asked to call, on whichever thread that is.
#[test]
fn a_configuration_may_end_in_the_call_that_wakes_it() {
    fake::load();
    let host = Configuration::willing();
    let module = configure(&host, b"text");
    // SAFETY: it is there until the configuration is destroyed.
    let waker = unsafe { crate::exports::module::<Probe>(module) }.waker.clone();
    let last = Last(module);
    host.schedulers.within_the_next_commit(move || last.destroy());
    waker.wake();
    assert_eq!((host.schedulers.commits(), host.schedulers.alive()), (2, 0));
    waker.wake();
    assert_eq!(host.schedulers.commits(), 2);
}

/// Where a configuration was refused, say.
#[test]
fn hooks_without_what_they_belong_to_let_nothing_pass() {
    fake::load();
    let null = std::ptr::null_mut();
    // SAFETY: null is what the module answers with when it refuses.
    unsafe {
        config_scheduled::<Probe>(null, NONE, 0);
        config_callout_done::<Probe>(null, NONE, 1, 1, std::ptr::null(), 0, std::ptr::null(), 0);
        config_destroy::<Probe>(NONE);
        assert_eq!(headers(NONE), PAUSE);
        assert_eq!(request_trailers::<Probe>(null, NONE), 1);
        assert_eq!(response_headers::<Probe>(null, NONE, true), CONTINUE);
        scheduled::<Probe>(null, NONE, 0);
        destroy::<Probe>(NONE);
        let request = Request::default();
        let begun = filter_new::<Probe>(NONE, request.pointer());
        assert_eq!(headers(begun), PAUSE);
        destroy::<Probe>(begun);
    }
}

#[test]
fn a_request_is_not_found_on_another_thread() {
    fake::load();
    let request = Request::with(&[header(":path", "/")]);
    // SAFETY: it is forgotten below.
    let id = unsafe { stream::remember(request.pointer()) }.unwrap();
    assert!(stream::exists(id));
    let lines = request.lines.take();
    assert!(!stream::exists(id), "of one that is gone but not destroyed, a host has no headers");
    request.lines.replace(lines);
    let elsewhere = move || (stream::exists(id), stream::continue_request(id), stream::waker(id).is_some());
    assert_eq!(thread::spawn(elsewhere).join().unwrap(), (false, false, false));
    stream::forget(id);
}
