//! The answers to requests that are refused.

use std::borrow::Cow;
use std::sync::Arc;

use oauth::dpop::ALGORITHMS;
use serde_json::json;

use crate::http::{Reply, Request};
use crate::report::{Cause, Detail, Reason};
use crate::rules::Scheme;

/// The content type of problem documents.
pub(crate) const PROBLEM: &str = "application/problem+json";

const DPOP: &str = "DPoP";

/// What challenges carry beside the reason.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Challenger<'c> {
    pub(crate) realm: &'c str,
    pub(crate) scheme: Scheme,
    pub(crate) dpop: DpopChallenge,
    /// Where the metadata of the resource is (RFC 9728 §5.1).
    pub(crate) resource_metadata: Option<&'c str>,
}

/// Whether a challenge asks for a proof of possession (RFC 9449 §7.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DpopChallenge {
    /// For nothing else: the client knows of it, or has to.
    Alone,
    /// Of a client that came with nothing, as well.
    Beside,
    None,
}

/// What is wrong with the proof of a request, in the words of challenges (RFC 9449 §7.1, §9).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ProofChallenge {
    pub(crate) error: &'static str,
    /// The nonce that the next proof needs.
    pub(crate) nonce: Option<String>,
}

/// A refusal, with what its answer needs beside the reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// The scopes that would have done.
    pub(crate) scopes: Vec<String>,
    /// Whole seconds after which another try makes sense; one where it says nothing else, with 503.
    pub(crate) retry_after: Option<u64>,
    /// Where a browser logs in.
    pub(crate) login: Option<Arc<str>>,
    /// What a challenge says of the proof.
    pub(crate) proof: Option<Box<ProofChallenge>>,
    /// What the client reads in place of what the reason says; [`printable`].
    pub(crate) detail: Option<Cow<'static, str>>,
}

/// `text` in the characters of an `error_description` (RFC 6750 §3).
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if matches!(character, ' ' | '!' | '#'..='[' | ']'..='~') { character } else { '?' })
        .collect()
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Cause::from(reason).into()
    }
}

impl From<Cause> for Refusal {
    fn from(Cause { reason, detail }: Cause) -> Self {
        let detail = detail.as_ref().map(Detail::text);
        Self { reason, detail, scopes: Vec::new(), retry_after: None, login: None, proof: None }
    }
}

impl Refusal {
    /// What the client gets to see.
    pub(crate) fn answer(&self, request: &Request<'_>, challenger: Challenger<'_>) -> Reply {
        let status = self.reason.status();
        let mut headers = vec![("cache-control", String::from("no-store"))];
        let asked = self.challenges(challenger).into_iter().flatten();
        headers.extend(asked.map(|challenge| ("www-authenticate", challenge)));
        let nonce = self.proof.as_ref().and_then(|proof| proof.nonce.clone());
        headers.extend(nonce.map(|nonce| ("dpop-nonce", nonce)));
        // RFC 9110 §15.6.4: what is unavailable is so for a while.
        let retry_after = self.retry_after.or((status == 503).then_some(1));
        headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
        if request.is_grpc() {
            return Reply { status, headers, body: self.detail().to_string(), grpc_status: Some(grpc_status(status)) };
        }
        headers.push(("content-type", String::from(PROBLEM)));
        let body = problem_with_login(status, self.detail(), Some(self.reason.name()), self.login.as_deref());
        Reply { status, headers, body, grpc_status: None }
    }

    fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_else(|| self.reason.detail())
    }

    fn challenges(&self, challenger: Challenger<'_>) -> [Option<String>; 2] {
        let asks_both = challenger.dpop == DpopChallenge::Beside && self.reason == Reason::MissingToken;
        match challenger.dpop {
            DpopChallenge::Alone => [None, self.challenge_of(DPOP, challenger)],
            _ if asks_both => [self.challenge(challenger), self.challenge_of(DPOP, challenger)],
            DpopChallenge::Beside | DpopChallenge::None => [self.challenge(challenger), None],
        }
    }

    fn challenge(&self, challenger: Challenger<'_>) -> Option<String> {
        let realm = challenger.realm;
        match challenger.scheme {
            Scheme::Basic => (self.reason.status() == 401).then(|| format!("Basic realm=\"{realm}\"")),
            Scheme::Bearer => self.challenge_of("Bearer", challenger),
        }
    }

    /// The challenges of both schemes have the same parts (RFC 6750 §3, RFC 9449 §7.1).
    fn challenge_of(&self, scheme: &str, challenger: Challenger<'_>) -> Option<String> {
        let error = match &self.proof {
            Some(proof) => format!(", error=\"{}\", error_description=\"{}\"", proof.error, self.detail()),
            None => self.bearer_error()?,
        };
        let mut challenge = [scheme, " realm=\"", challenger.realm, "\"", &error].concat();
        let algorithms = Some(ALGORITHMS).filter(|_| scheme == DPOP);
        // INVARIANT: a URL that the configuration took holds neither quotes nor backslashes.
        for (name, value) in [("resource_metadata", challenger.resource_metadata), ("algs", algorithms)] {
            if let Some(value) = value {
                challenge.extend([", ", name, "=\"", value, "\""]);
            }
        }
        Some(challenge)
    }

    /// RFC 6750 §3: an `error` only where a credential was sent. `None`: there is no challenge at all.
    fn bearer_error(&self) -> Option<String> {
        let detail = self.detail();
        match (self.reason, self.reason.status()) {
            (Reason::AmbiguousPath | Reason::AmbiguousRequest | Reason::LoginFailed, _) => None,
            (Reason::MissingToken, _) => Some(String::new()),
            (_, 400) => Some(String::from(", error=\"invalid_request\"")),
            (_, 401) => Some(format!(", error=\"invalid_token\", error_description=\"{detail}\"")),
            (Reason::InsufficientScope, _) => {
                // INVARIANT: scopes are scope-tokens, which hold neither quotes nor backslashes.
                Some(format!(", error=\"insufficient_scope\", scope=\"{}\"", self.scopes.join(" ")))
            }
            _ => None,
        }
    }
}

/// A problem document (RFC 9457).
pub(crate) fn problem(status: u16, detail: &str, reason: Option<&str>) -> String {
    problem_with_login(status, detail, reason, None)
}

/// One that says where a browser logs in.
fn problem_with_login(status: u16, detail: &str, reason: Option<&str>, login: Option<&str>) -> String {
    let mut members = serde_json::Map::new();
    members.insert(String::from("type"), json!("about:blank"));
    members.insert(String::from("title"), json!(title(status)));
    members.insert(String::from("status"), json!(status));
    members.insert(String::from("detail"), json!(detail));
    members.extend(reason.map(|reason| (String::from("reason"), json!(reason))));
    members.extend(login.map(|login| (String::from("login"), json!(login))));
    serde_json::Value::Object(members).to_string()
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        _ => "Service Unavailable",
    }
}

/// The codes of gRPC that say the same: `INVALID_ARGUMENT`, `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNAVAILABLE`.
fn grpc_status(status: u16) -> u8 {
    match status {
        400 => 3,
        401 => 16,
        403 => 7,
        _ => 14,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    #[cfg(not(target_family = "wasm"))]
    use std::fmt::Write as _;

    const DEMO: Challenger<'_> =
        Challenger { realm: "demo", scheme: Scheme::Bearer, dpop: DpopChallenge::None, resource_metadata: None };

    /// One line for each reason: status, challenge, retry-after.
    #[cfg(not(target_family = "wasm"))] // snapshots are files
    #[test]
    fn every_reason_has_its_answer() {
        let mut table = String::new();
        for reason in Reason::ALL {
            let refusal = Refusal {
                reason,
                scopes: vec!["a:read".into(), "b".into()],
                retry_after: (reason.status() == 503).then_some(7),
                login: None,
                proof: None,
                detail: None,
            };
            let reply = refusal.answer(&Request::new(&[]), DEMO);
            let others: Vec<_> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            writeln!(table, "{}: {} | {}", reason.name(), reply.status, others.join(" | ")).expect("fits");
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn whatever_is_unavailable_says_when_to_come_again() {
        for reason in Reason::ALL.into_iter().filter(|reason| reason.status() == 503) {
            let reply = Refusal::from(reason).answer(&Request::new(&[]), DEMO);
            assert!(reply.headers.contains(&("retry-after", "1".into())), "{reason:?}");
        }
    }

    #[test]
    fn a_basic_challenge_stands_in_every_401_and_nowhere_else() {
        let basic = Challenger { scheme: Scheme::Basic, resource_metadata: Some("https://a/"), ..DEMO };
        for reason in Reason::ALL {
            let reply = Refusal::from(reason).answer(&Request::new(&[]), basic);
            let challenge = reply.headers.iter().find(|(name, _)| *name == "www-authenticate");
            let expected = (reason.status() == 401).then_some("Basic realm=\"demo\"");
            assert_eq!(challenge.map(|(_, value)| value.as_str()), expected, "{reason:?}");
        }
    }

    #[test]
    fn every_bearer_challenge_says_where_the_metadata_is() {
        let challenger = Challenger { resource_metadata: Some("https://a/.well-known/x"), ..DEMO };
        for reason in Reason::ALL {
            let challenge = |challenger| Refusal::from(reason).challenge(challenger);
            let expected = challenge(DEMO).map(|text| format!("{text}, resource_metadata=\"https://a/.well-known/x\""));
            assert_eq!(challenge(challenger), expected, "{reason:?}");
        }
    }

    #[cfg(not(target_family = "wasm"))] // snapshots are files
    #[test]
    fn the_body_is_a_problem_document() {
        let reply = Refusal::from(Reason::Expired).answer(&Request::new(&[]), DEMO);
        insta::assert_snapshot!(reply.body, @r#"{"detail":"the token has expired","reason":"expired","status":401,"title":"Unauthorized","type":"about:blank"}"#);
    }

    #[test]
    fn grpc_calls_get_a_status_and_no_document() {
        let lines: [(&[u8], &[u8]); 1] = [(b"content-type", b"application/grpc+proto")];
        for (reason, status) in
            [(Reason::Expired, 16), (Reason::NoRule, 7), (Reason::AmbiguousPath, 3), (Reason::Overloaded, 14)]
        {
            let reply = Refusal::from(reason).answer(&Request::new(&lines), DEMO);
            assert_eq!((reply.grpc_status, reply.body.as_str()), (Some(status), reason.detail()));
            assert!(!reply.headers.iter().any(|(name, _)| *name == "content-type"));
        }
    }
}
