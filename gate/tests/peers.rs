//! The tokens and key sets that Envoy and Istio test themselves with, and what the engine makes of each.

#![cfg(not(target_family = "wasm"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use driver::memory::Sequence;
use gate::{Capabilities, Decision, Effect, Gate, HeaderEdit, Policy, Request, RequestId, Response, Timestamp};
use jose::signature::Software;
use serde_json::{Value, json};
use vectors::{are_absent, read, read_json, read_text};

/// In 2027, when no token here has expired that is not meant to have.
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn gate(issuers: &Value) -> Gate {
    let config = json!({"issuers": issuers, "default": "authenticated"});
    let policy = Policy::parse(config.to_string().as_bytes(), &|_| None).unwrap();
    Gate::new(policy, NOW, 1)
}

/// `ok` with user, scopes and groups as they are forwarded, or the reason.
fn verdict(gate: &mut Gate, token: &str) -> String {
    let value = format!("Bearer {token}");
    let lines: [(&[u8], &[u8]); 4] =
        [(b":method", b"GET"), (b":path", b"/"), (b":authority", b"h"), (b"authorization", value.as_bytes())];
    match gate.handle_request(RequestId(1), &Request::new(&lines), at(NOW)) {
        Decision::Forward(edits, _) => forwarded(&edits),
        Decision::Reply(_, report) => report.details.unwrap().replace("jotgate_", ""),
        Decision::Wait => "wait".into(),
    }
}

fn forwarded(edits: &[HeaderEdit]) -> String {
    let mut text = String::from("ok");
    for (name, shown) in [("user", "user"), ("token-scopes", "scopes"), ("groups", "groups")] {
        for edit in edits {
            match edit {
                HeaderEdit::Add(found, value) if **found == format!("x-auth-request-{name}") => {
                    write!(text, ", {shown} `{value}`").unwrap();
                }
                _ => {}
            }
        }
    }
    text
}

/// The list of tokens in a file, by symbol; each of them has its entry in `expected`.
fn check(file: &str, gate: &mut Gate, expected: &[(&str, &str)]) {
    let tokens: Vec<Value> = read_json(file);
    let text = |token: &Value, member: &str| token[member].as_str().unwrap().to_owned();
    let found: Vec<_> =
        tokens.iter().map(|token| (text(token, "symbol"), verdict(gate, &text(token, "token")))).collect();
    let found: Vec<_> = found.iter().map(|(symbol, verdict)| (symbol.as_str(), verdict.as_str())).collect();
    assert_eq!(found, expected, "{file}");
}

fn issuer(name: &str, issuer: &str, audiences: &Value, keys: &Value) -> Value {
    json!({"name": name, "issuer": issuer, "audiences": audiences, "keys": {"inline": keys}})
}

fn issuers_of_envoy(keys: &Value) -> Value {
    json!([
        issuer("example", "https://example.com", &json!(["example_service"]), keys),
        issuer("other", "https://other.com", &json!(["other_service"]), keys),
    ])
}

#[test]
fn tokens_of_envoy() {
    if are_absent() {
        return;
    }
    let expected = [
        // Without a `kid`: each of the three keys is tried, two of which are the same under different names.
        ("GoodToken", "ok, user `test@example.com`"),
        ("GoodTokenWithSpaces", "ok, user `test@example.com`, scopes `read write`"),
        // The key that made it is not in the set. It has no `exp`, which would be refused as well.
        ("NonExpiringToken", "bad_signature"),
        ("ExpiredToken", "expired"),
        // Its signature was copied from the token above, and signatures come before dates.
        ("NotYetValidToken", "bad_signature"),
        ("InvalidAudToken", "wrong_audience"),
        // It is called after a `kid` that does not exist, but has none, and fits no key.
        ("NonExistKidToken", "bad_signature"),
        ("OtherGoodToken", "ok, user `test@other.com`"),
        ("NestedGoodToken", "ok, user `test@example.com`"),
        // Envoy can be configured to take tokens of no issuer; here `iss` picks the keys.
        ("ES256WithoutIssToken", "unknown_issuer"),
    ];
    check("envoy/tokens.json", &mut gate(&issuers_of_envoy(&read_json("envoy/jwks_rsa.json"))), &expected);

    // No key of the set is for RS256: none was tried, so it is the key that is unknown.
    let unknown = expected.map(|(symbol, verdict)| match verdict {
        "unknown_issuer" => (symbol, verdict),
        _ => (symbol, "unknown_key"),
    });
    check("envoy/tokens.json", &mut gate(&issuers_of_envoy(&read_json("envoy/jwks_ec.json"))), &unknown);
}

/// Envoy's parser takes a comma behind the last key. Strict JSON forbids it, and the set is rejected.
#[test]
fn a_key_set_with_a_trailing_comma_is_rejected() {
    if are_absent() {
        return;
    }
    let fetched = json!({"jwksUri": "https://example.com/jwks", "cluster": "example", "share": false});
    let issuer =
        json!({"name": "example", "issuer": "https://example.com", "audiences": ["example_service"], "keys": fetched});
    let config = json!({"issuers": [issuer], "default": "authenticated", "limits": {"waitFor": "0s"}});
    let tokens: Vec<Value> = read_json("envoy/tokens.json");
    let good = tokens.iter().find(|token| token["symbol"] == "GoodToken").unwrap()["token"].as_str().unwrap();
    let text = String::from_utf8(read("envoy/jwks_rsa_trailing_comma.txt")).unwrap();
    let (keys, end) = text.rsplit_once(',').unwrap();
    for (body, expected) in
        [(text.clone(), "keys_unavailable"), (format!("{keys}{end}"), "ok, user `test@example.com`")]
    {
        let mut gate = Gate::new(Policy::parse(config.to_string().as_bytes(), &|_| None).unwrap(), NOW, 1);
        gate.handle_timeout(at(NOW));
        let mut effects = std::iter::from_fn(|| gate.poll_effect());
        let fetch = effects.find_map(|effect| if let Effect::Callout(fetch) = effect { Some(fetch) } else { None });
        let response = Response::new(&[(b":status", b"200")], body.as_bytes());
        gate.handle_callout(fetch.expect("is asked for").id, Ok(response), at(NOW));
        assert_eq!(verdict(&mut gate, good), expected);
    }
}

fn issuers_of_istio(audiences: &Value, keys: &str) -> Vec<Value> {
    let keys = read_json(keys);
    ["1", "2", "3"]
        .map(|number| issuer(&format!("issuer-{number}"), &format!("test-issuer-{number}@istio.io"), audiences, &keys))
        .to_vec()
}

const TOKENS_OF_ISTIO: &str = "istio/tests_common_jwt_tokens.json";
const KEYS_OF_ISTIO: &str = "istio/tests__common__jwt__jwks.json";

/// For any audience.
const VERDICTS_OF_ISTIO: [(&str, &str); 14] = [
    ("TokenIssuer1", "ok, user `sub-1`, groups `group-1`"),
    ("TokenIssuer1WithAud", "ok, user `sub-1`"),
    ("TokenIssuer1WithAzp", "ok, user `sub-1`"),
    ("TokenIssuer1WithNestedClaims1", "ok, user `sub-1`"),
    ("TokenIssuer1WithNestedClaims2", "ok, user `sub-1`"),
    ("TokenIssuer1WithCollisionResistantName", "ok, user `sub-1`"),
    ("TokenIssuer2", "ok, user `sub-2`, groups `group-2`"),
    // `permission` and `custom_scope` are not among the `scopeClaims` by default.
    ("TokenIssuer2WithSpaceDelimitedPermission", "ok, user `sub-2`"),
    ("TokenIssuer2WithSpaceDelimitedScope", "ok, user `sub-2`, scopes `read write`"),
    ("TokenIssuer2WithCustomScopeSpaceDelimitedScope", "ok, user `sub-2`"),
    ("TokenIssuer3", "ok, user `sub-1`, groups `group-1`"),
    ("TokenExpired", "expired"),
    ("TokenInvalid", "malformed_token"),
    ("TokenIssuer1WithAudList", "ok, user `sub-1`"),
];

#[test]
fn tokens_of_istio() {
    if are_absent() {
        return;
    }
    check(TOKENS_OF_ISTIO, &mut gate(&issuers_of_istio(&json!("any"), KEYS_OF_ISTIO).into()), &VERDICTS_OF_ISTIO);
}

/// Istio takes tokens without `aud` even with an audience configured.
#[test]
fn tokens_of_istio_need_the_audience_where_one_is_asked_for() {
    if are_absent() {
        return;
    }
    let expected = VERDICTS_OF_ISTIO.map(|(symbol, verdict)| match symbol {
        "TokenIssuer1WithAud" | "TokenIssuer1WithAudList" | "TokenExpired" | "TokenInvalid" => (symbol, verdict),
        _ => (symbol, "wrong_audience"),
    });
    check(TOKENS_OF_ISTIO, &mut gate(&issuers_of_istio(&json!(["foo", "bar"]), KEYS_OF_ISTIO).into()), &expected);
}

#[test]
fn tokens_of_istio_have_their_scopes_where_scope_claims_say() {
    if are_absent() {
        return;
    }
    let mut issuers = issuers_of_istio(&json!("any"), KEYS_OF_ISTIO);
    for issuer in &mut issuers {
        issuer["scopeClaims"] = json!(["custom_scope", "permission", "scope"]);
    }
    let expected = VERDICTS_OF_ISTIO.map(|(symbol, verdict)| match symbol {
        "TokenIssuer2WithSpaceDelimitedPermission" => (symbol, "ok, user `sub-2`, scopes `read write`"),
        "TokenIssuer2WithCustomScopeSpaceDelimitedScope" => (symbol, "ok, user `sub-2`, scopes `admin user`"),
        _ => (symbol, verdict),
    });
    check(TOKENS_OF_ISTIO, &mut gate(&issuers.into()), &expected);
}

/// The keys of another deployment: `kid` names none of them.
#[test]
fn tokens_of_istio_are_not_tried_with_other_keys() {
    if are_absent() {
        return;
    }
    let expected = VERDICTS_OF_ISTIO.map(|(symbol, verdict)| match symbol {
        "TokenInvalid" => (symbol, verdict),
        _ => (symbol, "unknown_key"),
    });
    let issuers = issuers_of_istio(&json!("any"), "istio/security__tools__jwt__samples__jwks.json");
    check(TOKENS_OF_ISTIO, &mut gate(&issuers.into()), &expected);
}

#[test]
fn samples_of_istio() {
    if are_absent() {
        return;
    }
    let cluster = "https://test-container.sandbox.googleapis.com/v1alpha1/projects/istionodeagenttestproj2/locations/us-central1-a/clusters/tkcluster5";
    let keys = read_json("istio/security__tools__jwt__samples__jwks.json");
    let mut gate = gate(&json!([
        issuer("testing", "testing@secure.istio.io", &json!("any"), &keys),
        issuer("cluster", cluster, &json!("any"), &keys),
    ]));
    for (file, expected) in [
        ("security__tools__jwt__samples__demo.jwt", "ok, user `testing@secure.istio.io`"),
        // Scopes in a list.
        (
            "security__tools__jwt__samples__groups-scope.jwt",
            "ok, user `testing@secure.istio.io`, scopes `scope1 scope2`, groups `group1,group2`",
        ),
        // Its `kid` is empty, and no key is without one.
        ("security__pkg__nodeagent__cache__testdata__testjwt", "unknown_key"),
        // Found by fuzzing: a payload that is `null`, with bits left over.
        ("tests__fuzz__testdata__FuzzJwtUtil__5085913745588224", "malformed_token"),
    ] {
        assert_eq!(verdict(&mut gate, &read_text(&format!("istio/{file}"))), expected, "{file}");
    }
}

/// What a host lends the engine at this instant, without randomness.
fn at(now: Timestamp) -> Capabilities<'static> {
    static NONE: Sequence = Sequence::failing();
    Capabilities { now, signatures: &Software, signer: &Software, random: &NONE }
}
