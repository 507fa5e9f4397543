//! A stream in the hands of a test.

use crate::exchange::{Direction, Exchange, Life, Outcome};
use crate::flow;
use crate::headers::HeaderMap;
use crate::instance::Instance;
use crate::message::Message;
use crate::options::property_path;
use crate::reply::LocalReply;
use crate::state::Context;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// An HTTP stream. Clones are the same stream; its data outlive its context.
#[derive(Clone)]
pub struct Stream {
    vm: Rc<Instance>,
    id: u32,
    exchange: Rc<RefCell<Exchange>>,
}

impl Stream {
    pub(crate) fn new(vm: &Rc<Instance>, root: u32) -> Self {
        let exchange = Rc::<RefCell<Exchange>>::default();
        let context = Context::Stream { root, exchange: exchange.clone() };
        let id = vm.state(|state| state.add_context(context));
        flow::call::<_, ()>(vm, "proxy_on_context_create", id, (id, root));
        Self { vm: Rc::clone(vm), id, exchange }
    }

    /// The context's id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The request's headers arrive. `Root::request` does this; after `Root::open` the test does.
    pub fn receive_headers(&self, headers: impl Into<HeaderMap>, end_of_stream: bool) {
        self.headers(Direction::Request, headers.into(), end_of_stream);
    }

    /// A part of the request's body arrives.
    pub fn receive_body(&self, chunk: impl AsRef<[u8]>, end_of_stream: bool) {
        self.body(Direction::Request, chunk.as_ref(), end_of_stream);
    }

    /// The request's trailers arrive.
    pub fn receive_trailers(&self, trailers: impl Into<HeaderMap>) {
        self.trailers(Direction::Request, trailers.into());
    }

    /// The upstream answers.
    pub fn respond(&self, headers: impl Into<HeaderMap>, end_of_stream: bool) {
        self.headers(Direction::Response, headers.into(), end_of_stream);
    }

    /// A part of the response's body arrives.
    pub fn respond_body(&self, chunk: impl AsRef<[u8]>, end_of_stream: bool) {
        self.body(Direction::Response, chunk.as_ref(), end_of_stream);
    }

    /// The response's trailers arrive.
    pub fn respond_trailers(&self, trailers: impl Into<HeaderMap>) {
        self.trailers(Direction::Response, trailers.into());
    }

    /// The exchange is complete: `proxy_on_log`, `proxy_on_done` and `proxy_on_delete`, in Envoy's order.
    pub fn end(&self) {
        self.check_alive("end");
        flow::end(&self.vm, self.id, &self.exchange);
    }

    /// The client goes away, at any time. The plugin sees what it sees in [`Stream::end`].
    pub fn cancel(&self) {
        self.end();
    }

    /// What has become of the request.
    pub fn outcome(&self) -> Outcome {
        self.exchange.borrow().outcome()
    }

    /// Whether the request waits for the plugin.
    pub fn is_waiting(&self) -> bool {
        matches!(self.outcome(), Outcome::Paused(_))
    }

    /// The headers that the upstream sees; fails the test if the request did not go on.
    pub fn forwarded(&self) -> HeaderMap {
        match self.outcome() {
            Outcome::Continued(headers) => headers,
            other => panic!("expected stream {} to go on, found {other:?}", self.id),
        }
    }

    /// The plugin's own answer; fails the test if it gave none.
    pub fn reply(&self) -> LocalReply {
        match self.outcome() {
            Outcome::Replied(reply) => reply,
            other => panic!("expected stream {} to be answered by the plugin, found {other:?}", self.id),
        }
    }

    /// Whether the stream has ended, by the test or by the plugin.
    pub fn has_ended(&self) -> bool {
        self.exchange.borrow().life == Life::Ended
    }

    /// What the upstream has seen of the request.
    pub fn upstream(&self) -> Message {
        self.exchange.borrow().request.sent.clone()
    }

    /// What the client has seen of the response, be it the upstream's or the plugin's own.
    pub fn downstream(&self) -> Message {
        self.exchange.borrow().response.sent.clone()
    }

    /// A filter-state value that the plugin set: `jotgate_subject` is what `%FILTER_STATE(wasm.jotgate_subject:PLAIN)%`
    /// would show.
    pub fn property(&self, name: &str) -> Option<Vec<u8>> {
        self.exchange.borrow().filter_state.get(name.as_bytes()).cloned()
    }

    /// The same as text.
    pub fn property_text(&self, name: &str) -> Option<String> {
        self.property(name).map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// Sets a property that the plugin can read on this stream: `source.address`, say.
    pub fn set_property(&self, path: &str, value: impl AsRef<[u8]>) {
        let mut exchange = self.exchange.borrow_mut();
        exchange.properties.insert(property_path(path), value.as_ref().to_vec());
    }

    fn headers(&self, direction: Direction, headers: HeaderMap, end_of_stream: bool) {
        self.check_alive("receive headers");
        let came = self.exchange.borrow_mut().half(direction).headers.is_some();
        assert!(!came, "stream {} got its {} headers already", self.id, direction.name());
        flow::pass_headers(&self.vm, self.id, &self.exchange, direction, headers, end_of_stream);
    }

    fn body(&self, direction: Direction, chunk: &[u8], end_of_stream: bool) {
        self.check_alive("receive a body");
        {
            let mut exchange = self.exchange.borrow_mut();
            let half = exchange.half(direction);
            assert!(half.headers.is_some(), "stream {} has no {} headers yet", self.id, direction.name());
            if flow::stops_everything(&self.vm, half.paused) {
                half.held.body.extend_from_slice(chunk);
                half.held.body_came = true;
                half.held.ended |= end_of_stream;
                return;
            }
        }
        flow::pass_body(&self.vm, self.id, &self.exchange, direction, chunk, end_of_stream);
    }

    fn trailers(&self, direction: Direction, trailers: HeaderMap) {
        self.check_alive("receive trailers");
        {
            let mut exchange = self.exchange.borrow_mut();
            let half = exchange.half(direction);
            assert!(half.headers.is_some(), "stream {} has no {} headers yet", self.id, direction.name());
            if flow::stops_everything(&self.vm, half.paused) {
                half.held.trailers = Some(trailers);
                return;
            }
        }
        flow::pass_trailers(&self.vm, self.id, &self.exchange, direction, trailers);
    }

    fn check_alive(&self, what: &str) {
        let ended = self.exchange.borrow().life == Life::Ended;
        assert!(!ended, "stream {} cannot {what}: it has ended", self.id);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).field("outcome", &self.outcome()).finish_non_exhaustive()
    }
}
