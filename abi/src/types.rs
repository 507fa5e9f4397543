//! The numbers of the ABI.

/// A status of the host other than 0, OK.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status(pub u32);

impl Status {
    /// What was asked for does not exist.
    pub const NOT_FOUND: Self = Self(1);
    /// Another writer was faster.
    pub const CAS_MISMATCH: Self = Self(8);
}

/// What the host does with a request after a callback.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Action {
    /// It goes on.
    Continue = 0,
    /// All of it is held, body included, whatever the host's options say: `StopAllIterationAndWatermark`.
    Pause = 4,
}

/// Header maps, by their number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Map {
    /// Of the request.
    RequestHeaders = 0,
    /// Behind the request's body.
    RequestTrailers = 1,
    /// Of the response.
    ResponseHeaders = 2,
    /// Of the answer to a callout.
    CalloutHeaders = 6,
}

/// Buffers, by their number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Buffer {
    /// The body of the answer to a callout.
    CalloutBody = 4,
    /// The configuration of the plugin.
    PluginConfiguration = 7,
}

/// Levels of the log, by their number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum LogLevel {
    /// Good to know.
    Info = 2,
    /// Somebody should look.
    Warn = 3,
    /// Something does not work.
    Error = 4,
}

/// Kinds of metrics, by their number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum MetricKind {
    /// Goes up.
    Counter = 0,
    /// Goes up and down.
    Gauge = 1,
    /// Is a distribution.
    Histogram = 2,
}
