//! Over configurations and requests of all kinds, the steps lead to the engine's decision.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use inspect::explain::{CheckOutcome, Explanation, Question, explain};
use jose::base64url;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree as _;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

fn access() -> impl Strategy<Value = Value> {
    select(vec![
        json!("public"),
        json!("optional"),
        json!("authenticated"),
        json!("deny"),
        json!({"scopes": {"all": ["read", "write"]}}),
        json!({"scopes": {"any": ["admin", "read"]}, "groups": {"any": ["ops"]}}),
        json!({"anyOf": [{"claims": {"email": {"domain": ["example.com"]}}}, {"scopes": {"all": ["admin"]}}]}),
        json!({"not": {"groups": {"any": ["ops"]}}}),
        json!({"issuers": ["main"], "claims": {"level": {"in": [1, 2]}}}),
    ])
}

fn rule() -> impl Strategy<Value = Value> {
    let paths = select(vec![json!(["/a/**"]), json!(["/a/{x}"]), json!([{"regex": "/[ab].*"}]), json!(["/b", "/c:d"])]);
    let hosts = select(vec![json!(["api.example.com"]), json!(["*.example.com"])]);
    let methods = subsequence(vec!["GET", "POST"], 1..=2);
    let conditions = (
        proptest::option::of(paths),
        proptest::option::of(hosts),
        proptest::option::of(methods),
        proptest::option::of(select(vec![json!({"x-tenant": "acme"})])),
    );
    (conditions, access(), proptest::option::weighted(0.2, select(vec!["audit", "enforce"]))).prop_map(
        |((paths, hosts, methods, headers), access, mode)| {
            let mut rule = json!({"access": access, "match": {}});
            let members =
                [("paths", paths), ("hosts", hosts), ("methods", methods.map(|all| json!(all))), ("headers", headers)];
            for (name, value) in members {
                if let Some(value) = value {
                    rule["match"][name] = value;
                }
            }
            if let Some(mode) = mode {
                rule["mode"] = json!(mode);
            }
            rule
        },
    )
}

fn configuration() -> impl Strategy<Value = Value> {
    let changes = (
        proptest::option::of(select(vec![json!({"default": "authenticated"}), json!({"default": "optional"})])),
        proptest::option::weighted(0.2, select(vec![json!({"mode": "audit"})])),
        proptest::option::of(select(vec![json!({"paths": "lenient"})])),
        proptest::option::of(select(vec![json!({"credentialConflict": "first"})])),
        proptest::option::of(select(vec![json!({"limits": {"tokenBytes": 200}})])),
        proptest::option::weighted(0.2, select(vec![json!({"corsPreflight": "pass"})])),
        proptest::option::weighted(
            0.2,
            select(vec![json!({"resourceMetadata": {"resource": "https://api.example.com"}})]),
        ),
        proptest::option::weighted(0.4, Just(login())),
    );
    let issuer = select(vec![
        json!({}),
        json!({"audiences": "any", "requireExpiration": false, "groupScopes": {"admin": ["ops"]}}),
        json!({"tokenTypes": ["at+jwt"], "maxLifetime": "1h"}),
    ]);
    (vec(rule(), 0..5), changes, issuer).prop_map(|(rules, changes, issuer)| {
        let keys = json!({"inline": {"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"},
        ]}});
        let mut main = json!({"name": "main", "issuer": "https://idp", "audiences": ["api"], "keys": keys});
        merge(&mut main, &issuer);
        let other = json!({
            "name": "other", "issuer": "https://other", "audiences": "any",
            "keys": {"jwksUri": "https://other/jwks", "cluster": "other"},
        });
        let mut config = json!({
            "issuers": [main, other], "rules": rules,
            "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-token"}, {"cookie": "session"}, {"query": "token"}],
        });
        let (one, two, three, four, five, six, seven, eight) = changes;
        for change in [one, two, three, four, five, six, seven, eight].into_iter().flatten() {
            merge(&mut config, &change);
        }
        if !config["login"].is_null() {
            config["credentials"].as_array_mut().expect("is a list").push(json!({"session": true}));
        }
        config
    })
}

fn login() -> Value {
    let endpoints = json!({"authorization": "https://idp/authorize", "token": "https://idp/token"});
    json!({
        "login": {"issuer": "main", "client": {"id": "a"}, "cluster": "idp", "endpoints": endpoints},
        "session": {"secrets": ["a-secret-for-tests-has-32-octets"], "publicUrl": "https://api.example.com"},
    })
}

fn session() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"sub": "alice", "scope": "read write"}),
        json!({"sub": "alice", "groups": ["ops"], "email": "a@example.com", "level": 1.0}),
        json!({"sub": "alice", "scope": 7}),
        json!({"sub": "alice", "groups": {}}),
        json!({"sub": "a\nb"}),
        json!({"sub": "alice", "exp": NOW - 61}),
        json!({}),
    ])
}

fn merge(into: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().into_iter().flatten() {
        into[name] = value.clone();
    }
}

fn token() -> impl Strategy<Value = String> {
    let header = select(vec![
        json!({"alg": "EdDSA", "kid": "k", "typ": "at+jwt"}),
        json!({"alg": "EdDSA", "kid": "k", "typ": "at+jwt"}),
        json!({"alg": "EdDSA"}),
        json!({"alg": "ES256", "kid": "k"}),
        json!({"alg": "HS256", "kid": "k"}),
        json!({"alg": "none"}),
        json!({"alg": "EdDSA", "kid": "gone"}),
        json!({"alg": "EdDSA", "kid": "k", "crit": ["x"]}),
        json!({"kid": "k"}),
    ]);
    let base = json!({"iss": "https://idp", "aud": "api", "sub": "alice", "exp": NOW + 300, "iat": NOW, "scope": "read write"});
    let change = select(vec![
        json!({}),
        json!({"groups": ["ops"], "email": "a@example.com", "level": 1.0}),
        json!({"scope": "read"}),
        json!({"scope": ["admin"]}),
        json!({"scope": 7}),
        json!({"groups": {}}),
        json!({"aud": "else"}),
        json!({"aud": [1]}),
        json!({"exp": NOW - 61}),
        json!({"exp": NOW - 60}),
        json!({"exp": "soon"}),
        json!({"exp": NOW + 90_000}),
        json!({"exp": null}),
        json!({"nbf": NOW + 61}),
        json!({"iat": "now"}),
        json!({"iss": "https://other"}),
        json!({"iss": "https://stranger"}),
        json!({"iss": 1}),
        json!({"sub": "a\nb"}),
    ]);
    let minted = (header, change.clone(), change).prop_map(move |(header, one, two)| {
        let mut claims = base.clone();
        merge(&mut claims, &one);
        merge(&mut claims, &two);
        let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
        format!("{}.{}.{}", part(&header), part(&claims), base64url::encode(&[7; 64]))
    });
    prop_oneof![8 => minted, 1 => select(vec!["x.y.z", "abc", "e30.e30.", "a b", ""]).prop_map(String::from)]
}

fn question() -> impl Strategy<Value = Question> {
    let request = (
        select(vec!["GET", "POST", "OPTIONS"]),
        select(vec!["api.example.com", "API.example.com:443", "example.org", "u@api.example.com"]),
        select(vec![
            "/",
            "/a",
            "/a/b",
            "/a//b",
            "/a/../b",
            "/b",
            "/c:d",
            "/c%3Ad",
            "/c%3ad?token=x",
            "/%61/b",
            "/a;x/b",
            "*",
            "/a/b?token=a.b.c",
            "/.well-known/oauth-protected-resource",
        ]),
    );
    let places = subsequence(
        vec!["authorization", "x-token", "cookie", "twice", "x-tenant", "preflight", "accept", "elsewhere"],
        0..3,
    );
    let place = select(vec!["none", "first", "first", "first", "first", "cookie", "session"]);
    (configuration(), request, places, place, (token(), session()), any::<bool>()).prop_map(
        |(config, (method, host, path), lines, place, (token, session), trusts)| {
            let mut headers: Vec<(String, String)> = Vec::new();
            let mut add = |name: &str, value: &str| headers.push((name.to_string(), value.to_string()));
            for line in lines {
                match line {
                    "authorization" => add("authorization", "Basic eDp5"),
                    "x-token" => add("x-token", ""),
                    "cookie" => add("cookie", "session=; a=b"),
                    "twice" => add("authorization", "Bearer a.b.c"),
                    "preflight" => {
                        add("origin", "https://a");
                        add("access-control-request-method", "GET");
                    }
                    "accept" => add("accept", "text/html"),
                    "elsewhere" => add("sec-fetch-site", "cross-site"),
                    name => add(name, "acme"),
                }
            }
            if place == "cookie" {
                add("cookie", &format!("session={token}"));
            }
            let question = json!({
                "configuration": config.to_string(), "request": format!("{method} https://{host}{path}"),
                "headers": headers, "token": (place == "first").then_some(token), "trustSignature": trusts, "now": NOW,
                "session": (place == "session" && !config["login"].is_null()).then(|| session.to_string()),
            });
            serde_json::from_value(question).expect("is a question")
        },
    )
}

/// The reasons that a check can give.
fn reasons(check: &str) -> &'static [&'static str] {
    match check {
        "size" => &["token_too_large"],
        "form" => &["malformed_token"],
        "algorithm" | "extensions" | "allowedAlgorithm" => &["unsupported_algorithm"],
        "issuer" => &["unknown_issuer", "bad_claim"],
        "key" => &["unknown_key", "unsupported_algorithm"],
        "signature" => &["bad_signature"],
        "type" => &["wrong_type"],
        "expiry" => &["expired", "bad_claim"],
        "start" => &["not_yet_valid", "bad_claim"],
        "lifetime" => &["lifetime_too_long", "bad_claim"],
        "audience" => &["wrong_audience", "bad_claim"],
        "scopes" | "groups" => &["bad_claim"],
        _ => &[],
    }
}

/// The reason to which the steps lead, where nothing else is known; none where they lead to none.
fn conclusion(explanation: &Explanation) -> Option<String> {
    if let Some(reason) = explanation.path.reason {
        return Some(reason.to_string());
    }
    if explanation.login.is_some() {
        return Some(String::from("login_redirect"));
    }
    let access = explanation.access.as_ref()?;
    match (access.asks, &access.rule) {
        ("deny", Some(_)) => return Some(String::from("denied_by_rule")),
        ("deny", None) => return Some(String::from("no_rule")),
        ("public", _) => return None,
        _ => {}
    }
    let credential = explanation.credential.as_ref().and_then(|credential| credential.reason.clone());
    let token = || explanation.token.as_ref()?.reason.clone();
    let unmet = || access.requirement.as_ref().is_some_and(|asked| asked.met == Some(false));
    let session = || explanation.session.as_ref()?.reason.clone();
    credential.or_else(token).or_else(session).or_else(|| unmet().then(|| String::from("unmet")))
}

fn check(explanation: &Explanation, config: &Value) -> Result<(), TestCaseError> {
    let decision = &explanation.decision;
    let matching: Vec<_> = explanation.rules.iter().filter(|rule| rule.matches).map(|rule| rule.rule.clone()).collect();
    let is_shadowed = explanation.path.problem.is_some();
    for rule in &explanation.rules {
        prop_assert_eq!(rule.matches, rule.mismatches.is_empty());
    }
    if !is_shadowed {
        prop_assert!(matching.len() <= 1);
        prop_assert_eq!(decision.rule.clone(), matching.first().cloned());
        if matching.is_empty() && explanation.access.is_some() {
            prop_assert_eq!(explanation.rules.len(), config["rules"].as_array().map_or(0, Vec::len));
        }
    }
    // A bad token in a cookie is as good as none.
    let is_sent = explanation.login.is_some();
    let is_deciding = !matches!(explanation.access.as_ref().map(|access| access.asks), Some("deny" | "public"));
    if let Some(token) = &explanation.token {
        let failed: Vec<_> = token.checks.iter().filter(|check| check.outcome == CheckOutcome::Failed).collect();
        let reason = decision.reason.as_deref().unwrap_or_default();
        prop_assert!(failed.len() <= 1);
        match failed.first() {
            Some(check) if is_deciding && !is_shadowed && !is_sent && decision.outcome != "undecided" => {
                prop_assert!(reasons(check.check).contains(&reason), "{} {reason}", check.check);
            }
            _ => {}
        }
        let verified = token
            .checks
            .iter()
            .all(|check| matches!(check.outcome, CheckOutcome::Passed | CheckOutcome::Trusted | CheckOutcome::Unknown));
        // Audit mode forwards a request whatever its signature is.
        let passes_unverified = token.keys == Some("unknown") && decision.upstream.is_some();
        prop_assert!(verified || !failed.is_empty() || decision.outcome == "undecided" || passes_unverified);
    }
    if decision.outcome == "undecided" {
        let unknown = explanation.token.as_ref().is_some_and(|token| token.keys == Some("unknown"));
        prop_assert!(unknown && !explanation.notes.is_empty());
        return Ok(());
    }
    let status = decision.answer.as_ref().map(|answer| answer.status);
    prop_assert_eq!(status.is_some(), matches!(decision.outcome.as_str(), "denied" | "answered"));
    match (conclusion(explanation).as_deref(), decision.reason.as_deref()) {
        (Some("unmet"), Some(reason)) => prop_assert!(["access_denied", "insufficient_scope"].contains(&reason)),
        // Every step is fine, and an identity header cannot carry its value.
        (None, Some("unrepresentable_claim")) => {}
        (concluded, reason) => prop_assert_eq!(concluded, reason),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_steps_lead_to_the_decision(question in question()) {
        // Rules that no request reaches are mistakes: such configurations are no matter of this.
        let Ok(explanation) = explain(&question) else { return Err(TestCaseError::reject("no configuration")) };
        let config = serde_json::from_str(&question.configuration).expect("is JSON");
        check(&explanation, &config)?;
    }
}

#[test]
fn every_check_fails_somewhere() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut failed = std::collections::BTreeSet::new();
    let mut outcomes = std::collections::BTreeSet::new();
    for _ in 0..6000 {
        let question = question().new_tree(&mut runner).expect("is made").current();
        let Ok(explanation) = explain(&question) else { continue };
        outcomes.insert(explanation.decision.outcome);
        let checks = explanation.token.into_iter().flat_map(|token| token.checks);
        failed.extend(checks.filter(|check| check.outcome == CheckOutcome::Failed).map(|check| check.check));
    }
    assert_eq!(failed.len(), 15, "{failed:?}");
    let all = ["allowed", "answered", "audited", "denied", "undecided"];
    assert_eq!(outcomes.iter().map(String::as_str).collect::<Vec<_>>(), all);
}
