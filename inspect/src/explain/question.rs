//! What is asked: a configuration, a request, and what is known of keys and time.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::request::{RequestHead, RequestLine};

/// What is asked. All of it is values: no file is read, and no clock.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Question {
    /// The text of the configuration, or of what holds it.
    pub configuration: String,
    /// Which configuration, where the text holds several.
    #[serde(default)]
    pub name: Option<String>,
    /// `GET /path`, or `GET https://host/path`.
    pub request: RequestLine,
    /// Further lines of the request: names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The address that the request comes from: host and port.
    #[serde(default)]
    pub peer: String,
    /// A token, which is added at the first of the configuration's `credentials`.
    #[serde(default)]
    pub token: Option<String>,
    /// A proof of possession, which comes with the token: `Authorization: DPoP`.
    #[serde(default)]
    pub proof: Option<String>,
    /// The SHA-256 of the client's certificate, in hexadecimal.
    #[serde(default)]
    pub certificate: String,
    /// The claims of a session that the browser has, as a JSON object.
    #[serde(default)]
    pub session: Option<String>,
    /// What the issuer of a token that only it can read says of it: the body of an answer with status 200.
    #[serde(default)]
    pub introspection: Option<String>,
    /// The text of a key set, for the issuers whose keys are not in the configuration.
    #[serde(default)]
    pub keys: Option<String>,
    /// Takes every signature for valid.
    #[serde(default)]
    pub trust_signature: bool,
    /// The time, in seconds since 1970.
    pub now: u64,
    /// The variables of the proxy's environment.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

impl Question {
    /// The request, without the token.
    pub(super) fn head(&self) -> RequestHead {
        let mut head = RequestHead::new(&self.request.method, &self.request.host, &self.request.path);
        head.peer.clone_from(&self.peer);
        head.certificate.clone_from(&self.certificate);
        for (name, value) in &self.headers {
            // Proxies make `:authority` of it.
            match head.value_mut(":authority").filter(|_| name.eq_ignore_ascii_case("host")) {
                Some(authority) => authority.clone_from(value),
                None => head.add(name, value),
            }
        }
        head
    }
}
