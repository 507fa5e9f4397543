//! `jotgate explain` and the plugin in a real Envoy say the same of every request.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use inspect::explain::{Explanation, Question, explain};
use real_envoy::http::{Request, Response};
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use test_support::random::Random;
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

use crate::requests::{Sent, token};

const SEED: u64 = 20_270_115;
const REQUESTS: usize = 600;

/// The headers that tell who is calling, and those that hold credentials.
const TELLING: [&str; 9] = [
    "x-auth-request-user",
    "x-auth-request-email",
    "x-auth-request-groups",
    "x-auth-request-scopes",
    "x-auth-request-rule",
    "x-auth-request-forged",
    "authorization",
    "x-token",
    "cookie",
];

/// What became of a request, as clients, upstreams and operators see it.
#[derive(Debug, Eq, PartialEq)]
struct Told {
    status: u16,
    challenge: Option<String>,
    reason: Option<String>,
    rule: Option<String>,
    subject: Option<String>,
    upstream: BTreeMap<String, Vec<String>>,
}

/// The configurations: a listener for each.
fn configurations(issuer: &str, url: &str) -> Vec<(&'static str, Value)> {
    let base = json!({
        "issuers": [{
            "name": "main", "issuer": issuer, "audiences": ["demo"], "maxLifetime": "1h",
            "groupScopes": {"admin": ["ops"]},
            "keys": {"jwksUri": format!("{url}/jwks"), "cluster": "issuer"},
        }],
        "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-token"}, {"cookie": "session"}, {"query": "token"}],
        "rules": [
            {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
            {"name": "closed", "match": {"paths": ["/closed", "/c:d"]}, "access": "deny"},
            {"name": "tenant", "match": {"hosts": ["*.example.com"], "headers": {"x-tenant": "acme"}}, "access": {"groups": {"any": ["ops"]}}},
            {"name": "write", "match": {"methods": ["POST", "PUT"], "paths": ["/api/**"]}, "access": {"scopes": {"all": ["write"]}}},
            {"name": "admin", "match": {"paths": [{"regex": "/api/admin.*"}]}, "access": {"anyOf": [{"scopes": {"all": ["admin"]}}, {"claims": {"email": {"domain": ["example.com"]}}}]}},
            {"name": "api", "match": {"paths": ["/api/**"]}, "access": "authenticated", "forwardToken": true},
            {"name": "home", "match": {"paths": ["/", "/home/{id}"]}, "access": "optional"},
        ],
        "identityHeaders": {
            "X-Auth-Request-User": "sub", "X-Auth-Request-Email": "$verifiedEmail", "X-Auth-Request-Groups": "$groups",
            "X-Auth-Request-Scopes": "$scopes", "X-Auth-Request-Rule": "$rule",
        },
    });
    let with = |changes: Value| {
        let mut config = base.clone();
        for (name, value) in changes.as_object().expect("is an object") {
            config[name] = value.clone();
        }
        config
    };
    vec![
        ("gateway", base.clone()),
        ("audit", with(json!({"mode": "audit"}))),
        ("lenient", with(json!({"paths": "lenient", "credentialConflict": "first", "default": "authenticated"}))),
        ("hierarchical", with(json!({"scopeMatch": "hierarchical", "forwardToken": true, "default": "optional"}))),
    ]
}

#[test]
fn the_explanation_is_what_envoy_does() {
    let options = Options { algorithms: vec![Algorithm::ES256, Algorithm::RS256], ..Options::default() };
    let issuer = Issuer::start(options).expect("starts");
    let upstream = Upstream::start(0).expect("starts");
    let configurations = configurations(issuer.issuer(), &issuer.url());
    let mut bootstrap = Bootstrap::new(upstream.address()).cluster("issuer", issuer.address());
    for (name, config) in &configurations {
        bootstrap = match *name {
            "gateway" => bootstrap.plugin(&config.to_string()),
            name => bootstrap.gateway(name, &config.to_string()),
        };
    }
    let envoy = Envoy::builder(&bootstrap.text()).concurrency(1).start().unwrap_or_else(|error| panic!("{error}"));
    // A refusal in audit mode does not wait for keys to tell who the caller is: the one worker has them from here on.
    let good = issuer.token(&TokenRequest::subject("alice")).expect("is minted");
    for (listener, _) in &configurations {
        let first = Request::get("/api/first").bearer(&good);
        assert_eq!(first.send(envoy.address(listener)).expect("is answered").status, 200, "{listener}");
    }

    let mut random = Random::new(SEED);
    let mut expected = Vec::new();
    for number in 0..REQUESTS {
        let (listener, config) = random.pick(&configurations.iter().collect::<Vec<_>>());
        let token = token(&mut random, &issuer);
        let sent = Sent::any(&mut random, token.as_deref(), number);
        let response = sent.request().send(envoy.address(listener)).expect("is answered");
        let explanation = explain(&question(config, &sent, &issuer)).unwrap_or_else(|error| panic!("{error:?}"));
        expected.push((*listener, sent, explanation, response));
    }
    let log = envoy.access_log(REQUESTS + configurations.len());
    let by_number: BTreeMap<_, _> =
        log.iter().filter_map(|entry| Some((requests::number(entry["path"].as_str()?)?, entry))).collect();
    let (mut reasons, mut rules) = (BTreeSet::new(), BTreeSet::new());
    let mut differences = Vec::new();
    for (number, (listener, sent, explanation, response)) in expected.iter().enumerate() {
        let entry = by_number.get(&number).unwrap_or_else(|| panic!("{number} is not in the access log"));
        let (found, told) = (observed(response, entry), explained(explanation, sent));
        reasons.insert(told.reason.clone());
        rules.insert(told.rule.clone());
        if found != told {
            differences.push(format!("{listener}: {sent:?}\n  Envoy:     {found:?}\n  explained: {told:?}"));
        }
    }
    assert!(differences.is_empty(), "{} of {REQUESTS} differ\n{}", differences.len(), differences.join("\n"));
    assert!(reasons.len() >= 15 && rules.len() == 8, "too few cases: {reasons:?} {rules:?}");
}

fn question(config: &Value, sent: &Sent, issuer: &Issuer) -> Question {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("is later").as_secs();
    let question = json!({
        "configuration": config.to_string(), "request": format!("{} https://{}{}", sent.method, sent.host, sent.path),
        "headers": sent.headers, "keys": issuer.key_set().to_string(), "now": now,
    });
    serde_json::from_value(question).expect("is a question")
}

/// What Envoy did.
fn observed(response: &Response, entry: &Value) -> Told {
    let passed = response.json().get("headers").is_some();
    let text = |name: &str| entry[name].as_str().map(String::from);
    Told {
        status: response.status,
        challenge: response.header("www-authenticate"),
        reason: text("reason"),
        rule: text("rule"),
        subject: text("subject"),
        upstream: if passed {
            TELLING.map(|name| (name.to_string(), response.seen(name))).into()
        } else {
            BTreeMap::new()
        },
    }
}

/// What the explanation says.
fn explained(explanation: &Explanation, sent: &Sent) -> Told {
    let decision = &explanation.decision;
    let answer = decision.answer.as_ref();
    let lines = |name: &str| {
        let upstream = decision.upstream.as_ref().expect("passes");
        let added = upstream.set.iter().filter(|(found, _)| found == name);
        let kept = sent.headers.iter().filter(|(found, _)| found == name && !upstream.removed.contains(found));
        (name.to_string(), kept.chain(added).map(|(_, value)| value.clone()).collect())
    };
    Told {
        status: answer.map_or(200, |answer| answer.status),
        challenge: answer.and_then(|answer| answer.headers.get("www-authenticate").cloned()),
        reason: decision.reason.clone(),
        rule: decision.rule.clone(),
        subject: decision.subject.clone(),
        upstream: if answer.is_none() { TELLING.map(lines).into() } else { BTreeMap::new() },
    }
}
