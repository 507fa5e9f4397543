//! A message as one side of the plugin sees it.

use crate::headers::HeaderMap;

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
