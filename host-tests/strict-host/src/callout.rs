//! HTTP callouts: what a plugin asked for, and what the test answers.

use crate::clock::{Clock, nanos};
use crate::headers::HeaderMap;
use crate::status::Status;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// A callout that a plugin asked for.
#[derive(Clone, Debug)]
pub struct Callout {
    /// The VM, see [`super::Vm::id`].
    pub vm: u32,
    /// The root context that is called back; hosts never call back a stream for it.
    pub root: u32,
    /// The context that called.
    pub context: u32,
    /// What the callback names it by; unique in its VM.
    pub token: u32,
    /// The Envoy cluster.
    pub cluster: String,
    /// The request's headers, pseudo-headers included.
    pub headers: HeaderMap,
    /// The request's body.
    pub body: Vec<u8>,
    /// The request's trailers.
    pub trailers: HeaderMap,
    /// How long the plugin would wait; zero is for ever.
    pub timeout: Duration,
    /// The wall clock when it was sent.
    pub sent_at: Duration,
    /// What the host call answered: anything but [`Status::OK`] means that it never left.
    pub dispatched: Status,
}

impl Callout {
    /// The `:path` that was asked for.
    pub fn path(&self) -> String {
        self.headers.text(":path").unwrap_or_default()
    }

    /// The `:authority` that was asked.
    pub fn authority(&self) -> String {
        self.headers.text(":authority").unwrap_or_default()
    }
}

/// The response to a callout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The headers; `:status` is one of them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: HeaderMap,
}

impl Response {
    /// A response without a body.
    pub fn new(status: u16) -> Self {
        Self { headers: HeaderMap::from([(":status", status.to_string())]), ..Self::default() }
    }

    /// A 200 with a JSON document.
    pub fn json(document: impl fmt::Display) -> Self {
        Self::new(200).header("content-type", "application/json").body(document.to_string())
    }

    /// With one more header line.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// With that body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn text(status: u16, text: &str) -> Self {
        Self::new(status).header("content-type", "text/plain").body(text)
    }
}

/// What becomes of a callout.
#[derive(Clone, Debug)]
pub struct CalloutAnswer {
    kind: Kind,
    after: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    Hang,
    Refuse(Status),
    Respond(Response),
}

impl CalloutAnswer {
    /// The issuer answers.
    pub fn respond(response: Response) -> Self {
        Self { kind: Kind::Respond(response), after: Duration::ZERO }
    }

    /// The connection is refused or breaks: Envoy calls back with a 503 and a text.
    pub fn fail() -> Self {
        let text = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
        Self::respond(Response::text(503, text))
    }

    /// Envoy resets the call: the callback comes without any header, body or trailer.
    pub fn reset() -> Self {
        Self::respond(Response::default())
    }

    /// Nothing comes, until the test answers with [`super::Proxy::answer`] or the callout's timeout passes.
    pub fn hang() -> Self {
        Self { kind: Kind::Hang, after: Duration::ZERO }
    }

    /// The host call itself fails: [`Status::BAD_ARGUMENT`] for a cluster that Envoy does not know,
    /// [`Status::INTERNAL_FAILURE`] for one without hosts.
    pub fn refuse(status: Status) -> Self {
        Self { kind: Kind::Refuse(status), after: Duration::ZERO }
    }

    /// The same, later on the virtual clock.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    pub(crate) fn refusal(&self) -> Option<Status> {
        match self.kind {
            Kind::Refuse(status) => Some(status),
            Kind::Hang | Kind::Respond(_) => None,
        }
    }
}

/// A delivery that is due at an instant of the timers' clock.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) due: Option<u64>,
    pub(crate) sequence: u64,
    pub(crate) response: Response,
}

impl Delivery {
    pub(crate) fn new(answer: CalloutAnswer, timeout: Duration, clock: &Clock) -> Self {
        let (now, sequence) = (clock.monotonic(), clock.next_sequence());
        let in_time = |after: Duration| timeout.is_zero() || after < timeout;
        match answer.kind {
            Kind::Respond(response) if in_time(answer.after) => {
                Self { due: Some(now.saturating_add(nanos(answer.after))), sequence, response }
            }
            _ => {
                let due = (!timeout.is_zero()).then(|| now.saturating_add(nanos(timeout)));
                Self { due, sequence, response: Response::text(504, "upstream request timeout") }
            }
        }
    }
}

/// The callouts of one VM that are under way.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    last_token: u32,
    calls: BTreeMap<u32, (Callout, Delivery)>,
}

impl Pending {
    pub(crate) fn next_token(&mut self) -> u32 {
        self.last_token += 1;
        self.last_token
    }

    pub(crate) fn insert(&mut self, callout: Callout, delivery: Delivery) {
        self.calls.insert(callout.token, (callout, delivery));
    }

    pub(crate) fn take(&mut self, token: u32) -> Option<(Callout, Delivery)> {
        self.calls.remove(&token)
    }

    pub(crate) fn callouts(&self) -> impl Iterator<Item = &Callout> {
        self.calls.values().map(|(callout, _)| callout)
    }

    pub(crate) fn cancel_of(&mut self, root: u32) {
        self.calls.retain(|_, (callout, _)| callout.root != root);
    }

    /// The next one due, as (instant, sequence, token).
    pub(crate) fn next(&self) -> Option<(u64, u64, u32)> {
        let due = |(token, (_, delivery)): (&u32, &(Callout, Delivery))| {
            delivery.due.map(|due| (due, delivery.sequence, *token))
        };
        self.calls.iter().filter_map(due).min()
    }
}

type Handler = Box<dyn FnMut(&Callout) -> CalloutAnswer>;

/// Who answers callouts, and the record of all of them.
#[derive(Clone, Default)]
pub(crate) struct Network(Rc<NetworkInner>);

#[derive(Default)]
struct NetworkInner {
    handler: RefCell<Option<Handler>>,
    record: RefCell<Vec<Callout>>,
}

impl Network {
    pub(crate) fn set_handler(&self, handler: Handler) {
        *self.0.handler.borrow_mut() = Some(handler);
    }

    pub(crate) fn ask(&self, callout: &Callout) -> CalloutAnswer {
        match self.0.handler.borrow_mut().as_mut() {
            Some(handler) => handler(callout),
            None => CalloutAnswer::hang(),
        }
    }

    pub(crate) fn record(&self, callout: Callout) {
        self.0.record.borrow_mut().push(callout);
    }

    pub(crate) fn recorded(&self) -> Vec<Callout> {
        self.0.record.borrow().clone()
    }
}
