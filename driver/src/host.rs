//! What a driver needs of its host.

use std::time::Duration;

use gate::{Callout, HeaderEdit, HeaderLine, MetricKind, Randomness, Reply, RequestId, SharedData, Timestamp};
use jose::sign::Signer;

/// A call to the host that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HostError {
    /// The host's own status.
    pub status: u32,
}

impl HostError {
    /// The host gave something that is not well formed.
    pub const MALFORMED: Self = Self { status: u32::MAX };
}

/// The host's name for a callout under way.
pub type CalloutToken = u64;

/// Header maps.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Headers {
    /// Those of the response to the current callout.
    CalloutResponse,
    /// Those in front of the body of the current request.
    Request,
    /// Those behind its body.
    RequestTrailers,
    /// Those of the response to the current request.
    Response,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LogLevel {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warn,
    /// Something does not work.
    Error,
}

/// A proxy, or what stands in for one.
///
/// "The current request" is the one whose call this is, or that was chosen by [`Host::select_request`]; "the current
/// callout" is the one whose response this call brings.
pub trait Host {
    /// What draws randomness here.
    type Random: Randomness;

    /// What draws randomness. It outlives borrows of the host.
    fn random(&self) -> Self::Random;

    /// What signs here.
    type Signer: Signer;

    /// What signs. It outlives borrows of the host.
    fn signer(&self) -> Self::Signer;

    /// The present instant.
    fn now(&mut self) -> Result<Timestamp, HostError>;

    /// The text of the configuration, of this many bytes.
    fn configuration(&mut self, size: usize) -> Result<Vec<u8>, HostError>;

    /// A variable of the environment.
    fn environment(&self, name: &str) -> Option<String>;

    /// Writes a line to the log.
    fn log(&mut self, level: LogLevel, line: &str);

    /// Hands headers to `read`.
    fn read_headers<T>(
        &mut self,
        headers: Headers,
        read: impl FnOnce(&mut Self, &[HeaderLine<'_>]) -> T,
    ) -> Result<T, HostError>;

    /// Edits headers of the current request, or of the response to it.
    fn edit_headers(&mut self, headers: Headers, edit: &HeaderEdit) -> Result<(), HostError>;

    /// The address that the current request comes from: host and port.
    fn peer_address(&mut self) -> Result<Vec<u8>, HostError>;

    /// The SHA-256 of the certificate that the client of the current request's connection has shown, in hexadecimal;
    /// empty if there is none that was verified.
    fn peer_certificate(&mut self) -> Result<Vec<u8>, HostError>;

    /// Sets a property of the current request, for the access log.
    fn set_property(&mut self, name: &str, value: &str) -> Result<(), HostError>;

    /// Answers the current request. `details` are its response code details.
    fn send_reply(&mut self, reply: &Reply, details: &str) -> Result<(), HostError>;

    /// Ends the connection of the current request, which was forwarded and upgraded.
    fn close_request(&mut self) -> Result<(), HostError>;

    /// Lets the current request go on, which was paused.
    fn continue_request(&mut self) -> Result<(), HostError>;

    /// Lets the response to the current request go on, which was paused.
    fn continue_response(&mut self) -> Result<(), HostError>;

    /// Makes a request the current one that was paused, or forwarded.
    fn select_request(&mut self, id: RequestId) -> Result<(), HostError>;

    /// Makes none the current one: what follows is about a configuration.
    fn select_root(&mut self, root: u32) -> Result<(), HostError>;

    /// Starts a callout. The host calls [`crate::Driver::callout_answered`] with the token, later.
    fn send_callout(&mut self, callout: &Callout) -> Result<CalloutToken, HostError>;

    /// The first `size` bytes of the body of the response to the current callout.
    fn callout_body(&mut self, size: usize) -> Result<Vec<u8>, HostError>;

    /// The data that the VMs of a proxy share.
    fn shared_data(&mut self) -> &mut dyn SharedData;

    /// Makes a metric, or finds the one of that name, and gives its number.
    fn define_metric(&mut self, kind: MetricKind, name: &str) -> Result<u32, HostError>;

    /// How long a driver counts by itself before it adds to counters; `None`: not at all, where a call is cheap.
    fn count_period(&self) -> Option<Duration> {
        None
    }

    /// Adds to a counter.
    fn increment_metric(&mut self, metric: u32, by: i64) -> Result<(), HostError>;

    /// Sets a gauge, or adds a value to a histogram.
    fn record_metric(&mut self, metric: u32, value: u64) -> Result<(), HostError>;

    /// Has [`crate::Driver::tick`] called after this time, and again and again after each further; `None`: no more.
    fn set_timer(&mut self, period: Option<Duration>) -> Result<(), HostError>;
}
