//! Requests of the gate's own, which the host makes for it.

use std::fmt;
use std::time::Duration;

use oauth::{ACCEPT, CONTENT_TYPE, MAX_BODY, Secret};

use crate::http::{HttpUri, Response};

/// The `User-Agent` of callouts: some firewalls reject requests without one.
pub(crate) const USER_AGENT: &str = concat!("jotgate/", env!("CARGO_PKG_VERSION"));

/// Names a callout, so that its outcome finds back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct CalloutId(pub(crate) u64);

/// A request that the host should make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Callout {
    /// Names the callout in [`crate::Gate::handle_callout`].
    pub id: CalloutId,
    /// The proxy's name for the upstream.
    pub cluster: String,
    /// `:method`.
    pub method: &'static str,
    /// `:scheme`: `http` or `https`. The cluster does the TLS.
    pub scheme: &'static str,
    /// `:authority`.
    pub authority: String,
    /// `:path`.
    pub path: String,
    /// The other headers.
    pub headers: Vec<CalloutHeader>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
    /// How much of the body of the response is of use, in bytes: a longer one is rejected, so no more need be read.
    pub max_body_bytes: usize,
}

impl Callout {
    /// Every header in the order of the wire: the pseudo-headers (RFC 9113 §8.3.1), then the others.
    #[must_use]
    pub fn header_list(&self) -> Vec<(&str, &str)> {
        let mut list = vec![
            (":method", self.method),
            (":scheme", self.scheme),
            (":authority", self.authority.as_str()),
            (":path", self.path.as_str()),
        ];
        list.extend(self.headers.iter().map(|header| (header.name.as_str(), header.value.as_str())));
        list
    }

    /// A GET, with an access token (RFC 6750 §2.1).
    pub(crate) fn get(cluster: &str, uri: &HttpUri, token: Option<&Secret>, timeout: Duration) -> Self {
        let mut headers = vec![CalloutHeader::new("user-agent", USER_AGENT), CalloutHeader::new("accept", ACCEPT)];
        let bearer = token.map(|token| CalloutHeader::new("authorization", &format!("Bearer {}", token.reveal())));
        headers.extend(bearer);
        Self {
            id: CalloutId(0),
            cluster: cluster.to_string(),
            method: "GET",
            scheme: uri.scheme(),
            authority: uri.authority.clone(),
            path: uri.path.clone(),
            headers,
            body: Vec::new(),
            timeout,
            max_body_bytes: MAX_BODY.saturating_add(1),
        }
    }

    /// A POST of a form.
    pub(crate) fn post(cluster: &str, uri: &HttpUri, request: &oauth::Request, timeout: Duration) -> Self {
        let callout = Self::get(cluster, uri, None, timeout);
        let mut headers = callout.headers;
        headers.push(CalloutHeader::new("content-type", CONTENT_TYPE));
        let authorization = request.authorization.as_ref();
        headers.extend(authorization.map(|value| CalloutHeader::new("authorization", value.reveal())));
        Self { method: "POST", headers, body: request.body.as_str().as_bytes().to_vec(), ..callout }
    }
}

/// A header of a callout. Its value may be a credential, so that it is not shown.
#[derive(Clone, Eq, PartialEq)]
pub struct CalloutHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl CalloutHeader {
    pub(crate) fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_string(), value: value.to_string() }
    }
}

impl fmt::Debug for CalloutHeader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CalloutHeader").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a callout brought no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CalloutFailure {
    /// No response came in time.
    NoAnswer,
    /// The host did not send the request.
    NotSent {
        /// The host's status code.
        status: u32,
    },
}

/// What came of a callout.
pub type CalloutOutcome<'r> = Result<Response<'r>, CalloutFailure>;
