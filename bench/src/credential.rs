//! What a request proves itself with.

use real_envoy::http::Request;
use testbed::keys::SigningKey;
use testbed::proof::Proof;

/// What a request proves itself with.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A token that is bound to a key, and a proof of it for one request.
    Bound { token: String, proof: String },
    /// A session, as the `Cookie` that a browser sends.
    Session(String),
    /// A bearer token.
    Token(String),
}

impl Credential {
    /// The request that carries it.
    pub(crate) fn on(&self, request: Request) -> Request {
        match self {
            Self::Bound { token, proof } => {
                request.header("authorization", format!("DPoP {token}")).header("dpop", proof)
            }
            Self::Session(cookie) => request.header("cookie", cookie),
            Self::Token(token) => request.bearer(token),
        }
    }

    /// The same with one character changed: the first of the signature of a token or proof, or one in the middle of a
    /// seal.
    pub(crate) fn forged(&self) -> Self {
        match self {
            Self::Bound { token, proof } => Self::Bound { token: token.clone(), proof: with_other_signature(proof) },
            Self::Session(cookie) => Self::Session(changed(cookie, cookie.len() / 2)),
            Self::Token(token) => Self::Token(with_other_signature(token)),
        }
    }
}

/// A token that is bound to a key, with the key.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) token: String,
    pub(crate) key: SigningKey,
}

impl Bound {
    /// A proof for a request to this URL, of this moment: it does not count for long.
    pub(crate) fn prove(&self, url: &str) -> Credential {
        let Self { token, key } = self;
        Credential::Bound { token: token.clone(), proof: Proof::new(key, "GET", url).of(token).text() }
    }
}

/// Of a token that is no JWT, the first character is another one.
fn with_other_signature(token: &str) -> String {
    changed(token, token.rfind('.').map_or(0, |dot| dot + 1))
}

fn changed(text: &str, index: usize) -> String {
    let (before, rest) = text.split_at_checked(index).unwrap_or_default();
    let mut rest = rest.chars();
    let other = if rest.next() == Some('A') { 'B' } else { 'A' };
    format!("{before}{other}{}", rest.as_str())
}
