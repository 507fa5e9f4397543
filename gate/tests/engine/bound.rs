//! Tokens that are bound to their sender: by a key (RFC 9449), or by a certificate (RFC 8705).

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::cell::Cell;
use std::time::Duration;

use jose::json::Document;
use jose::jwk::{KeyMaterial, thumbprint};
use jose::signature::{SignatureVerifier, Software};
use jose::{Algorithm, Hash, base64url};
use serde_json::{Value, json};

use crate::browser::{HOST, login};
use crate::support::{Key, NOW, Outcome, Store, World, at, fetched, inline, merge, policy};
use gate::explain::session_cookies;
use gate::{Capabilities, Decision, Effect, Gate, Request, RequestId, Timestamp};

/// RFC 8705 App. A: the thumbprint of a certificate, and its SHA-256 as Envoy writes it.
const EXAMPLE: [&str; 2] =
    ["A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0", "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd"];
const URI: &str = "https://api.example.com/x";

pub(crate) fn client() -> Key {
    Key::new("client")
}

pub(crate) fn jkt(key: &Key) -> String {
    let jwk = key.jwk().to_string();
    let document = Document::parse(jwk.as_bytes()).expect("is JSON");
    base64url::encode(&thumbprint(document.root()).expect("is a key"))
}

/// A token that is bound to the key of [`client`].
pub(crate) fn token() -> String {
    Key::new("a").token(&json!({"cnf": {"jkt": jkt(&client())}}))
}

fn certificate_bound() -> String {
    Key::new("a").token(&json!({"cnf": {"x5t#S256": base64url::encode(&[7; 32])}}))
}

fn certificate() -> String {
    "07".repeat(32)
}

/// A proof for `GET /x`, with `changes` to its claims; null takes one away.
pub(crate) fn proof_by(key: &Key, token: &str, changes: &Value) -> String {
    let ath = base64url::encode(&Hash::Sha256.digest(&[token.as_bytes()]));
    let mut claims = json!({"jti": "1", "htm": "GET", "htu": URI, "iat": NOW, "ath": ath});
    merge(&mut claims, changes);
    key.sign(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk()}), &claims)
}

pub(crate) fn proof(token: &str, changes: &Value) -> String {
    proof_by(&client(), token, changes)
}

pub(crate) fn send(world: &mut World, token: &str, proof: &str) -> Outcome {
    world.get("/x", &[("authorization", &format!("DPoP {token}")), ("dpop", proof)])
}

pub(crate) fn challenges(outcome: &Outcome) -> Vec<String> {
    let Outcome::Replied(reply) = outcome else { panic!("not replied: {outcome:?}") };
    reply.headers.iter().filter(|(name, _)| *name == "www-authenticate").map(|(_, value)| value.clone()).collect()
}

#[test]
fn a_bound_token_passes_with_its_proof_which_no_upstream_sees() {
    let mut world = World::new(&inline(&json!({"forwardToken": true})));
    for jti in ["1", "2"] {
        let outcome = world.get(
            "/x",
            &[
                ("authorization", &format!("DPoP {}", token())),
                ("dpop", &proof(&token(), &json!({"jti": jti}))),
                ("d_p-o.p", "kept"),
                ("DPOP_", "kept"),
            ],
        );
        assert_eq!(outcome.summary(), "ok");
        assert!(outcome.seen("dpop").is_empty());
        assert_eq!(outcome.seen("authorization"), [format!("DPoP {}", token())]);
        assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
    }
    let outcome = world.get(
        "/x",
        &[("authorization", &format!("dpop {}", token())), ("DPoP", &proof(&token(), &json!({"jti": "3"})))],
    );
    assert_eq!(outcome.summary(), "ok", "names of schemes and headers compare without case");
}

#[test]
fn no_rule_lets_a_proof_through() {
    let rules = json!([{"match": {"paths": ["/public"]}, "access": "public"}, {"access": "optional"}]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    for path in ["/public", "/other"] {
        let outcome = world.get(path, &[("dpop", "x"), ("DPoP", "y"), ("dPoP", "z")]);
        assert_eq!(outcome.summary(), "ok");
        assert!(outcome.seen("dpop").is_empty() && outcome.seen("DPoP").is_empty(), "{path}");
    }
}

#[test]
fn a_bound_token_is_never_a_bearer_wherever_it_stands() {
    let locations = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "authorization", "scheme": "Token"},
        {"header": "x-token"},
        {"cookie": "token"},
        {"query": "access_token"},
        {"basic": true},
        {"websocketProtocol": "bearer,"},
    ]);
    for token in [token(), certificate_bound()] {
        let basic =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{token}:x-oauth-basic"));
        for (path, name, value) in [
            ("/x", "authorization", format!("Bearer {token}")),
            ("/x", "authorization", format!("Token {token}")),
            ("/x", "x-token", token.clone()),
            ("/x", "cookie", format!("token={token}")),
            (&format!("/x?access_token={token}"), "x-a", String::from("b")),
            ("/x", "authorization", format!("Basic {basic}")),
            ("/x", "sec-websocket-protocol", format!("bearer, {token}, chat")),
        ] {
            for access in ["authenticated", "optional"] {
                let config = json!({"credentials": locations, "rules": [{"access": access}]});
                let mut world = World::new(&inline(&config));
                let proof = proof(&token, &json!({}));
                let mut headers = vec![(name, value.as_str()), ("dpop", proof.as_str())];
                if name == "sec-websocket-protocol" {
                    headers.extend([("upgrade", "websocket"), ("connection", "Upgrade")]);
                }
                assert_eq!(world.get(path, &headers).summary(), "401 proof_missing", "{access} {name}: {value}");
            }
        }
    }
}

#[test]
fn what_a_token_is_bound_to_otherwise_is_not_accepted() {
    let mut world = World::new(&inline(&json!({})));
    for cnf in [json!({}), json!(null), json!({"kid": "a"}), json!({"jwk": client().jwk()}), json!({"jkt": "short"})] {
        let mut claims = json!({"iss": "https://idp.example.com", "aud": "api", "exp": NOW + 60});
        claims["cnf"] = cnf.clone();
        let token = Key::new("a").sign(&json!({"alg": "ES256", "kid": "a"}), &claims);
        assert_eq!(world.with_token(&token).summary(), "401 proof_unsupported", "{cnf}");
        assert_eq!(send(&mut world, &token, &proof(&token, &json!({}))).summary(), "401 proof_unsupported", "{cnf}");
    }
}

#[test]
fn a_proof_is_for_one_method_host_path_token_and_key() {
    let mut world = World::new(&inline(&json!({})));
    let other = Key::new("a").token(&json!({"cnf": {"jkt": jkt(&client())}, "sub": "mallory"}));
    for changes in [
        json!({"htm": "POST"}),
        json!({"htm": "get"}),
        json!({"htu": "https://api.example.com/y"}),
        json!({"htu": "https://other.example.com/x"}),
        json!({"htu": "http://api.example.com/x"}),
        json!({"htu": null}),
        json!({"iat": NOW - 61}),
        json!({"iat": NOW + 61}),
        json!({"ath": null}),
        json!({"jti": ""}),
        json!({"ath": base64url::encode(&Hash::Sha256.digest(&[other.as_bytes()]))}),
    ] {
        assert_eq!(send(&mut world, &token(), &proof(&token(), &changes)).summary(), "401 bad_proof", "{changes}");
    }
    let stolen = proof_by(&Key::new("mallory"), &token(), &json!({}));
    assert_eq!(send(&mut world, &token(), &stolen).summary(), "401 bad_proof", "another key");
    for text in ["", "x", "a.b.c", &token(), &["", "."].concat()] {
        assert_eq!(send(&mut world, &token(), text).summary(), "401 bad_proof", "{text}");
    }
    assert_eq!(
        send(&mut world, &token(), &proof(&token(), &json!({"htu": "HTTPS://API.example.com:443/./x?q#f"}))).summary(),
        "ok"
    );
}

#[test]
fn a_proof_is_for_the_uri_that_the_client_sent() {
    let mut world = World::new(&inline(&json!({"paths": "lenient"})));
    let mut number = 0;
    let mut get = |scheme: &str, authority: &str, path: &str, htu: &str| {
        number += 1;
        let proof = proof(&token(), &json!({"htu": htu, "jti": number.to_string()}));
        let authorization = format!("DPoP {}", token());
        let lines = [(":method", "GET"), (":path", path), (":authority", authority), (":scheme", scheme)];
        world.send(&[&lines[..], &[("authorization", &authorization), ("dpop", &proof)]].concat()).summary()
    };
    assert_eq!(get("https", "API.example.com:443", "/a/../x?q", URI), "ok");
    assert_eq!(get("http", "api.example.com", "/x", URI), "ok", "a proxy in front ended TLS");
    assert_eq!(get("http", "api.example.com", "/x", "http://api.example.com/x"), "ok");
    assert_eq!(get("https", "api.example.com", "/x", "http://api.example.com/x"), "401 bad_proof");
    assert_eq!(get("https", "api.example.com:8443", "/x", URI), "401 bad_proof");
    assert_eq!(get("https", "", "/x", "https:///x"), "401 bad_proof");
    assert_eq!(get("https", "api.example.com", "/%7Ex", "https://api.example.com/~x"), "ok");
    assert_eq!(get("https", "api.example.com", "/a%20b", "https://api.example.com/a b"), "401 bad_proof");
}

#[test]
fn several_proofs_are_none() {
    let mut world = World::new(&inline(&json!({})));
    let authorization = format!("DPoP {}", token());
    let (one, other) = (proof(&token(), &json!({})), proof(&token(), &json!({"jti": "2"})));
    for lines in [[&one, &one], [&one, &other], [&one, &String::new()], [&String::from("x"), &one]] {
        let outcome = world.get("/x", &[("authorization", &authorization), ("dpop", lines[0]), ("DPoP", lines[1])]);
        assert_eq!(outcome.summary(), "401 bad_proof");
    }
    assert_eq!(send(&mut world, &token(), &[one.as_str(), ", ", &other].concat()).summary(), "401 bad_proof");
    assert_eq!(world.get("/x", &[("authorization", &authorization)]).summary(), "401 proof_missing");
    let outcome = world.get("/x", &[("authorization", &authorization), ("d_pop", &one)]);
    assert_eq!(outcome.summary(), "401 proof_missing", "another name is no spelling of it for the gate");
    let both = format!("Bearer {}", token());
    let outcome = world.get("/x", &[("authorization", &authorization), ("authorization", &both), ("dpop", &one)]);
    assert_eq!(outcome.summary(), "400 ambiguous_credentials");
}

#[test]
fn a_proof_is_used_once_in_all_vms_of_a_proxy() {
    let store = Store::default();
    let vm = |seed| World::beside(&store, &inline(&json!({})), Timestamp::from_secs(NOW), seed);
    let (mut one, mut other) = (vm(1), vm(2));
    let first = proof(&token(), &json!({}));
    assert_eq!(send(&mut one, &token(), &first).summary(), "ok");
    assert_eq!(send(&mut one, &token(), &first).summary(), "401 proof_replayed");
    assert_eq!(send(&mut other, &token(), &first).summary(), "401 proof_replayed");
    // The same `jti` in another text.
    let again = proof(&token(), &json!({"iat": NOW - 1}));
    assert_eq!(send(&mut other, &token(), &again).summary(), "401 proof_replayed");
    assert_eq!(send(&mut other, &token(), &proof(&token(), &json!({"jti": "2"}))).summary(), "ok");
    one.pass(Duration::from_secs(62));
    assert_eq!(send(&mut one, &token(), &first).summary(), "401 bad_proof", "too old by now");
    // One that does not hold is not used up.
    assert_eq!(
        send(&mut other, &token(), &proof(&token(), &json!({"jti": "3", "htm": "POST"}))).summary(),
        "401 bad_proof"
    );
    assert_eq!(send(&mut other, &token(), &proof(&token(), &json!({"jti": "3"}))).summary(), "ok");
}

#[test]
fn a_request_that_waited_for_keys_uses_its_proof_then() {
    let mut world = World::new(&fetched(&json!({}), &json!({"waiting": 1})));
    assert_eq!(send(&mut world, &token(), &proof(&token(), &json!({}))).summary(), "waiting");
    let id = world.last();
    world.answer_keys(&[&Key::new("a")]);
    assert_eq!(world.resumed[&id].summary(), "ok");
    assert_eq!(send(&mut world, &token(), &proof(&token(), &json!({}))).summary(), "401 proof_replayed");
    assert!(world.waiting.is_empty());
}

#[test]
fn a_proof_is_asked_about_even_where_nothing_may_wait() {
    let mut world = World::new(&inline(&json!({"limits": {"waiting": 0, "waitFor": "0s"}})));
    assert_eq!(send(&mut world, &token(), &proof(&token(), &json!({}))).summary(), "ok");
}

#[test]
fn a_token_behind_dpop_has_to_be_bound_to_a_key() {
    let mut world = World::new(&inline(&json!({})));
    world.certificate = certificate();
    for token in [Key::new("a").token(&json!({})), certificate_bound()] {
        let outcome = send(&mut world, &token, &proof(&token, &json!({})));
        assert_eq!(outcome.summary(), "401 bad_proof");
        assert!(challenges(&outcome)[0].starts_with("DPoP realm=\"jotgate\", error=\"invalid_token\""));
    }
}

#[test]
fn a_token_that_is_bound_to_a_certificate_needs_that_one() {
    let mut world = World::new(&inline(&json!({})));
    for (shown, summary) in [
        (certificate(), "ok"),
        (certificate().to_ascii_uppercase(), "ok"),
        (String::new(), "401 proof_missing"),
        ("08".repeat(32), "401 proof_missing"),
        ("07".repeat(31), "401 proof_missing"),
        (format!("{}07", certificate()), "401 proof_missing"),
    ] {
        world.certificate.clone_from(&shown);
        let outcome = world.with_token(&certificate_bound());
        assert_eq!(outcome.summary(), summary, "{shown}");
        if summary != "ok" {
            assert!(challenges(&outcome)[0].starts_with("Bearer realm=\"jotgate\", error=\"invalid_token\""));
        }
    }
    let [thumbprint, digest] = EXAMPLE;
    let example = Key::new("a").token(&json!({"cnf": {"x5t#S256": thumbprint}}));
    world.certificate = digest.to_string();
    assert_eq!(world.with_token(&example).summary(), "ok");
}

#[test]
fn both_bindings_have_to_hold() {
    let cnf = json!({"cnf": {"jkt": jkt(&client()), "x5t#S256": base64url::encode(&[7; 32])}});
    let token = Key::new("a").token(&cnf);
    let mut world = World::new(&inline(&json!({})));
    assert_eq!(send(&mut world, &token, &proof(&token, &json!({}))).summary(), "401 proof_missing");
    world.certificate = certificate();
    assert_eq!(world.with_token(&token).summary(), "401 proof_missing");
    assert_eq!(send(&mut world, &token, &proof(&token, &json!({}))).summary(), "ok");
}

#[test]
fn a_proxy_in_front_names_the_certificate_if_it_is_trusted() {
    let mtls = json!({"header": "X-Forwarded-Client-Cert", "trustedProxies": ["10.0.0.0/8"]});
    let mut world = World::new(&inline(&json!({"senderConstraint": {"mtls": mtls}})));
    let authorization = format!("Bearer {}", certificate_bound());
    let good = format!("By=spiffe://a/b;Hash={};Subject=\"CN=a,O=b\"", certificate());
    let other = format!("Hash={}", "08".repeat(32));
    world.certificate = certificate();
    for (peer, lines, summary) in [
        ("10.1.2.3:5", vec![good.clone()], "ok"),
        ("10.1.2.3:5", vec![format!("{other},{good}")], "ok"),
        ("10.1.2.3:5", vec![format!("{good},{other}")], "401 proof_missing"),
        ("10.1.2.3:5", vec![good.clone(), other], "401 proof_missing"),
        ("10.1.2.3:5", vec![], "401 proof_missing"),
        ("203.0.113.9:5", vec![good.clone()], "401 proof_missing"),
        ("", vec![good], "401 proof_missing"),
    ] {
        world.peer = peer;
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(lines.iter().map(|line| ("x-forwarded-client-cert", line.as_str())));
        assert_eq!(world.get("/x", &headers).summary(), summary, "{peer} {lines:?}");
    }
}

#[test]
fn what_is_off_is_refused() {
    let mut world = World::new(&inline(&json!({"senderConstraint": {"dpop": "off", "mtls": "off"}})));
    world.certificate = certificate();
    for token in [token(), certificate_bound()] {
        assert_eq!(world.with_token(&token).summary(), "401 proof_unsupported");
    }
    assert_eq!(
        send(&mut world, &token(), &proof(&token(), &json!({}))).summary(),
        "401 missing_token",
        "no scheme of the gate's"
    );
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "ok");
}

#[test]
fn tokens_are_bound_where_that_is_required() {
    let plain = Key::new("a").token(&json!({}));
    let both = Key::new("a").token(&json!({"cnf": {"jkt": jkt(&client()), "x5t#S256": base64url::encode(&[7; 32])}}));
    for (require, accepted) in [
        ("none", [true; 4]),
        ("any", [false, true, true, true]),
        ("dpop", [false, true, false, true]),
        ("mtls", [false, false, true, true]),
    ] {
        let section = json!({"require": require});
        let mut issuer = inline(&json!({}));
        issuer["issuers"][0]["senderConstraint"] = section.clone();
        let rule = json!([{"access": "authenticated", "senderConstraint": section}]);
        for config in [inline(&json!({"senderConstraint": section})), inline(&json!({"rules": rule})), issuer] {
            let mut world = World::new(&config);
            world.certificate = certificate();
            let found = [
                world.with_token(&plain).summary(),
                send(&mut world, &token(), &proof(&token(), &json!({}))).summary(),
                world.with_token(&certificate_bound()).summary(),
                send(&mut world, &both, &proof(&both, &json!({"jti": "2"}))).summary(),
            ];
            let expected = accepted.map(|accepted| if accepted { "ok" } else { "401 proof_missing" });
            assert_eq!(found, expected, "{require}");
        }
    }
}

#[test]
fn a_rule_overrides_the_policy_and_no_issuer() {
    let rules = json!([
        {"match": {"paths": ["/x"]}, "access": "authenticated", "senderConstraint": {"require": "none"}},
        {"access": "authenticated"},
    ]);
    let config = inline(&json!({"rules": rules, "senderConstraint": {"require": "dpop"}}));
    let plain = format!("Bearer {}", Key::new("a").token(&json!({})));
    let get = |config: &Value, path| World::new(config).get(path, &[("authorization", &plain)]).summary();
    assert_eq!([get(&config, "/x"), get(&config, "/y")], ["ok", "401 proof_missing"]);
    let mut strict = config;
    strict["issuers"][0]["senderConstraint"] = json!({"require": "any"});
    assert_eq!(get(&strict, "/x"), "401 proof_missing");
}

#[test]
fn in_audit_mode_it_passes_without_identity_and_proof() {
    let mut world = World::new(&inline(&json!({"mode": "audit"})));
    let bearer = format!("Bearer {}", token());
    let outcome = world.get("/x", &[("authorization", &bearer), ("dpop", "x")]);
    assert_eq!(outcome.summary(), "ok");
    assert!(outcome.seen("x-auth-request-user").is_empty() && outcome.seen("dpop").is_empty());
    assert_eq!(outcome.seen("authorization"), [bearer]);
    assert_eq!(world.reported().0, "jotgate_requests_audited_proof_missing");
    let outcome = send(&mut world, &token(), &proof(&token(), &json!({})));
    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
    let outcome = send(&mut world, &token(), &proof(&token(), &json!({})));
    assert!(outcome.seen("x-auth-request-user").is_empty(), "used before");
}

#[test]
fn in_audit_mode_no_identity_is_given_before_a_proof_was_checked() {
    let rules = json!([{"access": "deny", "mode": "audit"}]);
    let mut world = World::new(&inline(&json!({"rules": rules})));
    let outcome = world.with_token(&token());
    assert!(outcome.summary() == "ok" && outcome.seen("x-auth-request-user").is_empty());
    let outcome = send(&mut world, &token(), &proof(&token(), &json!({})));
    assert!(outcome.summary() == "ok" && outcome.seen("x-auth-request-user").is_empty());
    let outcome = world.with_token(&Key::new("a").token(&json!({})));
    assert_eq!(outcome.seen("x-auth-request-user"), ["alice"]);
}

#[test]
fn challenges_say_what_is_wrong_with_a_proof() {
    let algs = "algs=\"EdDSA ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512\"";
    let mut world = World::new(&inline(&json!({})));
    let bearer = format!("Bearer {}", token());
    let dpop = format!("DPoP {}", token());
    let expired = Key::new("a").token(&json!({"exp": NOW - 3600, "cnf": {"jkt": jkt(&client())}}));
    for (headers, expected) in [
        (vec![], String::from("Bearer realm=\"jotgate\"")),
        (
            vec![("authorization", bearer.as_str())],
            format!(
                "DPoP realm=\"jotgate\", error=\"invalid_token\", error_description=\"the token is bound to a key: it comes with a DPoP proof, as Authorization: DPoP\", {algs}"
            ),
        ),
        (
            vec![("authorization", dpop.as_str())],
            format!(
                "DPoP realm=\"jotgate\", error=\"invalid_dpop_proof\", error_description=\"the token is bound to a key: it comes with a DPoP proof, as Authorization: DPoP\", {algs}"
            ),
        ),
        (
            vec![("authorization", dpop.as_str()), ("dpop", "x")],
            format!(
                "DPoP realm=\"jotgate\", error=\"invalid_dpop_proof\", error_description=\"the DPoP proof is not a well-formed JWT\", {algs}"
            ),
        ),
        (vec![("authorization", "DPoP ")], format!("DPoP realm=\"jotgate\", error=\"invalid_request\", {algs}")),
        (
            vec![("authorization", &format!("DPoP {expired}"))],
            format!(
                "DPoP realm=\"jotgate\", error=\"invalid_token\", error_description=\"the token has expired\", {algs}"
            ),
        ),
    ] {
        assert_eq!(challenges(&world.get("/x", &headers)), [expected], "{headers:?}");
    }
    let mut world = World::new(&inline(&json!({"senderConstraint": {"dpop": {}}})));
    assert_eq!(
        challenges(&world.get("/x", &[])),
        [String::from("Bearer realm=\"jotgate\""), format!("DPoP realm=\"jotgate\", {algs}")]
    );
    let mut world = World::new(&inline(&json!({"senderConstraint": {"require": "dpop"}})));
    assert_eq!(challenges(&world.get("/x", &[])), [format!("DPoP realm=\"jotgate\", {algs}")]);
}

#[test]
fn a_mistaken_section_is_told() {
    let errors = |changes: &Value| {
        let config = inline(changes).to_string();
        gate::Policy::parse(config.as_bytes(), &|_| None).expect_err("is refused").to_string()
    };
    let rules = json!([{"access": "authenticated", "senderConstraint": {"require": "mtls"}}]);
    for (changes, part) in [
        (json!({"senderConstraint": {"dpop": "on"}}), "senderConstraint.dpop: expected `off`"),
        (
            json!({"senderConstraint": {"dpop": {"window": "11m"}}}),
            "senderConstraint.dpop.window: expected a duration of at most 10m",
        ),
        (json!({"senderConstraint": {"dpop": {"window": "0s"}}}), "senderConstraint.dpop.window: expected a duration"),
        (json!({"senderConstraint": {"dpop": {"nonce": true}}}), "senderConstraint.dpop.nonce: expected a `session`"),
        (
            json!({"senderConstraint": {"dpop": {"nonce": {"secrets": ["short"]}}}}),
            "senderConstraint.dpop.nonce.secrets[0]: expected a secret of 32 octets",
        ),
        (json!({"senderConstraint": {"mtls": "header"}}), "senderConstraint.mtls: expected `connection` or `off`"),
        (json!({"senderConstraint": {"mtls": {"header": "x"}}}), "`trustedProxies` is missing"),
        (
            json!({"senderConstraint": {"require": "both"}}),
            "senderConstraint.require: expected `any`, `dpop`, `mtls` or `none`",
        ),
        (
            json!({"senderConstraint": {"require": "dpop", "dpop": "off"}}),
            "`require` requires tokens that nobody can use",
        ),
        (
            json!({"senderConstraint": {"mtls": "off"}, "rules": rules}),
            "rules: `0` requires tokens that nobody can use",
        ),
        (json!({"credentials": [{"header": "dpop"}]}), "would be removed"),
    ] {
        let found = errors(&changes);
        assert!(found.contains(part), "{changes}: {found}");
    }
}

/// Counts what it checks.
#[derive(Default)]
struct Counting(Cell<usize>);

impl SignatureVerifier for Counting {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.0.set(self.0.get() + 1);
        Software.verify(key, algorithm, message, signature)
    }
}

#[test]
fn without_shared_data_a_vm_remembers_by_itself_and_checks_a_signature_once() {
    let counting = Counting::default();
    let now = Timestamp::from_secs(NOW);
    let capabilities = Capabilities { signatures: &counting, ..at(now) };
    let mut gate = Gate::new(policy(&inline(&json!({}))), now, 1);
    let (authorization, proof) = (format!("DPoP {}", token()), proof(&token(), &json!({})));
    let lines: [(&[u8], &[u8]); 6] = [
        (b":method", b"GET"),
        (b":path", b"/x"),
        (b":authority", b"api.example.com"),
        (b":scheme", b"https"),
        (b"authorization", authorization.as_bytes()),
        (b"dpop", proof.as_bytes()),
    ];
    let request = Request::new(&lines);
    let mut decide = |id| {
        let id = RequestId(id);
        assert_eq!(gate.handle_request(id, &request, capabilities), Decision::Wait);
        let mut asked = std::iter::from_fn(|| gate.poll_effect());
        assert!(asked.any(|effect| effect == Effect::Share));
        assert_eq!(gate.next_timeout().map(|due| due <= now), Some(true), "it is not forgotten");
        gate.handle_timeout(capabilities);
        let mut asked = std::iter::from_fn(|| gate.poll_effect());
        assert!(asked.any(|effect| effect == Effect::Resume(id)));
        gate.handle_request(id, &request, capabilities)
    };
    assert!(matches!(decide(1), Decision::Forward(..)));
    assert_eq!(counting.0.get(), 2, "one of the token, one of the proof");
    assert!(matches!(decide(2), Decision::Reply(reply, _) if reply.body.contains("proof_replayed")));
    assert_eq!(counting.0.get(), 3, "the token is known");
}

#[test]
fn a_session_is_not_bound_by_its_tokens_and_is_none_where_that_is_required() {
    let rules = json!([
        {"match": {"paths": ["/api/**"]}, "access": "authenticated", "senderConstraint": {"require": "any"}},
        {"access": "authenticated"},
    ]);
    let config = login(&json!({"rules": rules}));
    let claims = json!({"sub": "alice", "cnf": {"jkt": jkt(&client())}}).to_string();
    let now = Timestamp::from_secs(NOW);
    let random = driver::memory::Sequence::new(1);
    let cookies = session_cookies(&policy(&config), 0, &claims, now, &random).expect("are made");
    let mut world = World::new(&config);
    let mut get = |path: &str| {
        let lines = [
            (":method", "GET"),
            (":path", path),
            (":authority", HOST),
            (":scheme", "https"),
            ("cookie", cookies.as_str()),
        ];
        world.send(&lines)
    };
    assert_eq!(get("/x").seen("x-auth-request-user"), ["alice"]);
    assert_eq!(get("/api/x").summary(), "401 proof_missing");
}

#[test]
fn a_check_for_another_proxy_is_one_use_of_a_proof() {
    let config = login(&json!({"issuers": inline(&json!({}))["issuers"], "login": {
        "issuer": "main", "client": {"id": "dashboard", "secret": "client-secret"}, "cluster": "idp",
        "endpoints": {"authorization": "https://idp.example.com/a", "token": "https://idp.example.com/t"},
    }}));
    let mut world = World::new(&config);
    let authorization = format!("DPoP {}", token());
    let path = "/.jotgate/check?method=GET&path=%2Fx";
    let mut check = |jti: &str| {
        let htu = format!("https://{HOST}/.jotgate/check");
        let proof = proof(&token(), &json!({"jti": jti, "htu": htu}));
        let lines = [(":method", "GET"), (":path", path), (":authority", HOST), (":scheme", "https")];
        match world.send(&[&lines[..], &[("authorization", &authorization), ("dpop", &proof)]].concat()) {
            Outcome::Replied(reply) => reply.status,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([check("1"), check("1"), check("2")], [200, 401, 200]);
}
