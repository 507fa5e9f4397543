//! What an issuer says of a token, through the whole engine: only what another reading takes for a yes lets a request
//! pass, as the one whom it names, for no longer than it is good, and for no other token.
//!
//! An input is an answer: the status, a line end, the body. It is given to an entry of each style.

#![no_main]

use std::time::Duration;

use driver::memory::{Answer, Exchange, Outcome, Proxy};
use fuzz::json::{self, Shape, Tree};
use fuzz::number::Plain;
use fuzz::proxy::{self, Gullible};
use gate::{Gate, Timestamp};
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{"name": "main", "issuer": "https://idp", "audiences": ["api"], "keys": {"inline": KEYS}}],
    "introspection": [
        {"name": "gaf", "issuer": "https://gaf", "match": {"prefix": "gt-"}, "endpoint": "https://gaf/introspect",
         "cluster": "gaf", "client": {"id": "gate", "secret": "s3cret"}, "audiences": ["data"]},
        {"name": "hub", "issuer": "https://hub", "match": {"prefix": "gh-"}, "endpoint": "https://hub/user",
         "cluster": "hub", "style": "self", "audiences": ["data"], "claims": {"subject": "login"}}
    ],
    "default": "authenticated",
    "identityHeaders": {"x-user": "sub", "x-issuer": "$issuer", "x-name": "name"}
}"#;
const NOW: u64 = 1_800_000_000;
const SKEW: u64 = 60;
const CACHE_FOR: u64 = 60;

thread_local! {
    static GATE: Gate = proxy::gate(CONFIGURATION, Timestamp::from_secs(NOW));
}

/// An entry: the prefix of its tokens, its issuer, and the claim that names the user.
const ENTRIES: [(&str, &str, &str); 2] = [("gt-", "https://gaf", "sub"), ("gh-", "https://hub", "login")];

fuzz_target!(|input: &[u8]| {
    let Some((status, body)) = proxy::answer(input) else { return };
    let tree = json::read(body).ok().filter(|tree| status == "200" && tree.is_object());
    for (index, entry) in ENTRIES.into_iter().enumerate() {
        let mut proxy = Proxy::new(GATE.with(Gate::clone), Gullible, Timestamp::from_secs(NOW));
        let token = format!("{}0123456789abcdef", entry.0);
        let first = send(&mut proxy, &token, Some((status, body)));
        let tree = tree.as_ref();
        match &first {
            Some(user) => check_yes(tree.expect("passes by an answer that is none"), entry, index, user.as_deref()),
            None => assert!(!tree.is_some_and(|tree| is_perfect(tree, entry)), "a good answer lets nobody pass"),
        }
        assert_eq!(send(&mut proxy, &token, None), first, "the answer is kept");
        // Another token that ends alike.
        assert_eq!(send(&mut proxy, &format!("{}x-0123456789abcdef", entry.0), Some(("401", b""))), None);
        if first.is_some() {
            let end = tree.and_then(|tree| date(tree, "exp")).map_or(CACHE_FOR, |exp| exp + 1 - NOW);
            let good_for = end.min(CACHE_FOR);
            proxy.pass(Duration::from_secs(good_for));
            assert_eq!(send(&mut proxy, &token, Some(("401", b""))), None, "it is good no longer");
        }
    }
});

/// Sends a request with a token, which its issuer answers so if it is asked; gives the user that the upstream sees.
#[expect(clippy::option_option, reason = "a request that is refused, and one that passes without and with a user")]
fn send(proxy: &mut Proxy<Gullible>, token: &str, answer: Option<(&str, &[u8])>) -> Option<Option<Vec<u8>>> {
    let authorization = format!("Bearer {token}");
    let id = proxy.send(Exchange::new([
        (":method", "GET"),
        (":path", "/app"),
        (":authority", "api"),
        (":scheme", "https"),
        ("authorization", &authorization),
        ("x-user", "mallory"),
    ]));
    if !proxy.host.callouts.is_empty() {
        // What was no answer may be asked for again.
        let (status, body) = answer.unwrap_or(("503", b""));
        assert!(proxy.answer_next(Answer { headers: [(":status", status)].into_iter().collect(), body: body.into() }));
        assert!(proxy.host.callouts.is_empty(), "it is asked once");
    }
    let exchange = proxy.take(id).expect("is there");
    match exchange.outcome {
        Outcome::Forwarded => {
            for (name, value) in &exchange.headers.0 {
                assert!(value.iter().all(|byte| *byte >= b' ' && *byte != 0x7f), "{name:?}: {value:?}");
            }
            let mut users = exchange.headers.values("x-user");
            let user = users.next().map(<[u8]>::to_vec);
            assert!(users.next().is_none() && user.as_deref() != Some(b"mallory"));
            Some(user)
        }
        Outcome::Replied { reply, .. } => {
            assert!(matches!(reply.status, 401 | 503), "{}", reply.status);
            None
        }
        Outcome::Waiting => panic!("there is nothing to wait for"),
    }
}

fn check_yes(tree: &Tree<'_>, (_, issuer, subject): (&str, &str, &str), index: usize, user: Option<&[u8]>) {
    let active = tree.get("active").map(|active| &active.shape);
    assert!(matches!(active, Some(Shape::Bool(true))) || index == 1 && !matches!(active, Some(Shape::Bool(false))));
    assert!(tree.get("iss").is_none_or(|found| found.string() == Some(issuer)));
    let is_own = |tree: &Tree<'_>| tree.string() == Some("data");
    assert!(tree.get("aud").is_some_and(|aud| is_own(aud) || aud.elements().iter().any(is_own)));
    assert!(tree.get("cnf").is_none(), "it is bound to a key that nobody showed");
    assert!(tree.get("exp").is_none() || date(tree, "exp").is_some_and(|exp| exp >= NOW));
    assert!(tree.get("nbf").is_none() || date(tree, "nbf").is_some_and(|nbf| nbf <= NOW + SKEW));
    let named = tree.get(subject).and_then(Tree::string);
    if let Some(named) = named.filter(|named| !named.is_empty() && named.bytes().all(|byte| byte.is_ascii_graphic())) {
        assert_eq!(user, Some(named.as_bytes()));
    }
}

/// The whole seconds of a date.
fn date(tree: &Tree<'_>, name: &str) -> Option<u64> {
    let member = tree.get(name).filter(|member| matches!(member.shape, Shape::Number))?;
    Plain::read(member.text).to_date().map(|date| date.seconds)
}

/// Whether an answer is a yes without ifs.
fn is_perfect(tree: &Tree<'_>, (_, _, subject): (&str, &str, &str)) -> bool {
    let is_text = |name: &str| {
        let text = tree.get(name).and_then(Tree::string);
        text.is_some_and(|text| {
            !text.is_empty() && text.len() < 100 && text.bytes().all(|byte| byte.is_ascii_graphic())
        })
    };
    let is_active = tree.get("active").is_some_and(|active| matches!(active.shape, Shape::Bool(true)));
    let is_known = |(name, _): &(String, Tree<'_>)| ["active", "aud", subject].contains(&name.as_str());
    let audience = tree.get("aud").and_then(Tree::string);
    is_active && audience == Some("data") && is_text(subject) && tree.members().iter().all(is_known)
}
