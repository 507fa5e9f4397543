//! An answer of the gate itself.

/// An answer in place of the upstream's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body: a problem document (RFC 9457), or for gRPC the `grpc-message`.
    pub body: String,
    /// For gRPC calls, the `grpc-status`.
    pub grpc_status: Option<u8>,
}
