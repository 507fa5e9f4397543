//! Tokens that the gate signs: three libraries verify them with the keys that it serves.

use std::time::SystemTime;

use real_envoy::http::Request;
use serde_json::{Value, json};
use test_support::{providers, verifiers};
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::verify::verified_claims;

use crate::shared::KEYS;
use crate::world::{World, issuer};

const ISSUER: &str = "https://gate.example.com";
const KEY_SET: &str = "/.well-known/jwks.json";

fn start(first: Algorithm) -> (Issuer, World) {
    let main = Issuer::start(Options { algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap();
    let other = if first == Algorithm::ES256 { Algorithm::EdDSA } else { Algorithm::ES256 };
    let config = json!({
        "issuers": [issuer("main", main.issuer(), "main", "demo")],
        "upstreamCredentials": [{
            "name": "internal",
            "token": {
                "issuer": ISSUER, "audience": "orders", "lifetime": "5m",
                "keys": [{"env": first.name()}, {"env": other.name(), "use": "publish"}],
                "claims": ["sub", "email", {"name": "scope", "from": "$scopes"}, {"name": "org", "value": "acme"}],
                "jwks": KEY_SET,
            },
        }],
        "upstream": "internal",
        "rules": [
            {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
            {"name": "rest", "access": "authenticated"},
        ],
    });
    let world = World::start(|_| config, &[("main", main.address())]);
    (main, world)
}

#[test]
fn three_libraries_verify_it_with_the_served_keys() {
    if !providers::are_installed() {
        return;
    }
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let (main, world) = start(algorithm);
        let claims = json!({"email": "alice@example.com", "jti": "the-callers-own"});
        let request = TokenRequest {
            scope: Some("read write".into()),
            claims: claims.as_object().cloned().unwrap(),
            ..TokenRequest::subject("alice")
        };
        let own = main.token(&request).unwrap();
        let response = world.send(&Request::get("/orders").bearer(&own).header("x-other", "stays"));
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let authorization = response.seen("authorization");
        assert_eq!((response.status, authorization.len()), (200, 1), "{}", response.text());
        let token = authorization[0].strip_prefix("Bearer ").unwrap();
        let key_set = world.url(KEY_SET);
        let served = world.send(&Request::get(KEY_SET));
        assert_eq!(served.header("cache-control").as_deref(), Some("public, max-age=300"));
        let verdicts: [Result<Value, String>; 3] = [
            verified_claims(token, &served.json()).map(Value::Object),
            verifiers::pyjwt(token, &key_set, ISSUER, "orders"),
            verifiers::jose(token, &key_set, ISSUER, "orders"),
        ];
        for verdict in verdicts {
            let said = verdict.unwrap_or_else(|error| panic!("{algorithm}: {error}"));
            let expected = json!(["alice", "alice@example.com", "read write", "acme", "the-callers-own"]);
            let found = json!([said["sub"], said["email"], said["scope"], said["org"], said["act"]["jti"]]);
            assert_eq!(found, expected, "{said}");
            assert_eq!(said["act"]["iss"], main.issuer());
            assert!(said["exp"].as_u64().unwrap().abs_diff(now + 300) < 10, "{said}");
            assert_ne!(said["jti"], "the-callers-own");
        }
        // Both keys are there, and no private part of them.
        let keys = served.json()["keys"].as_array().cloned().unwrap();
        assert_eq!(keys.len(), 2);
        for key in KEYS.iter() {
            let published = key.public_jwk();
            assert!(keys.iter().any(|served| served["x"] == published["x"]), "{keys:?}");
        }
        assert!(keys.iter().all(|key| key.get("d").is_none()));
        // Where nothing was granted to a caller, there is none; nor is the one that a client has made up.
        let forged = world.send(&Request::get("/public/a").header("authorization", format!("Bearer {token}")));
        assert_ne!(forged.seen("authorization"), authorization);
        let secrets = [("signed token", token.to_owned()), ("caller's token", own)];
        world.assert_silent(secrets.map(|(name, value)| (name.to_owned(), value)), &[], &[&served]);
    }
}
