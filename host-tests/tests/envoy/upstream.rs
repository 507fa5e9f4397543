//! Tokens that the gate signs: in a real Envoy, checked by libraries that upstreams use.

use std::sync::LazyLock;

use jose::base64url;
use jose::sign::SigningKey;
use real_envoy::http::{Request, Response};
use serde_json::{Value, json};
use test_support::{providers, verifiers};
use testbed::issuer::{Issuer, Options, TokenRequest};

use crate::world::{World, config, refused, verdict};

/// RFC 7515 A.3, in PKCS#8.
const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
-----END PRIVATE KEY-----
";
/// RFC 8037 A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ISSUER: &str = "https://gate.example.com";
const JWKS: &str = "/.well-known/jwks.json";

/// Two credentials: one for each algorithm, with one key set. In one Envoy for all: its keys are in the environment.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let token = |keys: Value, audience: &str| {
        json!({
            "issuer": ISSUER, "audience": audience, "keys": keys, "jwks": JWKS,
            "claims": [{"name": "scope", "from": "$scopes"}, {"name": "org", "value": "acme"}],
        })
    };
    let issuer = Issuer::start(Options::default()).unwrap();
    let config = config(
        &issuer,
        &json!({
            "upstreamCredentials": [
                {"name": "orders", "token": token(json!([{"env": "P256"}]), "orders")},
                {"name": "stock", "header": "X-Stock", "token": token(json!([{"env": "ED25519"}, {"env": "P256"}]), "stock")},
            ],
            "rules": [
                {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
                {"name": "both", "access": "authenticated", "upstream": ["orders", "stock"]},
            ],
        }),
    );
    let keys = json!({"key_values": {"P256": P256, "ED25519": ED25519}});
    World::start(issuer, |bootstrap| {
        bootstrap.plugin(&config.to_string()).plugin_option("vm_config/environment_variables", &keys)
    })
});

fn tokens(response: &Response) -> [String; 2] {
    let one = |name: &str| {
        let lines = response.seen(name);
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        lines[0].clone()
    };
    [one("authorization").strip_prefix("Bearer ").unwrap().to_string(), one("x-stock")]
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&base64url::decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap()).unwrap()
}

#[test]
fn libraries_of_upstreams_verify_tokens_with_the_served_keys() {
    if !providers::are_installed() {
        return;
    }
    let world = &*WORLD;
    let own = world.alice();
    let response = world.send(&Request::get("/x").bearer(&own));
    assert_eq!(verdict(&response), (200, String::new()));
    let url = format!("http://{}{JWKS}", world.envoy.address("gateway"));
    for (token, audience) in tokens(&response).iter().zip(["orders", "stock"]) {
        let wrong = if audience == "orders" { "stock" } else { "orders" };
        let mut forged = token.clone();
        forged.replace_range(10..11, if token.as_bytes()[10] == b'A' { "B" } else { "A" });
        for library in [verifiers::pyjwt, verifiers::jose] {
            let found = library(token, &url, ISSUER, audience).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(
                (&found["sub"], &found["scope"], &found["org"]),
                (&json!("alice"), &json!("read"), &json!("acme"))
            );
            assert_eq!(found["act"]["iss"], json!(world.issuer.issuer()));
            assert!(found["exp"].as_u64() <= claims(&own)["exp"].as_u64());
            assert!(library(token, &url, ISSUER, wrong).is_err());
            assert!(library(&forged, &url, ISSUER, audience).is_err());
        }
    }
}

#[test]
fn the_host_signs_where_it_can_and_wasm_otherwise() {
    let world = &*WORLD;
    let response = world.send(&Request::get("/x").bearer(&world.alice()));
    let by_module = |token: &str, key: &SigningKey| {
        let (input, signature) = token.rsplit_once('.').unwrap();
        // Both algorithms are deterministic in Wasm (RFC 6979, RFC 8032).
        base64url::encode(&key.sign(input.as_bytes())) == signature
    };
    let [orders, stock] = tokens(&response);
    assert!(!by_module(&orders, &SigningKey::from_pem(P256).unwrap()), "Envoy's `sign` makes ES256");
    assert!(by_module(&stock, &SigningKey::from_json(ED25519.as_bytes()).unwrap()));
}

#[test]
fn clients_cannot_send_what_the_gate_makes() {
    let world = &*WORLD;
    let forged = |request: Request| {
        let request = request.header("x-stock", "forged").header("X_Stock", "forged").header("x-stock", "forged");
        request.header("authorization_", "forged")
    };
    let public = world.send(&forged(Request::get("/public/a")).header("authorization", "Basic Zm9yZ2VkOg=="));
    for name in ["authorization", "x-stock", "x_stock"] {
        assert!(public.seen(name).is_empty(), "{name}");
    }
    let response = world.send(&forged(Request::get("/x")).bearer(&world.alice()));
    assert_eq!(tokens(&response).map(|token| claims(&token)["sub"].clone()), [json!("alice"), json!("alice")]);
    assert!(response.seen("x_stock").is_empty());
    let bob = world.send(&Request::get("/x").bearer(&world.token(&TokenRequest::subject("bob"))));
    assert_eq!(claims(&tokens(&bob)[0])["sub"], "bob");
    assert_eq!(verdict(&world.send(&Request::get("/x"))), refused(401, "missing_token"));
}

#[test]
fn no_key_and_no_token_is_in_the_log() {
    let world = &*WORLD;
    let tokens = tokens(&world.send(&Request::get("/x").bearer(&world.alice())));
    let log = world.envoy.log();
    assert!(!log.contains("jpsQnn") && !log.contains("nWGxne"), "{log}");
    assert!(tokens.iter().all(|token| !log.contains(token.rsplit('.').next().unwrap())));
}
