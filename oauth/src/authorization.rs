//! The authorization endpoint (RFC 6749 §4.1.1, §4.1.2): the request that a browser carries there, and the response
//! that it brings back.

mod callback;
mod request;

pub use callback::{Callback, CallbackError};
pub use request::{AuthorizationRequest, ExtraParameters, ParameterError};
