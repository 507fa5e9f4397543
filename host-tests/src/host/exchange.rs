//! One request and its response, as they pass the plugin.

use super::headers::HeaderMap;
use super::reply::LocalReply;
use std::collections::BTreeMap;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Response,
}

impl Direction {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// How a headers callback stopped a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Action 1. Envoy stops everything, unless `allow_on_headers_stop_iteration` is set: then the body goes on
    /// to the body callback, and if that continues, so do the headers.
    StopIteration,
    /// Action 3: everything stops and the body is buffered.
    StopAllIterationAndBuffer,
    /// Action 4: everything stops, whatever the configuration says.
    StopAllIterationAndWatermark,
    /// A body callback stopped it.
    InBody,
    /// A trailers callback stopped it.
    InTrailers,
}

/// What has become of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It went on, with these headers.
    Continued(HeaderMap),
    /// It waits.
    Paused(Pause),
    /// The plugin answered.
    Replied(LocalReply),
    /// The plugin reset the stream.
    Reset,
    /// The stream ended before anything was decided.
    Abandoned,
}

/// What has passed the plugin in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The headers, once they went on.
    pub headers: Option<HeaderMap>,
    /// The body so far.
    pub body: Vec<u8>,
    /// The trailers, once they went on.
    pub trailers: Option<HeaderMap>,
}

/// One direction of an exchange.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// The headers as they stand; `None`: they have not come yet.
    pub(super) headers: Option<HeaderMap>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) paused: Option<Pause>,
    /// A resume that waits for the end of the VM call.
    pub(super) resuming: bool,
    pub(super) callback_runs: bool,
    /// The body that a callback sees, and what it held back.
    pub(super) buffer: Vec<u8>,
    pub(super) body_visible: bool,
    /// What came while everything was stopped: no callback has seen it.
    pub(super) held: Held,
    pub(super) sent: Message,
}

#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) body: Vec<u8>,
    pub(super) body_came: bool,
    pub(super) ended: bool,
    pub(super) trailers: Option<HeaderMap>,
}

impl Half {
    pub(super) fn headers_open(&self) -> bool {
        self.headers.is_some() && self.sent.headers.is_none()
    }

    pub(super) fn trailers_open(&self) -> bool {
        self.trailers.is_some() && self.sent.trailers.is_none()
    }

    /// Everything that no pause holds back goes on.
    pub(super) fn send_on(&mut self) {
        if self.sent.headers.is_none() {
            self.sent.headers.clone_from(&self.headers);
        }
        self.sent.body.append(&mut self.buffer);
        if self.sent.trailers.is_none() {
            self.sent.trailers.clone_from(&self.trailers);
        }
    }
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Life {
    #[default]
    Open,
    /// `proxy_on_log` runs: all headers may be read, none written.
    Logging,
    /// The last callbacks ran.
    Ended,
}

/// The state of a stream context.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) request: Half,
    pub(super) response: Half,
    pub(super) reply: Option<LocalReply>,
    /// The reply came when the upstream's response was there: it takes that one's place, past the plugin.
    pub(super) replaced: bool,
    pub(super) reset: bool,
    /// Another stream got a local reply in the callback that runs.
    pub(super) replied_to_another: bool,
    pub(super) life: Life,
    pub(super) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What the test says of the stream, by path with NULs between segments.
    pub(super) properties: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Exchange {
    pub(super) fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Nothing more of that direction reaches the plugin or the other side. A local reply ends the request; as a
    /// response it passes the plugin like any other.
    pub(super) fn is_over(&self, direction: Direction) -> bool {
        let replied = match direction {
            Direction::Request => self.reply.is_some(),
            Direction::Response => self.replaced,
        };
        replied || self.reset || self.life == Life::Ended
    }

    pub(super) fn outcome(&self) -> Outcome {
        if let Some(reply) = &self.reply {
            return Outcome::Replied(reply.clone());
        }
        if self.reset {
            return Outcome::Reset;
        }
        match (&self.request.sent.headers, self.request.paused) {
            (Some(headers), _) => Outcome::Continued(headers.clone()),
            (None, Some(pause)) if self.life != Life::Ended => Outcome::Paused(pause),
            (None, _) => Outcome::Abandoned,
        }
    }
}
