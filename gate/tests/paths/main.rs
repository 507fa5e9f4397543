//! What becomes of paths, as others and our own documentation have it.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod page;
mod peers;

use driver::memory::Sequence;
use gate::http::{CanonicalPath, PathMode};
use gate::{Capabilities, Decision, Gate, HeaderEdit, Policy, Request, RequestId, Timestamp};
use jose::signature::Software;
use serde_json::{Value, json};

/// What rules see of a path.
fn seen(path: &str, mode: PathMode) -> Option<String> {
    CanonicalPath::of(path.as_bytes(), mode).ok().map(|path| path.as_str().to_string())
}

/// What the upstream gets as `:path`, or the status of the answer. What no rule matches is public.
fn forwarded(path: &str, mode: &str, rules: &Value) -> Result<String, u16> {
    let config = json!({
        "issuers": [{"name": "a", "issuer": "https://a", "audiences": ["a"], "keys": {"jwksUri": "https://a/jwks", "cluster": "a"}}],
        "rules": rules,
        "default": "public",
        "paths": mode,
    });
    let policy = Policy::parse(config.to_string().as_bytes(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
    let now = Timestamp::from_secs(1_800_000_000);
    let lines: [(&[u8], &[u8]); 3] = [(b":method", b"GET"), (b":path", path.as_bytes()), (b":authority", b"h")];
    match Gate::new(policy, now, 1).handle_request(RequestId(1), &Request::new(&lines), at(now)) {
        Decision::Forward(edits, _) => {
            let mut paths = edits.into_iter().filter_map(|edit| match edit {
                HeaderEdit::Set(":path", path) => Some(String::from_utf8(path).unwrap()),
                _ => None,
            });
            Ok(paths.next_back().unwrap_or_else(|| path.to_string()))
        }
        Decision::Reply(reply, _) => Err(reply.status),
        Decision::Wait => panic!("{path} waits"),
    }
}

/// What a host lends the engine at this instant, without randomness.
fn at(now: Timestamp) -> Capabilities<'static> {
    static NONE: Sequence = Sequence::failing();
    Capabilities { now, signatures: &Software, signer: &Software, random: &NONE }
}
