//! The token endpoint (RFC 6749 §3.2): grants that are redeemed there, and what comes back.

mod exchange;
mod grant;
mod response;

pub use exchange::{ExchangeGrant, ExchangeResponse, TokenTypeUri};
pub use grant::{CodeGrant, RefreshGrant};
pub use response::TokenResponse;
