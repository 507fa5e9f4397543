//! What an authorization server gives for the caller's token, through the whole engine: the upstream gets just that, in
//! one header, or the request goes nowhere.
//!
//! An input is an answer: the status, a line end, the body.

#![no_main]

use driver::memory::{Answer, Exchange, Outcome, Proxy};
use fuzz::json::{self, Tree};
use fuzz::proxy::{self, Gullible};
use fuzz::signed;
use gate::{Gate, Timestamp};
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main", "issuer": "https://idp.example.com", "audiences": ["api"], "keys": {"inline": KEYS}
    }],
    "upstreamCredentials": [{
        "name": "orders",
        "exchange": {
            "endpoint": "https://sts/token", "cluster": "sts", "client": {"id": "gate", "secret": "s3cret"},
            "audience": "orders", "requestedTokenType": "accessToken"
        }
    }],
    "upstream": "orders",
    "default": "authenticated"
}"#;
const NOW: u64 = 1_800_000_000;
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

thread_local! {
    static GATE: Gate = proxy::gate(CONFIGURATION, Timestamp::from_secs(NOW));
}

fuzz_target!(|input: &[u8]| {
    let Some((status, body)) = proxy::answer(input) else { return };
    let mut proxy = Proxy::new(GATE.with(Gate::clone), Gullible, Timestamp::from_secs(NOW));
    let found = send(&mut proxy, Some((status, body)));
    let tree = json::read(body).ok().filter(Tree::is_object);
    let given = tree.as_ref().filter(|_| status == "200").and_then(given);
    match &found {
        Ok(value) => {
            let token = given.expect("passes by an answer that gives nothing");
            assert_eq!(value, &format!("Bearer {token}").into_bytes());
        }
        Err(status_of_reply) => {
            assert!(!tree.is_some_and(|tree| is_perfect(status, &tree)), "a good answer is refused: {status_of_reply}");
            let may_be_denied = matches!(status, "400" | "401" | "403");
            assert!(*status_of_reply == 503 || *status_of_reply == 403 && may_be_denied, "{status_of_reply}");
        }
    }
    assert_eq!(send(&mut proxy, None), found, "the answer is kept");
});

/// Sends a request; gives what the upstream gets, or the status of the reply.
fn send(proxy: &mut Proxy<Gullible>, answer: Option<(&str, &[u8])>) -> Result<Vec<u8>, u16> {
    let authorization = format!("Bearer {}", signed::TOKENS[0].1);
    let id = proxy.send(Exchange::new([
        (":method", "GET"),
        (":path", "/app"),
        (":authority", "api"),
        (":scheme", "https"),
        ("authorization", &authorization),
        ("Authorization_", "mallory"),
    ]));
    if let Some((status, body)) = answer {
        assert!(proxy.answer_next(Answer { headers: [(":status", status)].into_iter().collect(), body: body.into() }));
    }
    assert!(proxy.host.callouts.is_empty(), "it is asked once");
    let exchange = proxy.take(id).expect("is there");
    match exchange.outcome {
        Outcome::Forwarded => {
            let values: Vec<_> = exchange.headers.values("authorization").collect();
            assert_eq!(values.len(), 1, "{values:?}");
            assert!(values[0].iter().all(|byte| (b' '..=b'~').contains(byte)), "{values:?}");
            Ok(values[0].to_vec())
        }
        Outcome::Replied { reply, .. } => Err(reply.status),
        Outcome::Waiting => panic!("there is nothing to wait for"),
    }
}

/// The token that an answer gives.
fn given<'t>(tree: &'t Tree<'_>) -> Option<&'t str> {
    let text = |name: &str| tree.get(name).and_then(Tree::string);
    let is_own = text("issued_token_type") == Some(ACCESS_TOKEN) && tree.get("error").is_none_or(is_null);
    let is_bearer = text("token_type").is_some_and(|found| found.eq_ignore_ascii_case("bearer"));
    let token =
        text("access_token").filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    token.filter(|_| is_own && is_bearer)
}

fn is_null(tree: &Tree<'_>) -> bool {
    tree.text == "null"
}

/// Whether an answer gives a token without ifs.
fn is_perfect(status: &str, tree: &Tree<'_>) -> bool {
    let known = ["access_token", "issued_token_type", "token_type"];
    status == "200" && given(tree).is_some() && tree.members().iter().all(|(name, _)| known.contains(&name.as_str()))
}
