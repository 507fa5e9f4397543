//! One request and its response, as they pass the plugin.

use crate::headers::HeaderMap;
use crate::message::Message;
use crate::reply::LocalReply;
use std::collections::BTreeMap;

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
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

/// One direction of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// The headers as they stand; `None`: they have not come yet.
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) paused: Option<Pause>,
    /// A resume that waits for the end of the VM call.
    pub(crate) resuming: bool,
    pub(crate) callback_runs: bool,
    /// The body that a callback sees, and what it held back.
    pub(crate) buffer: Vec<u8>,
    pub(crate) body_visible: bool,
    /// What came while everything was stopped: no callback has seen it.
    pub(crate) held: Held,
    pub(crate) sent: Message,
}

#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) body: Vec<u8>,
    pub(crate) body_came: bool,
    pub(crate) ended: bool,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Half {
    pub(crate) fn headers_open(&self) -> bool {
        self.headers.is_some() && self.sent.headers.is_none()
    }

    pub(crate) fn trailers_open(&self) -> bool {
        self.trailers.is_some() && self.sent.trailers.is_none()
    }

    /// Everything that no pause holds back goes on.
    pub(crate) fn send_on(&mut self) {
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
pub(crate) enum Life {
    #[default]
    Open,
    /// `proxy_on_log` runs: all headers may be read, none written.
    Logging,
    /// The last callbacks ran.
    Ended,
}

/// The state of a stream context.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) request: Half,
    pub(crate) response: Half,
    pub(crate) reply: Option<LocalReply>,
    /// The reply came when the upstream's response was there: it replaces that one, past the plugin.
    pub(crate) replaced: bool,
    pub(crate) reset: bool,
    /// Another stream got a local reply in the callback that runs.
    pub(crate) replied_to_another: bool,
    pub(crate) life: Life,
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What the test says of the stream, by path with NULs between segments.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Exchange {
    pub(crate) fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Nothing more of that direction reaches the plugin or the other side. A local reply ends the request; as a
    /// response it passes the plugin like any other.
    pub(crate) fn is_over(&self, direction: Direction) -> bool {
        let replied = match direction {
            Direction::Request => self.reply.is_some(),
            Direction::Response => self.replaced,
        };
        replied || self.reset || self.life == Life::Ended
    }

    pub(crate) fn outcome(&self) -> Outcome {
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
