//! What is reported about configurations.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

#[cfg(not(target_family = "wasm"))]
use crate::support::ISSUER;
use crate::support::{Key, inline, policy};
use gate::Policy;

pub(crate) fn errors(config: &Value) -> String {
    text_errors(config.to_string().as_bytes())
}

fn text_errors(config: &[u8]) -> String {
    match Policy::parse(config, &|name| (name == "KEYS").then(|| String::from("{}"))) {
        Ok(_) => String::from("no errors"),
        Err(errors) => errors.to_string(),
    }
}

#[cfg(not(target_family = "wasm"))]
fn issuer(keys: &Value) -> Value {
    json!({"issuers": [{"name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": keys}]})
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn all_errors_are_reported_at_once_each_with_its_path() {
    let config = json!({
        "issuers": [
            {"name": "Main", "issuer": "", "audiences": "orders", "algorithms": ["RS256", "none", "PS256"], "tokenTypes": [],
             "clockSkew": "1 minute", "maxLifetime": 60, "keys": {"jwksUri": "idp/jwks", "cluster": "", "timeout": "10ms", "share": 1}, "extra": 1},
            {"issuer": "x", "audiences": [], "keys": {"jwksUri": "https://u@h/", "discovery": {}}},
            {"name": "c", "issuer": "y", "audiences": [1], "keys": {}, "scopeClaims": ["a..b"], "groupScopes": {"a b": ["x"], "c": []}},
        ],
        "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}, {}, {"header": "cookie"}],
        "credentialConflict": "last",
        "forwardToken": "no",
        "rules": [
            {"name": "a", "match": {"paths": ["x", "/a/../b", {"regex": "/v[0-9]"}, {"regex": "/(v|w"}, {"regex": 1, "flags": "i"}, {}, 7], "hosts": ["api.example.com:80"], "methods": ["get"], "headers": {}, "host": "x"}},
            {"name": "a", "access": "everyone"},
            {"access": {"scopes": {"all": ["read orders"]}, "groups": {"some": ["x"]}, "claims": {}, "issuers": ["nobody"], "audiences": {"all": ["x"]}}},
            {"access": {}, "mode": "audit"},
            {"access": "deny", "mode": "off", "challenge": "digest"},
            {"access": {"anyOf": [], "allOf": [{"scopes": {}}, "public"], "not": {}, "either": []}},
            {"access": {"claims": {"a..b": 1, "list": [1], "null": null, "far": 9_007_199_254_740_992_u64, "two": {"equals": 1, "exists": true}, "none": {},
             "gone": {"exists": false}, "domain": {"domain": ["@example.com", "*.example.com", ""]}, "like": {"matches": ""}, "deep": {"in": [{}]}, "odd": {"regex": "x"}}}},
            {"access": {"claims": [{"equals": 1}, {"claim": "a"}, {"claim": [], "all": []}, 7]}},
            {"access": {"claims": "sub"}},
            "public",
        ],
        "default": {"scopes": {"all": ["x"]}},
        "identityHeaders": {"Host": "sub", "X-User": "$name", "x_user": "sub", "X-B": {"firstOf": ["a"]}, "X-C": {"claim": "c", "join": ""}, "X D": "d", "X-E": 1, "X-F": {"firstOf": [], "join": ","}, "X-G": {"claim": "$token", "json": true}, "X-H": {"claim": "$rule", "join": "\n"}, "X-I": {}},
        "stripHeaders": ["X-*-User", "Content-*", "", "a b"],
        "mode": "watch", "accessLog": ["subject", "subject", "method"], "realm": "a\"b", "scopeMatch": "loose", "paths": "loose", "corsPreflight": true,
        "clientIp": {"trustedProxies": ["10.0.0.1/8", "10.0.0.0/33", "proxy", 10, "10.0.0.1", "::1"]},
        "resourceMetadata": [
            {"resource": "api.example.com"}, {"resource": "https://api.example.com/a?b"}, {"resource": "https://api.example.com/a/../b"},
            {"resource": "https://api.example.com/%61"}, {"resource": "https://a..b/"}, {"scopes": ["a b"], "authorizationServers": ["idp"], "bearer": 1},
            {"resource": "https://api.example.com/mcp"}, {"resource": "http://API.example.com:8080/mcp", "scopes": []},
        ],
        "limits": {"tokenBytes": 1.5, "keys": 0, "waitFor": "-1s", "tokenCacheBytes": -1, "wait": 1},
        "rule": [],
    });
    insta::assert_snapshot!(errors(&config));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn invalid_documents_are_distinguished() {
    let all: Vec<_> = [
        &b""[..],
        b" \n ",
        b"issuers:\n- name: main\n",
        b"[]",
        b"{",
        b"{\"issuers\":[],\"issuers\":[]}",
        b"{}",
        b"null",
        b"\x0a\xff\xff",
        b"\xff",
        b"\n  issuers: []",
    ]
    .into_iter()
    .map(|text| format!("{:?}: {}", String::from_utf8_lossy(text), text_errors(text)))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn keys_and_overlaps_are_checked() {
    let private = json!({"inline": {"keys": [{"kty": "EC", "crv": "P-256", "d": "AA"}]}});
    let mut twice = inline(&json!({}));
    let first = twice["issuers"][0].clone();
    twice["issuers"].as_array_mut().expect("is a list").push(first);
    let all: Vec<_> = [
        issuer(&private),
        issuer(&json!({"inline": {"keys": []}})),
        issuer(&json!({"inline": {"env": "UNSET"}})),
        issuer(&json!({"inline": {"env": "KEYS"}})),
        issuer(&json!({"discovery": {}, "cluster": "idp", "refreshAfter": "0s"})),
        issuer(&json!({"jwksUri": "https://h/", "cluster": "idp", "jwksCluster": "x"})),
        twice,
        inline(&json!({"credentials": [{"header": "x-auth-request-token"}]})),
        inline(&json!({"rules": [{"name": "1", "match": {"paths": ["/a"]}, "access": "public"}, {"access": "deny"}]})),
        inline(&json!({"rules": [{"name": "a\nb", "access": "public"}, {"match": {"hosts": ["[foo bar]"]}, "access": "deny"}]})),
        inline(&json!({"rules": [{"match": {"headers": {"X_Auth_Request_User": "x"}}, "access": "public"}]})),
    ]
    .iter()
    .map(errors)
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn discovery_starts_from_the_issuer_or_from_its_own_uri() {
    let odd_issuer = |name: &str, discovery: Value| json!({"issuers": [{"name": "main", "issuer": name, "audiences": ["api"], "keys": {"discovery": discovery, "cluster": "idp"}}]});
    let all: Vec<_> = [
        issuer(&json!({"discovery": {}, "cluster": "idp", "jwksCluster": "certs"})),
        issuer(&json!({"discovery": {"uri": "https://h/a", "internalUri": "http://i:8080/a"}, "cluster": "idp"})),
        issuer(&json!({"discovery": {}})),
        issuer(&json!({"discovery": true, "cluster": "idp", "jwksCluster": ""})),
        issuer(&json!({"discovery": {"uri": "h/a", "internalUri": 1, "url": "x"}, "cluster": "idp"})),
        issuer(&json!({"discovery": {}, "inline": {"keys": [Key::new("a").jwk()]}})),
        odd_issuer("accounts.example.com", json!({})),
        odd_issuer("accounts.example.com", json!({"uri": "https://accounts.example.com/"})),
        odd_issuer("accounts.example.com", json!({"internalUri": "http://accounts.internal/doc"})),
        odd_issuer("https://idp.example.com/?tenant=a", json!({})),
        odd_issuer("https://idp.example.com/#a", json!({})),
    ]
    .iter()
    .map(errors)
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn each_credential_has_its_own_location() {
    let all: Vec<_> = [
        json!([]),
        json!([{"scheme": "Bearer"}, {"header": "x-a", "cookie": "a"}, {"query": "a", "scheme": "Bearer"}, "header"]),
        json!([{"header": ""}, {"header": "x a"}, {"header": "x-a", "scheme": ""}, {"header": 1, "name": "x"}]),
        json!([{"cookie": "a", "scheme": "a b"}, {"cookie": ""}, {"cookie": "a b"}, {"cookie": "a;b"}, {"cookie": "a=b"}, {"cookie": "\u{e9}"}]),
        json!([{"query": ""}, {"query": "a=b"}, {"query": "a%62"}, {"query": "a[]"}, {"query": ["a"]}]),
        json!([{"basic": false}, {"basic": "true"}, {"basic": {}}]),
        json!([{"websocketProtocol": ""}, {"websocketProtocol": "a b"}, {"websocketProtocol": "a,b"}, {"websocketProtocol": ", "}]),
        json!([{"websocketProtocol": "a", "encoding": "base64"}, {"cookie": "a", "encoding": "base64url"}]),
        json!([{"header": "X-A"}, {"header": "x-a", "scheme": "Bearer"}, {"header": "x-a"}, {"header": "x_a"}]),
        json!([{"header": "x-a", "scheme": "Bearer"}, {"header": "X-A", "scheme": "BEARER"}]),
        json!([{"cookie": "a_b"}, {"cookie": "c"}, {"cookie": "a_b"}, {"cookie": "a.b"}]),
        json!([{"cookie": "a", "scheme": "Bearer"}, {"cookie": "a"}, {"cookie": "a", "scheme": "bearer"}]),
        json!([{"query": "a"}, {"query": "A"}]),
        json!([{"basic": true}, {"basic": true}, {"header": "Authorization", "scheme": "basic"}, {"header": "authorization"}]),
        json!([{"websocketProtocol": "a."}, {"websocketProtocol": "A.b"}, {"websocketProtocol": "a.c, "}, {"websocketProtocol": "a, "}, {"websocketProtocol": "A,"}, {"header": "sec-websocket-protocol"}, {"header": "Sec_WebSocket_Protocol"}]),
    ]
    .iter()
    .map(|locations| errors(&inline(&json!({"credentials": locations}))))
    .collect();
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn foreign_credentials_pass_only_where_no_token_is_needed() {
    let rule = |access: Value, foreign: Value| {
        errors(&inline(&json!({"rules": [{"access": access, "foreignCredentials": foreign}]})))
    };
    let all = [
        rule(json!("authenticated"), json!("forward")),
        rule(json!("deny"), json!("forward")),
        rule(json!({"scopes": {"all": ["a"]}}), json!("forward")),
        rule(json!("public"), json!(true)),
        rule(json!("optional"), json!("remove")),
        errors(&inline(&json!({"foreignCredentials": "forward"}))),
    ];
    insta::assert_snapshot!(all.join("\n"));
    for access in ["public", "optional"] {
        policy(&inline(&json!({"rules": [{"access": access, "foreignCredentials": "forward"}]})));
    }
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn no_header_with_a_credential_may_be_removed_or_set() {
    let covered = |location: Value, identity: Value, strip: Value| {
        errors(&inline(&json!({"credentials": [location], "identityHeaders": identity, "stripHeaders": strip})))
    };
    let all = [
        covered(json!({"basic": true}), json!({"Authorization": "sub"}), json!([])),
        covered(json!({"websocketProtocol": "a."}), json!({}), json!(["Sec-WebSocket-*"])),
        covered(json!({"cookie": "a"}), json!({"Cookie": "sub"}), json!([])),
        covered(json!({"cookie": "a"}), json!({}), json!(["coo*"])),
        covered(json!({"query": "a"}), json!({"Authorization": "sub"}), json!(["Sec-WebSocket-*"])),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn distinguishable_locations_may_stand_side_by_side() {
    let locations = json!([
        {"header": "authorization", "scheme": "Bearer"},
        {"header": "authorization", "scheme": "Token"},
        {"header": "x-api-token"},
        {"cookie": "session"},
        {"cookie": "__Host-session"},
        {"query": "access_token"},
        {"query": "session"},
        {"basic": true},
        {"websocketProtocol": "a."},
        {"websocketProtocol": "b."},
    ]);
    for conflict in ["refuse", "first"] {
        assert_eq!(errors(&inline(&json!({"credentials": locations, "credentialConflict": conflict}))), "no errors");
    }
}

#[test]
fn a_rule_that_an_earlier_one_hides_is_an_error() {
    let rules = |rules: Value| errors(&inline(&json!({"rules": rules})));
    let hidden = |one: Value, other: Value| {
        rules(json!([{"name": "first", "match": one, "access": "public"}, {"match": other, "access": "deny"}]))
    };
    let error = "rules[1]: unreachable: the rule `first` before it takes every request that it matches";
    for (one, other) in [
        (json!({}), json!({})),
        (json!({}), json!({"paths": ["/a"], "methods": ["GET"]})),
        (json!({"paths": ["/a/**", "/b"]}), json!({"paths": ["/b", "/a/x"]})),
        (json!({"methods": ["GET", "HEAD"]}), json!({"methods": ["GET"], "hosts": ["a.example.com"]})),
        (json!({"hosts": ["*.example.com"]}), json!({"hosts": ["a.example.com"]})),
        (json!({"headers": {"X-A": "1"}}), json!({"headers": {"x-a": "1", "x-b": "2"}})),
    ] {
        assert_eq!(hidden(one.clone(), other.clone()), error, "{one} {other}");
    }
    for (one, other) in [
        (json!({"paths": ["/a"]}), json!({})),
        (json!({"paths": ["/a"]}), json!({"paths": ["/a", "/b"]})),
        (json!({"methods": ["GET"]}), json!({"methods": ["GET", "HEAD"]})),
        (json!({"headers": {"x-a": "1"}}), json!({"headers": {"x-a": "2"}})),
        (json!({"methods": ["GET"], "paths": ["/**"]}), json!({"paths": ["/a"]})),
    ] {
        assert_eq!(hidden(one.clone(), other.clone()), "no errors", "{one} {other}");
    }
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn a_header_that_no_request_can_have_is_an_error() {
    let with = |headers: Value| {
        let rule = json!({"match": {"headers": headers}, "access": "deny"});
        errors(&inline(&json!({"rules": [rule]})))
    };
    insta::assert_snapshot!(
        [
            with(json!({"X-A": "1", "x-a": "2"})),
            with(json!({"Host": "admin.example.com"})),
            with(json!({"x-a": " 1"})),
            with(json!({"x-a": "1\n"})),
            with(json!({"x-a": 1, ":path": "/", "x a": "1"})),
            with(json!({"x-a": "1 2", "x_a": "1", "x-b": "", "x-c": "\u{e9}"})),
        ]
        .join("\n")
    );
}

#[test]
fn numbers_may_have_passed_through_doubles() {
    assert_eq!(
        text_errors(inline(&json!({"limits": {"keys": 60.0, "waiting": 1e3}})).to_string().as_bytes()),
        "no errors"
    );
    assert_ne!(
        text_errors(inline(&json!({"limits": {"keys": 9_007_199_254_740_993_u64}})).to_string().as_bytes()),
        "no errors"
    );
}

#[test]
fn a_struct_means_the_same_as_its_text() {
    use prost::Message as _;
    use prost_types::value::Kind;
    fn to_struct(value: &Value) -> prost_types::Value {
        let kind = match value {
            Value::Null => Kind::NullValue(0),
            Value::Bool(value) => Kind::BoolValue(*value),
            Value::Number(number) => Kind::NumberValue(number.as_f64().expect("is a double")),
            Value::String(text) => Kind::StringValue(text.clone()),
            Value::Array(values) => {
                Kind::ListValue(prost_types::ListValue { values: values.iter().map(to_struct).collect() })
            }
            Value::Object(members) => Kind::StructValue(prost_types::Struct {
                fields: members.iter().map(|(name, value)| (name.clone(), to_struct(value))).collect(),
            }),
        };
        prost_types::Value { kind: Some(kind) }
    }
    let encode = |value: &Value| match to_struct(value).kind {
        Some(Kind::StructValue(message)) => message.encode_to_vec(),
        _ => panic!("not an object"),
    };
    let good = inline(&json!({"limits": {"keys": 60}, "identityHeaders": {}, "stripHeaders": [], "rules": []}));
    assert_eq!(text_errors(&encode(&good)), "no errors");
    let bad = json!({"issuers": [{"name": true, "keys": {"inline": {"keys": [Key::new("a").jwk()]}}}], "limits": {"keys": 0.5}});
    assert_eq!(text_errors(&encode(&bad)), errors(&bad));
    // Whatever its first bytes happen to spell.
    for length in 1..300 {
        let padded = inline(&json!({"realm": "r".repeat(length)}));
        assert_eq!(text_errors(&encode(&padded)), "no errors", "{length}");
        assert_eq!(text_errors(format!("\n{padded}").as_bytes()), "no errors", "{length}");
    }
    for length in 0..encode(&good).len() {
        // Reported or accepted, where it ends between two members; never a panic.
        let _ = text_errors(&encode(&good)[..length]);
    }
}

#[test]
fn no_message_shows_the_value_of_a_header_for_keys() {
    for headers in [
        json!("authorization: Bearer s3cret"),
        json!(["authorization: Bearer s3cret"]),
        json!({"authorization": ["s3cret"]}),
        json!({"authorization": {"value": "s3cret"}}),
        json!({"authorization": " s3cret"}),
        json!({"author ization": "s3cret"}),
        json!({"x-a": {"env": "KEYS", "or": "s3cret"}}),
    ] {
        let mut config = super::support::fetched(&json!({}), &json!({}));
        config["issuers"][0]["keys"]["headers"] = headers.clone();
        let errors = errors(&config);
        assert!(errors.contains("keys.headers") && !errors.contains("s3cret"), "{headers}: {errors}");
    }
}
