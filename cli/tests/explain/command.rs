//! The command: its pages, its options, its status.

use std::path::PathBuf;

use clap::Parser as _;
use cli::arguments::Arguments;
use jose::base64url;
use serde_json::{Value, json};

const GATE: &str = "tests/cases/gate.yaml";
const AT: &str = "2027-01-15T08:00:00Z";

pub(crate) fn explain(arguments: &[&str]) -> (String, u8) {
    explain_at(AT, arguments)
}

pub(crate) fn explain_at(at: &str, arguments: &[&str]) -> (String, u8) {
    let arguments = [&["jotgate", "explain", "--at", at], arguments].concat();
    let (text, status) = match cli::run(&Arguments::try_parse_from(arguments).expect("is a command line")) {
        Ok(outcome) => (outcome.output, outcome.status),
        Err(error) => (error.0, 2),
    };
    (anstream::adapter::strip_str(&text).to_string(), status)
}

/// A token that nobody signed.
fn token(claims: &Value) -> String {
    let mut all = json!({
        "iss": "https://idp.example.com", "aud": "api", "sub": "alice", "iat": 1_800_000_000, "exp": 1_800_000_300,
    });
    for (name, value) in claims.as_object().expect("is an object") {
        all[name] = value.clone();
    }
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({"alg": "RS256", "kid": "k1", "typ": "at+jwt"})), part(&all))
}

#[test]
fn nothing_is_explained_of_a_configuration_that_readers_of_yaml_read_differently() {
    let text = "issuers:\n- {name: a, issuer: \"https://a\", audiences: [api], keys: {jwksUri: \"https://a/jwks\", cluster: a}}\n\
                rules: [{name: all, access: {claims: {beta: on}}}]\n";
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("differs.yaml");
    std::fs::write(&file, text).expect("can be written");
    let (text, status) = explain(&[file.to_str().expect("is text"), "--request", "GET /"]);
    assert!(status == 2 && text.contains("`on` is text to some readers of YAML"), "{status}: {text}");
    std::fs::remove_file(&file).expect("can be removed");
}

#[test]
fn what_is_no_token_is_named() {
    let page = |header: &str| {
        explain(&["tests/explain/page.yaml", "--request", "GET https://api.example.com/x", "--header", header]).0
    };
    for (header, found) in [
        ("authorization: Bearer a.b.c.d.e", "encrypted token (JWE)"),
        ("authorization: Bearer null", "null or undefined"),
        ("authorization: Bearer Bearer a.b.c", "the authentication scheme is there twice"),
        ("authorization: a.b.c", "no authentication scheme before it"),
    ] {
        let text = page(header);
        assert!(text.matches(found).count() >= 2, "{header}: {text}");
    }
}

#[test]
fn pages_explain_ambiguous_requests() {
    let long = format!("GET /{}", "a".repeat(8192));
    let pages: Vec<_> = [
        &["--request", "delete https://api.example.com/orders/7"][..],
        &["--request", "GET https://admin.example.com.:443/"],
        &["--request", "GET https://admin.example.com:8443/"],
        &["--request", "GET https://ADMIN.example.com:443/"],
        &["--request", "GET https://api.example.com/", "--header", "X-Tenant: Acme"],
        &["--request", "GET https://api.example.com/", "--header", "X-Tenant: other", "--header", "X-Tenant: acme"],
        &["--request", "GET https://api.example.com/static/secret.json%3F.css"],
        &["--request", "GET https://api.example.com/jobs/1%3Adelete"],
        &["--request", "GET https://api.example.com/%6a%c3%a9?q", "--header", "X-Original-URL: /n1"],
        &["--request", "GET https://api.example.com/j%E9"],
        &["--request", "GET https://api.example.com/{x}"],
        &["--request", &long],
    ]
    .into_iter()
    .map(|arguments| {
        let (text, status) = explain(&[arguments, &["tests/explain/dimensions.yaml"]].concat());
        format!("status {status}\n{text}").replace(&"a".repeat(8192), "aaa…")
    })
    .collect();
    insta::assert_snapshot!(pages.join("\n----\n"));
}

#[test]
fn notes_list_what_of_a_token_is_dropped() {
    let claims = json!({
        "groups": ["partner-ops", "admins"], "scope": "orders:write partner:read", "email": "alice@example.com",
    });
    let notes = |changes: &Value| {
        let mut claims = claims.clone();
        for (name, value) in changes.as_object().expect("is an object") {
            claims[name] = value.clone();
        }
        let (text, _) = explain(&[
            "--request",
            "GET /",
            "--token",
            &token(&claims),
            "--trust-signature",
            "tests/explain/grants.yaml",
        ]);
        let notes: Vec<_> = text.lines().filter(|line| line.starts_with("note: ")).map(str::to_string).collect();
        format!("{changes}\n{}", notes.join("\n"))
    };
    let all: Vec<_> = [
        json!({}),
        json!({"email_verified": false}),
        json!({"email_verified": "true", "groups": ["partner-ops"], "scope": ""}),
        json!({"email": null, "groups": ["ops"], "scope": "partner:read"}),
    ]
    .iter()
    .map(notes)
    .collect();
    insta::assert_snapshot!(all.join("\n\n"));
}

/// The last parts of a page: what is required, what was decided, and the notes.
fn from_access(arguments: &[&str]) -> String {
    let (text, status) = explain(arguments);
    let end: Vec<_> = text.lines().skip_while(|line| !line.starts_with("access (")).collect();
    format!("status {status}\n{}", end.join("\n"))
}

#[test]
fn what_is_undecided_is_told_with_the_reason() {
    let claims = json!({
        "aud": ["api", "api.example.com"], "tenants": ["acme"], "kubernetes.io": {"namespace": "default"},
        "https://shop.example.com/roles": ["admin"], "wlcg.groups": ["/team/a"], "realm_access": {"roles": "admin"},
        "role": ["admin"], "object": {}, "level": 3, "email": "a@example.com@example.org", "nested": [{"a": 1}, "b"],
    });
    let token = token(&claims);
    let pages: Vec<_> = [
        &["--request", "GET https://api.example.com/users/alice/x", "--header", "X-Tenant: acme"][..],
        &["--request", "GET https://api.example.com:8443/users/bob%40x/x"],
        &["--request", "GET /names"],
        &["--request", "GET /kinds"],
    ]
    .into_iter()
    .map(|arguments| {
        from_access(&[arguments, &["--token", &token, "--trust-signature", "tests/explain/undecided.yaml"]].concat())
    })
    .collect();
    insta::assert_snapshot!(pages.join("\n----\n"));
}

#[test]
fn without_keys_audit_mode_is_told_as_the_proxy_decides() {
    let (good, expired) = (token(&json!({"groups": ["ops"]})), token(&json!({"exp": 1_799_990_000})));
    let pages: Vec<_> = [("/closed", &good), ("/strict", &good), ("/ops", &good), ("/ops", &expired), ("//x", &good)]
        .into_iter()
        .map(|(path, token)| {
            let request = format!("GET {path}");
            let page = from_access(&["--request", &request, "--token", token, "tests/explain/audit.yaml"]);
            let page = if page.contains("access (") {
                page
            } else {
                explain(&["--request", &request, "--token", token, "tests/explain/audit.yaml"]).0
            };
            format!("{path}\n{page}")
        })
        .collect();
    insta::assert_snapshot!(pages.join("\n----\n"));
}

#[test]
fn pages_explain_each_step() {
    let reader = token(&json!({"scope": "orders:read"}));
    let expired = token(&json!({"exp": 1_799_990_000}));
    let operator = token(&json!({"groups": ["ops"]}));
    let cookie = format!("Cookie: session={operator}");
    let pages: Vec<_> = [
        &["--request", "GET /healthz"][..],
        &["--request", "GET /orders/7"],
        &["--request", "POST /orders/7", "--token", &reader, "--trust-signature"],
        &["--request", "POST /orders/7", "--token", &reader],
        &["--request", "POST /orders/7", "--token", &expired, "--trust-signature"],
        &["--request", "POST /orders/7", "--header", &cookie, "--header", "X-User: mallory", "--trust-signature"],
        &["--request", "GET https://other.example.com/elsewhere"],
        &["--request", "GET /a/../b"],
        &["--request", "GET /orders/7", "--token", "nonsense"],
    ]
    .into_iter()
    .map(|arguments| {
        let (text, status) = explain(&[arguments, &[GATE]].concat());
        format!("status {status}\n{text}")
    })
    .collect();
    insta::assert_snapshot!(pages.join("\n----\n"));
}

#[test]
fn programs_get_the_same() {
    let reader = token(&json!({"scope": "orders:read"}));
    let (text, status) =
        explain(&["--json", "--request", "POST /orders/7", "--token", &reader, "--trust-signature", GATE]);
    assert_eq!(status, 1);
    insta::assert_snapshot!(text);
}

#[test]
fn a_signature_is_checked_with_the_keys_that_are_given() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("explain-keys.json");
    std::fs::write(&path, include_str!("../../../inspect/src/stand_in_keys/keys.json").replace("jotgate-test", "k1"))
        .expect("is written");
    let keys = path.to_str().expect("is text");
    let asked = ["--json", "--request", "GET /orders/7", "--token", &token(&json!({})), "--keys", keys, GATE];
    let (text, status) = explain(&asked);
    let told: Value = serde_json::from_str(&text).expect(&text);
    assert_eq!((status, &told["decision"]["reason"]), (1, &json!("bad_signature")), "{text}");
    assert_eq!(told["token"]["keys"], json!("given"));
    std::fs::write(&path, "{}").expect("is written");
    let (text, status) = explain(&asked);
    assert!(status == 2 && text.contains("no usable key set"), "{text}");
    let _ = std::fs::remove_file(path);
}

#[test]
fn what_cannot_be_explained_is_reported() {
    for (arguments, expected) in [
        (&["--request", "GET", GATE][..], "--request: expected a method and a path or URL"),
        (&["--request", "GET /", "--header", "none", GATE], "--header: expected a name and a value"),
        (&["--request", "GET /", "--token", "@nowhere", GATE], "cannot read nowhere"),
        (&["--request", "GET /", "tests/check/cases/crlf.yaml"], "expected `audit` or `enforce`, found `watch`"),
        (&["--request", "GET /", "--configuration", "x", GATE], "there is no configuration called `x`"),
    ] {
        let (text, status) = explain(arguments);
        assert!(status == 2 && text.contains(expected), "{text}");
    }
}

#[test]
fn the_example_of_the_documentation_holds() {
    let page = std::fs::read_to_string("../docs/command-line.md").expect("is there");
    let block = page.split("```console\n$ jotgate explain jotgate.yaml ").nth(1).expect("shows an example");
    let (asked, shown) = block.split("\n```").next().expect("ends").split_once('\n').expect("has a line and an answer");
    assert_eq!(asked, format!("--request 'POST /orders/7' --token @token.txt --trust-signature --at {AT}"));
    let token = token(&json!({"scope": "orders:read"}));
    let asked = ["--request", "POST /orders/7", "--token", &token, "--trust-signature", "tests/explain/page.yaml"];
    assert_eq!(shown, explain(&asked).0.trim_end());
}

#[test]
fn checks_show_what_the_kind_of_an_issuer_asks_for() {
    let tenant = |tid: &str| json!({"iss": "https://login.example.com/t1/v2.0", "tid": tid});
    let cognito = |changes: Value| {
        let mut claims = json!({"iss": "https://cognito.example.com", "aud": null, "act": {"client_id": "app"}});
        for (name, value) in changes.as_object().expect("is an object") {
            claims[name] = value.clone();
        }
        claims
    };
    let pages: Vec<_> = [
        ("/", tenant("t1")),
        ("/", tenant("t2")),
        ("/", json!({"iss": "https://login.example.com/t3/v2.0", "tid": "t3"})),
        ("/", json!({"iss": null, "sub": "spiffe://example.org/web"})),
        ("/", json!({"iss": null, "sub": "spiffe://example.org//web"})),
        ("/", cognito(json!({"isMemberOf": [{"name": "ops"}]}))),
        ("/", cognito(json!({"isMemberOf": ["ops"]}))),
        ("/ops", cognito(json!({"isMemberOf": ["ops"]}))),
        ("/", cognito(json!({"act": null}))),
    ]
    .into_iter()
    .map(|(path, claims)| {
        let request = format!("GET {path}");
        let (text, _) = explain(&[
            "--request",
            &request,
            "--token",
            &token(&claims),
            "--trust-signature",
            "tests/explain/issuers.yaml",
        ]);
        let marks = ["✓", "✗", "denied", "allowed"];
        let lines: Vec<_> =
            text.lines().filter(|line| marks.iter().any(|mark| line.trim_start().starts_with(mark))).collect();
        format!("{path} {claims}\n{}", lines.join("\n"))
    })
    .collect();
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[test]
fn pages_say_what_a_token_is_bound_to_and_what_its_sender_lacks() {
    let digest = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
    let page = |cnf: Value, more: &[&str]| {
        let token = token(&json!({"cnf": cnf}));
        let arguments = ["tests/explain/page.yaml", "--request", "GET https://api.example.com/x", "--token", &token];
        explain(&[&arguments[..], &["--trust-signature"], more].concat()).0
    };
    let hexadecimal = "0380ed2f626650c840b2f263e6d2b29fae12ab39ae5db32b25ad27efad72e6fd";
    let certified = json!({"x5t#S256": digest});
    let sender = |(cnf, more): (Value, &[&str])| {
        let text = page(cnf.clone(), more);
        let (_, rest) = text.split_once("\nsender\n").expect("is there");
        let step = rest.split("\n\n").next().unwrap_or_default();
        let notes = text.lines().filter(|line| line.starts_with("note: the token is bound"));
        format!("{cnf} {}\n{step}\n{}", more.join(" "), notes.collect::<Vec<_>>().join("\n"))
    };
    let senders = [
        (certified.clone(), &["--certificate", hexadecimal][..]),
        (certified, &[]),
        (json!({"jkt": digest}), &[]),
        (json!({"jkt": digest}), &["--proof", "a.b.c"]),
        (json!({"kid": "a"}), &[]),
    ];
    insta::assert_snapshot!(senders.map(sender).join("\n\n"));
}
