//! Token exchange (RFC 8693).

/// How a token is exchanged.
#[derive(Clone, Debug)]
pub struct TokenExchange {}
