//! What thieves of bound tokens and of proofs try.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use jose::{Hash, base64url};
use serde_json::json;

use crate::bound::{client, jkt, proof, proof_by, send, token};
use crate::introspection::{TOKEN as OPAQUE, entry as introspected};
use crate::support::{Key, NOW, Outcome, Store, World, inline};
use crate::upstream::signed;
use gate::Timestamp;

const EXCHANGED: &str = r#"{"access_token":"x","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","expires_in":60}"#;

/// A request for `path`, with a proof for `htu`.
fn get(world: &mut World, path: &str, htu: &str, jti: &str) -> Outcome {
    let proof = proof(&token(), &json!({"htu": htu, "jti": jti}));
    world.get(path, &[("authorization", &format!("DPoP {}", token())), ("dpop", &proof)])
}

fn ath() -> String {
    base64url::encode(&Hash::Sha256.digest(&[token().as_bytes()]))
}

/// Dot segments go by what is left of them elsewhere: with `paths: lenient`, of what is forwarded.
#[test]
fn a_proof_is_for_the_path_that_is_decided_on() {
    let rules = json!([
        {"name": "a", "match": {"paths": ["/a/**"]}, "access": "authenticated"},
        {"name": "rest", "access": "authenticated"},
    ]);
    let mut world = World::new(&inline(&json!({"paths": "lenient", "rules": rules})));
    let a = "https://api.example.com/a/b";
    let stolen = ["/a//../b", "/a/x;/../b", "/a/..;/../b", "/a/.;/../b", "/a/;/../b", "/;/../a/b"];
    for (number, path) in stolen.into_iter().enumerate() {
        let outcome = get(&mut world, path, a, &format!("s{number}"));
        match outcome.summary().as_str() {
            "401 bad_proof" => {}
            // It is for what the upstream gets.
            "ok" => assert_eq!(outcome.seen(":path"), ["/a/b"], "{path}"),
            other => panic!("{path}: {other}"),
        }
    }
    for (number, (path, htu)) in [
        ("/a//b", "https://api.example.com/a//b"),
        ("/a;v=1/b", "https://api.example.com/a;v=1/b"),
        ("/a/./b", "https://api.example.com/a/b"),
        ("/a/b/?q", "https://api.example.com/a/b/"),
        ("/%7Ea", "https://api.example.com/~a"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(get(&mut world, path, htu, &format!("g{number}")).summary(), "ok", "{path} {htu}");
    }
}

/// A server that takes the method from such a header would be asked for what no proof is for.
#[test]
fn nothing_replaces_what_a_proof_is_for() {
    let overrides = [
        ("x-http-method-override", "DELETE"),
        ("X_HTTP_Method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
    ];
    let with_proof = |world: &mut World| {
        let (authorization, proof) = (format!("DPoP {}", token()), proof(&token(), &json!({})));
        let own = [("authorization", authorization.as_str()), ("dpop", proof.as_str()), ("x-other", "kept")];
        world.get("/x", &[&overrides[..], &own[..]].concat())
    };
    let outcome = with_proof(&mut World::new(&inline(&json!({}))));
    assert_eq!(outcome.summary(), "ok");
    for (name, _) in overrides {
        assert_eq!(outcome.seen(name), [""; 0], "{name}");
    }
    assert_eq!(outcome.seen("x-other"), ["kept"]);
    // As for rules, it is the operator's to say that the upstream knows them.
    let outcome = with_proof(&mut World::new(&inline(&json!({"overrideHeaders": "keep"}))));
    assert_eq!(outcome.seen("x-original-url"), ["/admin"]);
    // Where nothing depends on them, they stay.
    let bearer = format!("Bearer {}", Key::new("a").token(&json!({})));
    let outcome = World::new(&inline(&json!({}))).get("/x", &[("authorization", &bearer), ("x-original-url", "/y")]);
    assert_eq!(outcome.seen("x-original-url"), ["/y"]);
}

/// The text of an opaque token stays when its issuer binds it to another key.
#[test]
fn a_proof_counts_for_the_key_that_the_token_is_bound_to_now() {
    let exchange = json!([{"name": "orders", "exchange": {
        "endpoint": "https://sts.example.com/token", "cluster": "exchange",
        "client": {"id": "gate", "secret": "s3cret"}, "audience": "orders",
    }}]);
    let entry = introspected("gaf", &json!({"cacheFor": "1s"}));
    let config = inline(&json!({"introspection": [entry], "upstreamCredentials": exchange, "upstream": "orders"}));
    let says = |key: &Key| json!({"active": true, "aud": "data", "sub": "alice", "cnf": {"jkt": jkt(key)}}).to_string();
    for (later, expected) in [(client(), "ok"), (Key::new("other"), "401 bad_proof")] {
        let mut world = World::new(&config);
        assert_eq!(send(&mut world, OPAQUE, &proof(OPAQUE, &json!({}))).summary(), "waiting");
        let id = world.last();
        world.answer("200", &says(&client()));
        // It waits for the exchange; meanwhile what was said of it is over.
        assert_eq!(world.fetches[0].cluster, "exchange");
        world.pass(Duration::from_secs(2));
        world.answer("200", EXCHANGED);
        while let Some(fetch) = world.fetches.first() {
            let answer = if fetch.cluster == "exchange" { String::from(EXCHANGED) } else { says(&later) };
            world.answer("200", &answer);
        }
        assert_eq!(world.resumed[&id].summary(), expected);
    }
}

#[test]
fn what_introspection_calls_dpop_is_bound_to_a_key() {
    let certificate = base64url::encode(&[7; 32]);
    for (cnf, expected) in [
        (json!({"jkt": jkt(&client())}), "401 proof_missing"),
        (json!({"x5t#S256": certificate}), "401 wrong_type"),
        (json!({}), "401 wrong_type"),
        (json!({"jkt": null}), "401 wrong_type"),
        (json!([]), "401 wrong_type"),
        (json!(null), "401 wrong_type"),
    ] {
        let mut world = World::new(&inline(&json!({"introspection": [introspected("gaf", &json!({}))]})));
        world.certificate = "07".repeat(32);
        assert_eq!(world.with_token(OPAQUE).summary(), "waiting");
        let id = world.last();
        let answer = json!({"active": true, "token_type": "DPoP", "aud": "data", "sub": "alice", "cnf": cnf});
        world.answer("200", &answer.to_string());
        assert_eq!(world.resumed[&id].summary(), expected, "{cnf}");
    }
}

/// What counts is `jti`, whatever text it came in, and for the time in which any of its texts is accepted.
#[test]
fn no_other_text_of_a_proof_is_another_proof() {
    let client = client();
    let jwk = client.jwk();
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#);
    let claims = |jti: &str, blank: &str| {
        let ath = ath();
        let claims = format!(
            r#"{{"jti":"{jti}","htm":"GET",{blank}"htu":"https://api.example.com/x","iat":{NOW},"ath":"{ath}"}}"#
        );
        client.sign_text(&header, &claims)
    };
    let mut world = World::new(&inline(&json!({})));
    let first = claims("ab", "");
    assert_eq!(send(&mut world, &token(), &first).summary(), "ok");
    let (input, signature) = first.rsplit_once('.').expect("has parts");
    let octets = base64url::decode(signature.as_bytes()).expect("is base64url");
    let with = |signature: &[u8]| [input, &base64url::encode(signature)].join(".");
    // Each is refused, as used or as no signature of the key's; which one it is does not matter.
    let last = signature.chars().last().expect("is there");
    let other_bits = char::from(u8::try_from(last).expect("is ASCII") + 1);
    for other in [
        claims("ab", " "),
        claims("\\u0061b", ""),
        claims("ab", r#""x":1,"#),
        with(&negated(&octets)),
        with(&[&octets[..], &[0]].concat()),
        format!("{}{other_bits}", &first[..first.len() - 1]),
        format!("{first}="),
        format!("{first}\u{a0}"),
        client.sign_text(&header.replace("\"typ\"", "\"x\":1,\"typ\""), &payload(&first)),
    ] {
        let found = send(&mut world, &token(), &other).summary();
        assert!(["401 proof_replayed", "401 bad_proof"].contains(&found.as_str()), "{other}: {found}");
    }
    assert_eq!(send(&mut world, &token(), &claims("AB", "")).summary(), "ok", "case counts");
}

fn payload(proof: &str) -> String {
    let payload = proof.split('.').nth(1).expect("has parts");
    String::from_utf8(base64url::decode(payload.as_bytes()).expect("is base64url")).expect("is text")
}

/// (r, n - s) verifies as (r, s) does.
fn negated(signature: &[u8]) -> Vec<u8> {
    let signature = p256::ecdsa::Signature::from_slice(signature).expect("is one");
    let (r, s) = (signature.r(), signature.s());
    let negated = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).expect("is one");
    negated.to_bytes().to_vec()
}

#[test]
fn the_same_jti_by_another_key_is_another_proof() {
    let other = Key::new("other");
    let others = Key::new("a").token(&json!({"sub": "bob", "cnf": {"jkt": jkt(&other)}}));
    let mut world = World::new(&inline(&json!({})));
    for expected in ["ok", "401 proof_replayed"] {
        assert_eq!(send(&mut world, &token(), &proof(&token(), &json!({}))).summary(), expected);
        assert_eq!(send(&mut world, &others, &proof_by(&other, &others, &json!({}))).summary(), expected);
    }
    // Another token of the same key: its proof has another `ath`, and the same `jti`.
    let second = Key::new("a").token(&json!({"jti": "2", "cnf": {"jkt": jkt(&client())}}));
    assert_eq!(send(&mut world, &second, &proof(&second, &json!({}))).summary(), "401 proof_replayed");
}

/// At the edges of the window: whatever is accepted is remembered.
#[test]
fn no_proof_outlives_what_is_remembered_of_it() {
    let issuer = |skew: &str| {
        let mut config = inline(&json!({"senderConstraint": {"dpop": {"window": "5s"}}}));
        config["issuers"][0]["clockSkew"] = json!(skew);
        config
    };
    for (skew, ahead) in [("0s", 0), ("20s", 20)] {
        let store = Store::default();
        let mut vms = [1, 2].map(|seed| World::beside(&store, &issuer(skew), Timestamp::from_secs(NOW), seed));
        let long = Key::new("a").token(&json!({"exp": NOW + 36_000, "cnf": {"jkt": jkt(&client())}}));
        let of_future = proof(&long, &json!({"iat": NOW + ahead}));
        assert_eq!(send(&mut vms[0], &long, &of_future).summary(), "ok", "{skew}");
        for second in 0..ahead + 10 {
            let world = &mut vms[usize::try_from(second % 2).expect("is small")];
            let found = send(world, &long, &of_future).summary();
            assert_ne!(found, "ok", "{skew} {second}");
            // Others write in between: what is too old is cleared out then.
            let other = proof(&long, &json!({"iat": NOW + second, "jti": format!("n{second}")}));
            assert_eq!(send(world, &long, &other).summary(), "ok", "{skew} {second}");
            for world in &mut vms {
                world.pass(Duration::from_secs(1));
            }
        }
    }
    for (iat, expected) in [
        (json!(NOW - 60), "ok"),
        (json!(format!("{NOW}")), "401 bad_proof"),
        (json!(-1), "401 bad_proof"),
        (json!(1e300), "401 bad_proof"),
        (json!(0), "401 bad_proof"),
        (json!(null), "401 bad_proof"),
        (json!([NOW]), "401 bad_proof"),
        (json!(true), "401 bad_proof"),
    ] {
        let mut world = World::new(&inline(&json!({})));
        assert_eq!(send(&mut world, &token(), &proof(&token(), &json!({"iat": iat}))).summary(), expected, "{iat}");
    }
}

/// Claims and headers whose members occur twice mean different things to different readers.
#[test]
fn members_that_occur_twice_spoil_a_proof() {
    let (client, jwk, ath) = (client(), client().jwk(), ath());
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#);
    let claims = format!(r#"{{"jti":"1","htm":"GET","htu":"https://api.example.com/x","iat":{NOW},"ath":"{ath}"}}"#);
    let doubled = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let mut world = World::new(&inline(&json!({})));
    for member in [r#""htm":"GET""#, r#""htu":"https://api.example.com/x""#, r#""jti":"2""#, r#""\u0068tm":"GET""#] {
        let proof = client.sign_text(&header, &doubled(&claims, member));
        assert_eq!(send(&mut world, &token(), &proof).summary(), "401 bad_proof", "{member}");
    }
    for member in [r#""alg":"ES256""#, r#""typ":"dpop+jwt""#, &format!(r#""jwk":{jwk}"#), r#""j\u0077k":{}"#] {
        let proof = client.sign_text(&doubled(&header, member), &claims);
        assert_eq!(send(&mut world, &token(), &proof).summary(), "401 bad_proof", "{member}");
    }
    let twice = header.replace(r#""kty":"EC""#, r#""kty":"EC","kty":"EC""#);
    assert_ne!(twice, header);
    assert_eq!(send(&mut world, &token(), &client.sign_text(&twice, &claims)).summary(), "401 bad_proof");
    for text in ["", "null", "[]", "{", "\u{feff}{}", "{} {}"] {
        let found = send(&mut world, &token(), &client.sign_text(&header, text)).summary();
        assert_eq!(found, "401 bad_proof", "{text}");
    }
    assert_eq!(send(&mut world, &token(), &client.sign_text(&header, &claims)).summary(), "ok");
}

#[test]
fn schemes_are_read_as_those_of_bearer_tokens_are() {
    let mut number = 0;
    let mut found = |world: &mut World, value: String| {
        number += 1;
        let proof = proof(&token(), &json!({"jti": number.to_string()}));
        world.get("/x", &[("authorization", &value), ("dpop", &proof)]).summary()
    };
    let mut world = World::new(&inline(&json!({})));
    for (scheme, expected) in [
        ("DPoP ", "ok"),
        ("dpop ", "ok"),
        ("DPOP   ", "ok"),
        ("DPoP\t", "ok"),
        (" DPoP ", "ok"),
        ("DPoP", "401 missing_token"),
        ("DPoP,", "400 malformed_credentials"),
        ("DPoP\u{a0}", "400 malformed_credentials"),
        ("DPoP:", "400 malformed_credentials"),
        ("DPoP DPoP ", "400 malformed_credentials"),
        ("Bearer DPoP ", "400 malformed_credentials"),
        ("DPoP Bearer ", "400 malformed_credentials"),
        ("Bearer x, DPoP ", "400 malformed_credentials"),
        ("DPoP x, Bearer ", "400 malformed_credentials"),
        ("DPoPx ", "401 missing_token"),
        ("Bearer ", "401 proof_missing"),
    ] {
        assert_eq!(found(&mut world, format!("{scheme}{}", token())), expected, "{scheme}");
    }
    // Where the scheme has a location of its own, or there is a header without one, it is no other.
    for locations in [
        json!([{"header": "authorization", "scheme": "DPoP"}]),
        json!([{"header": "authorization"}, {"header": "authorization", "scheme": "Bearer"}]),
    ] {
        let mut world = World::new(&inline(&json!({"credentials": locations})));
        assert_eq!(found(&mut world, format!("DPoP {}", token())), "ok", "{locations}");
        assert_ne!(found(&mut world, token()), "ok", "{locations}");
        assert_ne!(found(&mut world, format!("Bearer {}", token())), "ok", "{locations}");
    }
}

/// Not even where nothing is enforced: the rule asks for a bound token, and who sends this one is nobody's word.
#[test]
fn in_audit_mode_a_session_that_a_rule_would_refuse_gives_no_identity() {
    use crate::browser::{logged_in, login};

    let require = json!({"require": "any"});
    let rules = json!([
        {"name": "denied", "match": {"paths": ["/denied"]}, "access": "deny", "senderConstraint": require},
        {"name": "bound", "match": {"paths": ["/bound"]}, "access": "authenticated", "senderConstraint": require},
        {"name": "free", "match": {"paths": ["/free"]}, "access": "deny"},
        {"name": "rest", "access": "authenticated"},
    ]);
    let credentials = json!([{"name": "internal", "header": "x-internal", "token": signed(&json!({}))}]);
    let changes = json!({"rules": rules, "mode": "audit", "upstreamCredentials": credentials, "upstream": "internal"});
    // Nobody is sent to log in where nothing is enforced.
    let mut config = login(&changes);
    config["mode"] = json!("enforce");
    let (mut world, _, mut browser) = logged_in(&config);
    world.reconfigure(&login(&changes));
    for (path, users, made) in [("/free", 1, 1), ("/app", 1, 1), ("/denied", 0, 0), ("/bound", 0, 0)] {
        let outcome = browser.fetch(&mut world, path);
        assert_eq!(outcome.seen("x-auth-request-user").len(), users, "{path}");
        assert_eq!(outcome.seen("x-internal").len(), made, "{path}");
    }
}

/// A path that has several readings has no rule, and so none that says who may come without proof.
#[test]
fn in_audit_mode_an_ambiguous_path_gives_no_identity_where_a_rule_asks_for_a_bound_token() {
    for (require, users) in [("none", 1), ("any", 0)] {
        let rules = json!([
            {"match": {"paths": ["/bound"]}, "access": "authenticated", "senderConstraint": {"require": require}},
            {"access": "authenticated"},
        ]);
        let mut world = World::new(&inline(&json!({"mode": "audit", "rules": rules})));
        let authorization = format!("Bearer {}", Key::new("a").token(&json!({})));
        let found = world.get("/x", &[("authorization", &authorization)]);
        assert_eq!(found.seen("x-auth-request-user"), ["alice"], "{require}");
        let found = world.get("//bound", &[("authorization", &authorization)]);
        assert_eq!(found.seen("x-auth-request-user").len(), users, "{require}");
    }
}

/// Who sends a bad proof is refused for it, whatever else is in the request.
#[test]
fn no_other_credential_stands_in_for_a_proof() {
    use crate::browser::{logged_in, login, status};

    let (mut world, _, browser) = logged_in(&login(&json!({})));
    let authorization = format!("DPoP {}", token());
    let htu = json!({"htu": format!("https://{}/app", crate::browser::HOST)});
    let good = proof(&token(), &htu);
    let get = |world: &mut World, headers: &[(&str, &str)]| status(&browser.send(world, "GET", "/app", headers));
    assert_eq!(get(&mut world, &[]), 200, "the session is good");
    assert_eq!(get(&mut world, &[("authorization", &authorization), ("dpop", "x")]), 401);
    assert_eq!(get(&mut world, &[("authorization", &authorization)]), 401);
    assert_eq!(get(&mut world, &[("authorization", &format!("Bearer {}", token())), ("dpop", &good)]), 401);
    let outcome = browser.send(&mut world, "GET", "/app", &[("authorization", &authorization), ("dpop", &good)]);
    assert_eq!(outcome.summary(), "ok");
    assert_eq!((outcome.seen("cookie").len(), outcome.seen("dpop").len()), (0, 0));
    assert_eq!(get(&mut world, &[("authorization", &authorization), ("dpop", &good)]), 401, "used before");
    // In a cookie it is no credential: a page that is opened is sent to log in, a script is not.
    let locations = json!([{"cookie": "token"}, {"session": true}]);
    let (mut world, ..) = logged_in(&login(&json!({"credentials": locations})));
    let cookie = format!("token={}", token());
    let mut by_cookie = |mode: &str| {
        let lines = [
            (":method", "GET"),
            (":path", "/app"),
            (":authority", crate::browser::HOST),
            (":scheme", "https"),
            ("cookie", cookie.as_str()),
            ("dpop", good.as_str()),
            ("sec-fetch-mode", mode),
            ("sec-fetch-dest", if mode == "navigate" { "document" } else { "empty" }),
            ("sec-fetch-site", "same-origin"),
        ];
        status(&world.send(&lines))
    };
    assert_eq!((by_cookie("navigate"), by_cookie("cors")), (303, 401));
}

/// The answer is kept; who sends the token is asked each time.
#[test]
fn what_introspection_says_is_bound_is_bound_in_each_request() {
    let certificate = json!({"cnf": {"x5t#S256": base64url::encode(&[7; 32])}});
    let both = json!({"cnf": {"x5t#S256": base64url::encode(&[7; 32]), "jkt": jkt(&client())}});
    let known = |cnf: &serde_json::Value, require: &str| {
        let entry = introspected("gaf", &json!({"senderConstraint": {"require": require}}));
        let mut world = World::new(&inline(&json!({"introspection": [entry]})));
        world.certificate = "07".repeat(32);
        assert_eq!(world.with_token(OPAQUE).summary(), "waiting");
        let mut answer = json!({"active": true, "aud": "data", "sub": "alice"});
        crate::support::merge(&mut answer, cnf);
        world.answer("200", &answer.to_string());
        world
    };
    let mut world = known(&certificate, "none");
    for (shown, expected) in [("07", "ok"), ("08", "401 proof_missing"), ("", "401 proof_missing"), ("07", "ok")] {
        world.certificate = shown.repeat(32);
        assert_eq!(world.with_token(OPAQUE).summary(), expected, "{shown}");
    }
    let mut world = known(&both, "none");
    let with_proof = |world: &mut World, jti: &str| send(world, OPAQUE, &proof(OPAQUE, &json!({"jti": jti}))).summary();
    assert_eq!(world.with_token(OPAQUE).summary(), "401 proof_missing");
    assert_eq!(with_proof(&mut world, "1"), "ok");
    assert_eq!(with_proof(&mut world, "1"), "401 proof_replayed");
    world.certificate = String::new();
    assert_eq!(with_proof(&mut world, "2"), "401 proof_missing");
    for (cnf, require, expected) in [
        (&json!({}), "any", "401 proof_missing"),
        (&certificate, "any", "ok"),
        (&certificate, "mtls", "ok"),
        (&certificate, "dpop", "401 proof_missing"),
        (&json!({"cnf": {"jkt": "x"}}), "none", "401 proof_unsupported"),
        (&json!({"cnf": {"kid": "x"}}), "none", "401 proof_unsupported"),
    ] {
        assert_eq!(known(cnf, require).with_token(OPAQUE).summary(), expected, "{cnf} {require}");
    }
}
