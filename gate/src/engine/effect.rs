//! What comes out of the engine.

use crate::callout::Callout;
use crate::http::{HeaderEdit, Reply};
use crate::report::{Metric, Report};

/// Names a request; the host chooses it, and uses it for one request at a time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u64);

/// What is to be done with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Send it on, after these edits.
    Forward(Vec<HeaderEdit>, Report),
    /// Answer it.
    Reply(Reply, Report),
    /// Hold all of it, body included, until [`Effect::Resume`] names it.
    Wait,
}

/// What is to be done with a response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ResponseDecision {
    /// Send it on, after these edits.
    Continue(Vec<HeaderEdit>),
    /// Hold it until [`Effect::ResumeResponse`] names its request.
    Wait,
}

/// What the engine wants done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Close the connection of this request: it was forwarded and upgraded, and its session is over.
    Close(RequestId),
    /// Increase a counter by one.
    Count(Metric),
    /// Make a request, and hand its outcome to [`crate::Gate::handle_callout`].
    Callout(Callout),
    /// Set a gauge.
    Gauge(Metric, u64),
    /// Write a line to the log.
    Log(Level, String),
    /// Add a value to a histogram.
    Record(Metric, u64),
    /// Hand the request to [`crate::Gate::handle_request`] again, headers and all.
    Resume(RequestId),
    /// Hand the response to this request to [`crate::Gate::handle_response`] again.
    ResumeResponse(RequestId),
    /// Hand the data that all VMs of the proxy share to [`crate::Gate::handle_shared`]. A host that does not has none.
    Share,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// Good to know.
    Info,
    /// Someone should look at it.
    Warn,
}
