//! What a POST to an endpoint consists of.

use crate::Secret;
use crate::form::Form;

/// The `content-type` of each [`Request`].
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// The `accept` of each [`Request`]: GitHub answers with a form otherwise.
pub const ACCEPT: &str = "application/json";

/// A POST to the token, revocation or introspection endpoint.
#[derive(Clone, Debug)]
pub struct Request {
    /// The value of the header `authorization`.
    pub authorization: Option<Secret>,
    /// The body.
    pub body: Form,
}
