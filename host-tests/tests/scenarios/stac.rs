//! STAC Auth Proxy: `stac.yaml` (its defaults) and `stac-public.yaml` (`DEFAULT_PUBLIC=true`).

use browsers::user_agent::UserAgent;
use real_envoy::Builder;
use real_envoy::http::{Request, Response};
use serde_json::Value;
use test_support::eventually;
use testbed::issuer::TokenRequest;

use crate::world::{Shared, World, refused, verdict};

/// The `iss` of tokens; the issuer answers somewhere else.
pub(crate) const ISSUER: &str = "https://idp.example.com/realms/stac";
pub(crate) const AUDIENCE: &str = "stac";

const PUBLIC: [&str; 10] = [
    "/",
    "/api.html",
    "/api",
    "/conformance",
    "/docs/oauth2-redirect",
    "/healthz",
    "/healthz/upstream",
    "/_mgmt/ping",
    "/_mgmt/health",
    "/_mgmt/metrics",
];

const PRIVATE: [(&str, &str); 9] = [
    ("POST", "/collections"),
    ("PUT", "/collections/sentinel-2"),
    ("PATCH", "/collections/sentinel-2"),
    ("DELETE", "/collections/sentinel-2"),
    ("POST", "/collections/sentinel-2/items"),
    ("PUT", "/collections/sentinel-2/items/T32"),
    ("PATCH", "/collections/sentinel-2/items/T32"),
    ("DELETE", "/collections/sentinel-2/items/T32"),
    ("POST", "/collections/sentinel-2/bulk_items"),
];

const READ: [(&str, &str); 5] = [
    ("GET", "/collections"),
    ("GET", "/collections/sentinel-2/items?limit=10&bbox=1,2,3,4"),
    ("GET", "/search?collections=sentinel-2"),
    ("POST", "/search"),
    ("GET", "/queryables"),
];

/// `stac.yaml`.
fn private() -> &'static World {
    static WORLD: Shared = Shared::new();
    WORLD.get(|| World::new("stac", Some(ISSUER), AUDIENCE))
}

/// `stac-public.yaml`.
fn public() -> &'static World {
    static WORLD: Shared = Shared::new();
    WORLD.get(|| World::new("stac-public", Some(ISSUER), AUDIENCE))
}

fn changed(scenario: &str, change: impl FnOnce(Builder) -> Builder) -> World {
    World::with(scenario, Some(ISSUER), AUDIENCE, change)
}

fn path(response: &Response) -> String {
    response.json()["path"].as_str().unwrap_or_default().to_string()
}

#[test]
fn by_default_only_the_listed_endpoints_are_public() {
    let world = private();
    for path in PUBLIC {
        assert_eq!(world.send(&Request::get(path)).status, 200, "{path}");
        let other = world.send(&Request::new("POST", path));
        assert_eq!(verdict(&other), refused(401, "missing_token"), "POST {path}");
    }
    for (method, target) in PRIVATE.into_iter().chain(READ) {
        let missing = world.send(&Request::new(method, target));
        assert_eq!(verdict(&missing), refused(401, "missing_token"), "{method} {target}");
        assert_eq!(missing.header("www-authenticate").as_deref(), Some(r#"Bearer realm="jotgate""#));
        let alice = world.scoped("");
        let passed = world.send(&Request::new(method, target).bearer(&alice));
        assert_eq!((passed.status, path(&passed).as_str()), (200, target), "{method} {target}");
    }
}

#[test]
fn default_public_leaves_only_the_transactions_private() {
    let world = public();
    for target in PUBLIC {
        assert_eq!(world.send(&Request::get(target)).status, 200, "{target}");
    }
    for (method, target) in READ {
        let read = world.send(&Request::new(method, target));
        assert_eq!((read.status, path(&read).as_str()), (200, target), "{method} {target}");
        assert!(read.seen("x-auth-request-user").is_empty());
    }
    for (method, target) in PRIVATE {
        assert_eq!(verdict(&world.send(&Request::new(method, target))), refused(401, "missing_token"));
        let passed = world.send(&Request::new(method, target).bearer(&world.scoped("")));
        assert_eq!((passed.status, path(&passed).as_str()), (200, target), "{method} {target}");
    }
}

/// A server that ignores case or a slash at the end must not be reached past the rules.
#[test]
fn private_endpoints_are_private_however_they_are_spelled() {
    let world = public();
    // Envoy takes dot segments out.
    for target in [
        "/Collections",
        "/collections/",
        "/COLLECTIONS/",
        "/%63ollections",
        "/collections?x=1",
        "/x/../collections",
        "/x/%2e%2e/collections",
    ] {
        let sent = world.send(&Request::new("POST", target));
        assert_eq!(verdict(&sent), refused(401, "missing_token"), "{target}");
    }
    for target in ["//collections", "/collections;x=1", "/x%2F%2e%2e/collections", "/collections%2F"] {
        let sent = world.send(&Request::new("POST", target));
        assert_eq!(verdict(&sent), refused(400, "ambiguous_path"), "{target}");
    }
}

#[test]
fn a_bad_token_is_refused_on_public_endpoints_too() {
    for world in [private(), public()] {
        let expired = world.token(&TokenRequest { lifetime: Some(-3600), ..TokenRequest::default() });
        let foreign = world.token(&TokenRequest { aud: Some(vec!["other".into()]), ..TokenRequest::default() });
        let other_key = world.token(&TokenRequest { alg: Some("ES256".into()), ..TokenRequest::default() });
        for (token, reason) in [
            (expired.as_str(), "expired"),
            (&foreign, "wrong_audience"),
            (&other_key, "unsupported_algorithm"),
            ("nonsense", "malformed_token"),
        ] {
            for target in ["/conformance", "/"] {
                let sent = world.send(&Request::get(target).bearer(token));
                assert_eq!(verdict(&sent), refused(401, reason), "{target}");
            }
        }
    }
}

/// The keys come from where the proxy reaches the issuer: nobody else answers for `idp.example.com` here.
#[test]
fn keys_are_fetched_from_the_internal_host() {
    let world = private();
    assert_eq!(world.send(&Request::get("/search").bearer(&world.scoped(""))).status, 200);
    for path in ["/realms/stac/.well-known/openid-configuration", "/realms/stac/jwks"] {
        assert!(world.issuer.count(path) > 0, "{path}");
    }
}

#[test]
fn the_token_is_forwarded_with_who_calls() {
    let world = public();
    for (method, target) in [("GET", "/search"), ("POST", "/collections"), ("GET", "/")] {
        let token = world.scoped("collection:create");
        let forged = Request::new(method, target).bearer(&token).header("X-Auth-Request-User", "admin");
        let response = world.send(&forged);
        assert_eq!(response.seen("authorization"), [format!("Bearer {token}")]);
        assert_eq!(response.seen("x-auth-request-user"), ["alice"]);
        assert_eq!(response.seen("x-auth-request-token-scopes"), ["collection:create"]);
    }
    assert!(
        world.send(&Request::get("/").header("X-Auth-Request-User", "admin")).seen("x-auth-request-user").is_empty()
    );
}

#[test]
fn options_passes_without_a_token() {
    let world = private();
    for target in ["/collections", "/search", "/"] {
        let preflight = Request::new("OPTIONS", target)
            .header("Origin", "https://browser.example")
            .header("Access-Control-Request-Method", "POST");
        for request in [Request::new("OPTIONS", target), preflight] {
            assert_eq!(world.send(&request).json()["method"], "OPTIONS", "{target}");
        }
    }
}

/// A page may read why it was refused, and asks before it sends a token.
#[test]
fn cors_is_answered_by_envoy_where_the_file_says_so() {
    let world = public();
    let origin = "https://browser.example";
    let preflight = Request::new("OPTIONS", "/collections").header("Origin", origin);
    let preflight = world.send(&preflight.header("Access-Control-Request-Method", "POST"));
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin").as_deref(), Some(origin));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(preflight.json(), Value::Null, "the upstream would have told what it saw");
    let missing = world.send(&Request::new("POST", "/collections").header("Origin", origin));
    assert_eq!(verdict(&missing), refused(401, "missing_token"));
    assert_eq!(missing.header("access-control-allow-origin").as_deref(), Some(origin));
    assert_eq!(missing.header("access-control-expose-headers").as_deref(), Some("www-authenticate"));
}

/// `GET` lists no `HEAD`: STAC Auth Proxy answered 405, whoever asked.
#[test]
fn head_is_not_implied_by_get() {
    let (private, public) = (private(), public());
    assert_eq!(private.send(&Request::new("HEAD", "/conformance")).status, 401);
    assert_eq!(private.send(&Request::new("HEAD", "/conformance").bearer(&private.scoped(""))).status, 200);
    assert_eq!(public.send(&Request::new("HEAD", "/search")).status, 200);
    for world in [private, public] {
        let odd = world.send(&Request::new("TRACE", "/search").bearer(&world.scoped("")));
        assert_eq!(verdict(&odd), refused(403, "no_rule"));
    }
}

/// As docs/migrate/stac-auth-proxy.md has it for `PRIVATE_ENDPOINTS` with scopes.
#[test]
fn private_endpoints_may_ask_for_scopes() {
    for scenario in ["stac", "stac-public"] {
        let world = changed(scenario, |builder| {
            with_scopes(builder, &[("create-collection", &["collection:create", "admin"])])
        });
        let create = |scopes| world.send(&Request::new("POST", "/collections").bearer(&world.scoped(scopes)));
        assert_eq!(create("admin x collection:create").status, 200);
        let missing = create("collection:create");
        assert_eq!(verdict(&missing), refused(403, "insufficient_scope"));
        let challenge = missing.header("www-authenticate").unwrap();
        assert!(challenge.ends_with(r#"error="insufficient_scope", scope="collection:create admin""#), "{challenge}");
        // The other methods and paths are as they were.
        assert_eq!(world.send(&Request::get("/collections").bearer(&world.scoped(""))).status, 200);
        assert_eq!(world.send(&Request::new("PUT", "/collections/a").bearer(&world.scoped(""))).status, 200);
    }
}

/// The rules of these names ask for scopes, all of them.
pub(crate) fn with_scopes(builder: Builder, scopes: &[(&str, &[&str])]) -> Builder {
    let file = std::fs::read_to_string(test_support::workspace().join("envoy-config/stac.yaml")).unwrap();
    scopes.iter().fold(builder, |builder, (rule, scopes)| {
        let (_, rest) = file.split_once(&format!("- name: {rule}\n")).unwrap();
        let (written, _) = rest.split_once("access: authenticated\n").unwrap();
        let asking = format!("{written}access: {{scopes: {{all: {scopes:?}}}}}\n");
        builder.replace(&format!("{written}access: authenticated\n"), &asking)
    })
}

/// As the comment in the file has it.
#[test]
fn a_root_path_is_envoys_to_remove() {
    let route = "              - match: {prefix: /}\n";
    let world = changed("stac", |builder| {
        builder
            .replace("paths:\n                        - /\n", "paths:\n                        - /stac\n                        - /stac/\n")
            .replace("- /conformance\n", "- /stac/conformance\n")
            .replace(
                route,
                "              - match: {path: /stac}\n                route: {cluster: upstream, prefix_rewrite: /}\n              \
                 - match: {prefix: /stac/}\n                route: {cluster: upstream, prefix_rewrite: /}\n              \
                 - match: {prefix: /nowhere}\n",
            )
    });
    let token = world.scoped("");
    for (target, seen) in [("/stac", "/"), ("/stac/", "/"), ("/stac/conformance", "/conformance")] {
        assert_eq!(path(&world.send(&Request::get(target))), seen);
    }
    assert_eq!(world.send(&Request::get("/stac/search")).status, 401);
    assert_eq!(path(&world.send(&Request::get("/stac/search?q=1").bearer(&token))), "/search?q=1");
    assert_eq!(world.send(&Request::get("/search").bearer(&token)).status, 404);
    assert_eq!(world.send(&Request::get("/stacked").bearer(&token)).status, 404);
}

#[test]
fn the_upstream_is_addressed_by_its_own_name() {
    let world = private();
    let request = Request::get("/").header("Host", "stac.example.com").header("Forwarded", "host=evil.example");
    let response = world.send(&request);
    assert_eq!(response.seen("host"), [world.upstream.address().to_string()]);
    assert_eq!(response.seen("forwarded"), ["host=stac.example.com;proto=http"]);
}

#[test]
fn the_upstream_has_its_time_and_no_more() {
    let world = changed("stac", |builder| builder.replace("timeout: 15s", "timeout: 0.2s"));
    assert_eq!(world.send(&Request::get("/slow?ms=60000").bearer(&world.scoped(""))).status, 504);
    // On a busy machine an answer may take as long now and then.
    eventually("an answer in time", || world.send(&Request::get("/search").bearer(&world.scoped(""))).status == 200);
}

/// `/healthz` is the gate's own, `/healthz/upstream` the upstream's landing page, which sees no token.
#[test]
fn health_is_answered_without_a_token() {
    for world in [private(), public()] {
        assert_eq!(world.send(&Request::get("/healthz")).text(), r#"{"status":"ok"}"#);
        let upstream = world.send(&Request::get("/healthz/upstream").bearer(&world.scoped("")));
        assert_eq!((path(&upstream).as_str(), upstream.seen("authorization").len()), ("/", 0));
    }
}

/// A browser of somebody who logs in at the catalogue.
fn browser(world: &World) -> UserAgent {
    UserAgent::new().at("https://idp.example.com", world.issuer.address())
}

#[test]
fn people_who_open_a_page_log_in_and_the_api_gets_their_token() {
    let world = private();
    let mut browser = browser(world);
    let page = browser.open(&world.url("/search?collections=sentinel-2"));
    assert_eq!(
        (page.status(), page.url.target().as_str()),
        (200, "/search?collections=sentinel-2"),
        "{}",
        page.response.text()
    );
    assert_eq!(page.response.seen("x-auth-request-user"), ["alice"]);
    assert!(page.response.seen("authorization").concat().starts_with("Bearer ey"), "{}", page.response.text());
    assert!(page.response.seen("cookie").is_empty());
    // Public pages know who is there.
    assert_eq!(browser.open(&world.url("/conformance")).response.seen("x-auth-request-user"), ["alice"]);
}

/// It gets a token of its own, by scripts of its page, and sends it.
#[test]
fn the_login_of_swagger_ui_is_untouched() {
    let world = private();
    let mut browser = browser(world);
    for path in ["/api.html", "/docs/oauth2-redirect?code=abc&state=xyz&iss=https%3A%2F%2Fidp.example.com"] {
        let page = browser.open(&world.url(path));
        assert_eq!((page.status(), page.passed.len(), page.response.json()["path"].as_str()), (200, 0, Some(path)));
        assert!(browser.jar.names().is_empty(), "{:?}", browser.jar.names());
    }
    let page = world.url("/api.html");
    let search = Request::get(&world.url("/search"));
    assert_eq!(browser.fetch(&page, &search).status, 401, "no redirect for scripts");
    let bob = world.token(&TokenRequest::subject("bob"));
    assert_eq!(browser.fetch(&page, &search.clone().bearer(&bob)).seen("x-auth-request-user"), ["bob"]);
    // Also beside a session.
    browser.open(&world.url("/search"));
    assert_eq!(browser.fetch(&page, &search).seen("x-auth-request-user"), ["alice"]);
    let response = browser.fetch(&page, &search.bearer(&bob));
    assert_eq!(
        (response.seen("x-auth-request-user"), response.seen("authorization")),
        (vec!["bob".into()], vec![format!("Bearer {bob}")])
    );
}
