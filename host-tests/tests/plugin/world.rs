//! Keys, tokens and configurations for the plugin in the strict host.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Map, Value, json};
use strict_host::{CalloutAnswer, Outcome, Plugin, Proxy, Response, Root, Stream, VmOptions};
use testbed::flaws::{Flaw, mint_flawed};
use testbed::keys::{Algorithm, SigningKey, jwk_set};
use testbed::mint::{merge, usual_claims};

pub(crate) const ISSUER: &str = "https://idp.example.com";

/// When a new VM begins to fetch.
pub(crate) const FIRST_TICK: Duration = Duration::from_millis(1);

static PLUGIN: LazyLock<Plugin> =
    LazyLock::new(|| strict_host::built("JOTGATE_PLUGIN", "dist/jotgate.wasm", "make plugin"));

/// One key for each algorithm; the `kid` is the algorithm's name.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let algorithms = Algorithm::ASYMMETRIC.into_iter();
    algorithms.map(|algorithm| SigningKey::generate(algorithm).with_kid(algorithm.name())).collect()
});

pub(crate) fn plugin() -> &'static Plugin {
    &PLUGIN
}

/// The key for an algorithm.
pub(crate) fn key(algorithm: &str) -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm().name() == algorithm).unwrap()
}

pub(crate) fn key_set() -> Value {
    jwk_set(KEYS.iter())
}

/// A token for `sub` alice that is good at `now`; `request` may have `alg`, `claims`, `header`, `flaw`.
pub(crate) fn token(request: &Value, now: Duration) -> Result<String, String> {
    let object = |member: &str| request[member].as_object().cloned().unwrap_or_default();
    let name = request["alg"].as_str().unwrap_or("ES256");
    let key = KEYS.iter().find(|key| key.algorithm().name() == name).ok_or(format!("no key for {name}"))?;
    let mut claims =
        usual_claims(ISSUER, "api", "alice", i64::try_from(now.as_secs()).map_err(|error| error.to_string())?, 600);
    claims = merge(claims, &object("claims"));
    claims.retain(|_, value| !value.is_null());
    let flaw: Flaw = match &request["flaw"] {
        Value::Null => Flaw::None,
        flaw => serde_json::from_value(flaw.clone()).map_err(|error| error.to_string())?,
    };
    mint_flawed(flaw, key, &object("header"), &claims).map_err(|error| error.to_string())
}

pub(crate) fn inline(changes: &Value) -> String {
    config(&json!({"inline": key_set()}), changes)
}

pub(crate) fn fetched(changes: &Value) -> String {
    config(&json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"}), changes)
}

fn config(keys: &Value, changes: &Value) -> String {
    let issuer = json!({"name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": keys});
    let rules = json!([{"match": {"paths": ["/public/**"]}, "access": "public"}, {"access": "authenticated"}]);
    let mut config = json!({"issuers": [issuer], "rules": rules});
    for (name, value) in changes.as_object().unwrap_or(&Map::new()) {
        config[name] = value.clone();
    }
    config.to_string()
}

/// A proxy whose issuer answers at once.
pub(crate) fn proxy() -> Proxy {
    let proxy = Proxy::new();
    proxy.on_callout(|_| CalloutAnswer::respond(Response::json(key_set())));
    proxy
}

pub(crate) fn start(proxy: &Proxy, config: &str) -> Root {
    proxy.vm(plugin(), VmOptions::new()).start(config).unwrap()
}

pub(crate) fn get(root: &Root, path: &str, headers: &[(&str, &str)]) -> Stream {
    let mut lines = vec![(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "api.example.com")];
    lines.extend(headers);
    root.request(lines.as_slice(), true)
}

pub(crate) fn with_token(root: &Root, proxy: &Proxy, request: &Value) -> Stream {
    let token = token(request, proxy.clock().now()).unwrap();
    get(root, "/x", &[("authorization", &format!("Bearer {token}"))])
}

/// `ok`, `waiting`, or status and reason.
pub(crate) fn summary(stream: &Stream) -> String {
    match stream.outcome() {
        Outcome::Continued(_) => "ok".into(),
        Outcome::Paused(_) => "waiting".into(),
        Outcome::Replied(reply) => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            format!("{} {}", reply.status, body["reason"].as_str().unwrap_or("-"))
        }
        other => format!("{other:?}"),
    }
}
