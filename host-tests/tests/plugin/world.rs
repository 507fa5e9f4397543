//! Keys, tokens and configurations for the plugin in the strict host.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Map, Value, json};
use strict_host::{CalloutAnswer, HeaderMap, Outcome, Plugin, Proxy, Response, Root, Stream, VmOptions};
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

/// `inline`, with a login at the issuer, of which a session is sealed with the first of these secrets.
pub(crate) fn with_sessions(secrets: &[&str], changes: &Value) -> String {
    let endpoint = |name: &str| format!("{ISSUER}/{name}");
    let mut sessions = json!({
        "login": {
            "issuer": "main", "cluster": "idp", "client": {"id": "app"},
            "endpoints": {"authorization": endpoint("authorize"), "token": endpoint("token")},
        },
        "session": {"secrets": secrets, "publicUrl": "https://api.example.com"},
    });
    for (name, value) in changes.as_object().unwrap_or(&Map::new()) {
        sessions[name] = value.clone();
    }
    inline(&sessions)
}

/// What a browser sends with a navigation.
pub(crate) const NAVIGATION: [(&str, &str); 3] =
    [("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

/// A navigation with these cookies.
pub(crate) fn navigate(root: &Root, path: &str, cookies: &str) -> Stream {
    let cookie = [("cookie", cookies)];
    let headers: Vec<_> = NAVIGATION.into_iter().chain(cookie.into_iter().filter(|_| !cookies.is_empty())).collect();
    get(root, path, &headers)
}

/// Logs alice in, who has these claims besides, and gives the `Cookie` of her session. The issuer answers at once.
pub(crate) fn log_in(root: &Root, proxy: &Proxy, claims: &Value) -> String {
    let start = navigate(root, "/.jotgate/login", "").reply();
    let location = start.headers.text("location").unwrap();
    let parameter = |name: &str| {
        let query = location.split_once('?').unwrap().1.split('&');
        query.filter_map(|pair| pair.split_once('=')).find(|(own, _)| *own == name).unwrap().1.to_owned()
    };
    let mut claims = claims.clone();
    (claims["aud"], claims["nonce"]) = (json!("app"), json!(parameter("nonce")));
    let id_token = token(&json!({"claims": claims}), proxy.clock().now()).unwrap();
    proxy.on_callout(move |callout| {
        assert_eq!(callout.path(), "/token");
        let tokens = json!({"access_token": "opaque", "token_type": "Bearer", "id_token": id_token});
        CalloutAnswer::respond(Response::json(tokens))
    });
    let callback = format!("/.jotgate/callback?code=c&state={}", parameter("state"));
    let stream = navigate(root, &callback, &cookies(&start.headers));
    proxy.settle();
    let done = stream.reply();
    assert_eq!(done.status, 303, "{}", String::from_utf8_lossy(&done.body));
    cookies(&done.headers)
}

/// What a browser sends from now on: the cookies that were set, without those that were deleted.
pub(crate) fn cookies(headers: &HeaderMap) -> String {
    let lines: Vec<_> = headers.all("set-cookie").into_iter().map(String::from_utf8_lossy).collect();
    let pairs = lines.iter().filter_map(|line| line.split(';').next());
    pairs.filter(|pair| !pair.ends_with('=')).collect::<Vec<_>>().join("; ")
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
