//! Gafaelfawr 1.3: `gafaelfawr.yaml`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use browsers::user_agent::UserAgent;
use real_envoy::http::{Request, Response};
use serde_json::{Value, json};
use testbed::issuer::{Behaviour, TokenRequest};
use testbed::mint::object;
use testbed::verify::verified_claims;

use crate::world::{Shared, World, refused, verdict};

const AUDIENCE: &str = "https://data.example.com";
const INTERNAL: &str = "https://data.example.com/internal";

fn world() -> &'static World {
    static WORLD: Shared = Shared::new();
    WORLD.get(|| World::new("gafaelfawr", None, AUDIENCE))
}

/// What Gafaelfawr's tokens say of somebody, changed.
fn token(world: &World, changes: Value) -> String {
    let mut claims = object(json!({
        "uid": "alice", "uidNumber": 4151, "email": "alice@example.com", "email_verified": true, "isMemberOf": ["g_users"],
    }));
    claims.extend(object(changes));
    world.token(&TokenRequest { claims, ..TokenRequest::subject("some-stable-id") })
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn challenge(response: &Response) -> String {
    response.header("www-authenticate").unwrap_or_default()
}

#[test]
fn all_scopes_are_needed_unless_any_will_do() {
    let world = world();
    for (path, scopes, status) in [
        ("/api/tap/sync", "read:image read:tap", 200),
        ("/api/tap/sync", "read:image", 403),
        ("/api/tap/sync", "read:tap", 403),
        ("/portal/app", "read:image", 200),
        ("/portal/app", "exec:portal other", 200),
        ("/portal/app", "read:tap", 403),
        ("/admin/users", "exec:admin", 200),
        ("/admin/users", "exec:administrator", 403),
    ] {
        let token = token(world, json!({"scope": scopes, "isMemberOf": []}));
        assert_eq!(world.send(&Request::get(path).bearer(&token)).status, status, "{path} {scopes}");
    }
}

#[test]
fn groups_give_scopes() {
    let world = world();
    for (groups, path, status) in [
        (json!(["g_admins"]), "/admin/users", 200),
        (json!(["g_users"]), "/admin/users", 403),
        (json!(["g_users"]), "/api/tap/sync", 200),
        (json!(["g_admins"]), "/api/tap/sync", 403),
        (json!(["g_admins", "g_users"]), "/api/tap/sync", 200),
        (json!(null), "/portal/app", 403),
    ] {
        let token = token(world, json!({"isMemberOf": groups}));
        assert_eq!(world.send(&Request::get(path).bearer(&token)).status, status, "{path} {groups}");
    }
    // Those in the token and those from groups together.
    let both = token(world, json!({"isMemberOf": ["g_admins"], "scope": "read:tap"}));
    let response = world.send(&Request::get("/api/tap/sync").bearer(&both));
    assert_eq!(response.seen("x-auth-request-token-scopes"), ["exec:admin read:image read:tap"]);
}

#[test]
fn every_header_is_there() {
    let world = world();
    let token = token(world, json!({"isMemberOf": ["g_users", "g_other"], "scope": "user:token"}));
    let seen = world.send(&Request::get("/portal/app").bearer(&token));
    for (name, value) in [
        ("User", "alice"),
        ("Uid", "4151"),
        ("Email", "alice@example.com"),
        ("Groups", "g_users,g_other"),
        ("Token-Scopes", "read:image read:tap user:token"),
        ("Token-Scopes-Accepted", "read:image exec:portal"),
        ("Token-Scopes-Satisfy", "any"),
        // Envoy has written there whom it sees.
        ("Client-Ip", &seen.seen("x-forwarded-for").concat()),
    ] {
        assert_eq!(seen.seen(&format!("x-auth-request-{name}")), [value], "{name}");
    }
    assert!(seen.seen("authorization").is_empty(), "the token is in a header of its own");
    assert_ne!(seen.seen("x-auth-request-token"), std::slice::from_ref(&token), "and another");
    let all = world.send(&Request::get("/api/tap/sync").bearer(&token));
    assert_eq!(all.seen("x-auth-request-token-scopes-accepted"), ["read:image read:tap"]);
    assert_eq!(all.seen("x-auth-request-token-scopes-satisfy"), ["all"]);
}

#[test]
fn nobody_writes_these_headers_but_the_gate() {
    let world = world();
    let names = ["X-Auth-Request-User", "x_auth_request_user", "X-Auth-Request-Uid", "X-Auth-Request-Token-Scopes"];
    for path in ["/", "/static/a", "/portal/app"] {
        let request = Request::get(path).bearer(&token(world, json!({"uidNumber": null})));
        let request = names.iter().fold(request, |request, name| request.header(name, "forged"));
        let response = world.send(&request);
        assert_eq!(response.status, 200);
        assert!(!response.text().contains("forged"), "{}", response.text());
    }
}

#[test]
fn a_token_stands_in_the_cookie_in_bearer_or_in_basic() {
    let world = world();
    let token = token(world, json!({}));
    let request = || Request::get("/portal/app");
    for request in [
        request().header("cookie", format!("theme=dark; gafaelfawr={token}")),
        request().bearer(&token),
        request().header("authorization", format!("bearer {token}")),
        request().header("authorization", basic(&format!("{token}:x-oauth-basic"))),
        request().header("authorization", basic(&format!("x-oauth-basic:{token}"))),
        request().header("authorization", basic(&format!("{token}:anything"))),
    ] {
        let response = world.send(&request);
        assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["alice".into()]));
        assert!(response.seen("authorization").is_empty());
        assert!(response.seen("cookie").iter().all(|cookie| cookie == "theme=dark"));
    }
}

/// `JupyterHub` sends an `Authorization` of its own beside the cookie.
#[test]
fn the_cookie_comes_first_then_bearer_then_basic() {
    let world = world();
    let alice = token(world, json!({}));
    let cookie = || Request::get("/portal/app").header("cookie", format!("gafaelfawr={alice}"));
    let bob = token(world, json!({"uid": "bob"}));
    for other in [format!("Bearer {bob}"), basic(&format!("{bob}:")), "Bearer nonsense".into()] {
        let response = world.send(&cookie().header("authorization", &other));
        assert_eq!(response.seen("x-auth-request-user"), ["alice"], "{other}");
        assert!(response.seen("authorization").is_empty());
    }
    let own = world.send(&cookie().header("authorization", "token 0123456789abcdef"));
    assert_eq!(own.seen("x-auth-request-user"), ["alice"]);
    assert_eq!(own.seen("authorization"), ["token 0123456789abcdef"]);
    // A bad cookie is not passed over.
    let stale = Request::get("/portal/app").header("cookie", "gafaelfawr=stale").bearer(&bob);
    assert_eq!(verdict(&world.send(&stale)), refused(401, "malformed_token"));
}

#[test]
fn refusals_are_as_they_were() {
    let world = world();
    let realm = r#"Bearer realm="data.example.com""#;
    let missing = world.send(&Request::get("/portal/app"));
    assert_eq!((missing.status, challenge(&missing).as_str()), (401, realm));

    let expired = world.token(&TokenRequest { lifetime: Some(-3600), ..TokenRequest::default() });
    let bad = world.send(&Request::get("/portal/app").bearer(&expired));
    assert_eq!(bad.status, 401);
    assert!(challenge(&bad).starts_with(&format!(r#"{realm}, error="invalid_token""#)), "{}", challenge(&bad));

    for malformed in ["Bearer a b", "Bearer", "Basic !!!"] {
        let malformed = world.send(&Request::get("/portal/app").header("authorization", malformed));
        assert_eq!(malformed.status, 400);
        assert!(challenge(&malformed).starts_with(&format!(r#"{realm}, error="invalid_request""#)));
    }

    let poor = token(world, json!({"isMemberOf": []}));
    let poor = world.send(&Request::get("/portal/app").bearer(&poor));
    assert_eq!(poor.status, 403);
    let expected = format!(r#"{realm}, error="insufficient_scope", scope="read:image exec:portal""#);
    assert_eq!(challenge(&poor), expected);

    assert_eq!(verdict(&world.send(&Request::get("/elsewhere"))), refused(403, "no_rule"));
}

#[test]
fn auth_type_basic_asks_for_a_password() {
    let world = world();
    let expired = world.token(&TokenRequest { lifetime: Some(-3600), ..TokenRequest::default() });
    for request in [Request::get("/files/a"), Request::get("/files/a").bearer(&expired)] {
        let response = world.send(&request);
        assert_eq!((response.status, challenge(&response).as_str()), (401, r#"Basic realm="data.example.com""#));
    }
    let token = token(world, json!({"scope": "write:files"}));
    let request = Request::new("PUT", "/files/a").header("authorization", basic(&format!("{token}:x-oauth-basic")));
    assert_eq!(world.send(&request).status, 200);
}

/// nginx could not say so for 403.
#[test]
fn refusals_are_not_to_be_cached() {
    let world = world();
    let poor = token(world, json!({"isMemberOf": []}));
    for request in [Request::get("/portal/app"), Request::get("/portal/app").bearer(&poor), Request::get("/files/a")] {
        let response = world.send(&request);
        assert!(matches!(response.status, 401 | 403));
        assert_eq!(response.header("cache-control").as_deref(), Some("no-store"));
    }
}

/// With nginx, `error_page 403` replaced these as well.
#[test]
fn the_applications_own_refusals_pass_untouched() {
    let world = world();
    let token = token(world, json!({}));
    for status in [401, 403] {
        let response = world.send(&Request::get(&format!("/portal/status/{status}")).bearer(&token));
        assert_eq!((response.status, response.text()), (status, format!("the upstream says {status}\n")));
        assert_eq!((response.header("cache-control"), response.header("www-authenticate")), (None, None));
    }
}

#[test]
fn the_client_is_who_the_trusted_proxies_saw() {
    // Envoy adds the address of this machine, on which all proxies of this test are.
    let here = world().send(&Request::get("/")).seen("x-forwarded-for").concat();
    let trusted = format!("trustedProxies: [10.0.0.0/8, {here}]");
    let world =
        World::with("gafaelfawr", None, AUDIENCE, |builder| builder.replace("trustedProxies: [10.0.0.0/8]", &trusted));
    let token = token(&world, json!({}));
    for (forwarded, expected) in [
        (vec!["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (vec!["198.51.100.1, 203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (vec!["203.0.113.7", "10.1.2.3, 10.1.2.4"], "203.0.113.7"),
        (vec!["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
        (vec!["2001:db8::1"], "2001:db8::1"),
        (vec![], &here),
    ] {
        let request = Request::get("/portal/app").bearer(&token).header("X-Auth-Request-Client-Ip", "192.0.2.1");
        let request = forwarded.iter().fold(request, |request, line| request.header("X-Forwarded-For", line));
        assert_eq!(world.send(&request).seen("x-auth-request-client-ip"), [expected], "{forwarded:?}");
    }
}

/// The token that an application gets, as it verifies it.
fn issued(world: &World, path: &str, token: &str) -> serde_json::Map<String, Value> {
    let response = world.send(&Request::get(path).bearer(token));
    let keys = world.send(&Request::get("/.well-known/jwks.json"));
    assert_eq!((response.status, keys.status), (200, 200), "{}", response.text());
    verified_claims(&response.seen("x-auth-request-token").concat(), &keys.json()).unwrap()
}

#[test]
fn applications_get_tokens_that_were_issued_for_them() {
    let world = world();
    let token = token(world, json!({"jti": "of-the-caller"}));
    for (path, audience) in [("/portal/app", AUDIENCE), ("/internal/a", INTERNAL)] {
        let claims = issued(world, path, &token);
        let said = json!([claims["iss"], claims["aud"], claims["sub"], claims["uid"], claims["act"]["jti"]]);
        assert_eq!(said, json!([AUDIENCE, audience, "some-stable-id", "alice", "of-the-caller"]));
        assert_eq!(claims["scope"], "read:image read:tap");
    }
    let wrong = self::token(world, json!({"aud": "https://other.example.com"}));
    assert_eq!(verdict(&world.send(&Request::get("/portal/app").bearer(&wrong))), refused(401, "wrong_audience"));
    let public = Request::get("/").bearer(&token).header("x-auth-request-token", "forged");
    assert!(world.send(&public).seen("x-auth-request-token").is_empty());
}

/// As Gafaelfawr's `/auth/api/v1/token-info` has it.
#[test]
fn tokens_of_gafaelfawr_2_are_asked_about() {
    let world = world();
    let claims = object(json!({
        "iss": null, "aud": null, "sub": null, "exp": null, "expires": 4_000_000_000_u64,
        "username": "carol", "scopes": ["read:image"], "token_type": "session",
    }));
    let request = TokenRequest { opaque: Some("gt-".into()), claims, ..TokenRequest::default() };
    let token = world.token(&request);
    let response = world.send(&Request::get("/portal/app").bearer(&token));
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["carol".into()]));
    assert_eq!(issued(world, "/portal/app", &token)["sub"], "carol");
    let poor = world.send(&Request::get("/admin/users").bearer(&token));
    assert_eq!(verdict(&poor), refused(403, "insufficient_scope"));
    let unknown = world.send(&Request::get("/portal/app").bearer("gt-unknown"));
    assert_eq!(verdict(&unknown), refused(401, "inactive_token"));
}

#[test]
fn an_email_that_is_not_verified_is_not_forwarded() {
    let world = world();
    for (verified, expected) in [(json!(true), vec!["alice@example.com"]), (json!(false), vec![])] {
        let token = token(world, json!({"email_verified": verified}));
        assert_eq!(world.send(&Request::get("/portal/app").bearer(&token)).seen("x-auth-request-email"), expected);
    }
}

/// Gafaelfawr's own tokens have objects in `isMemberOf`: they are refused, not taken for tokens without groups.
#[test]
fn groups_are_names() {
    let world = world();
    let token = token(world, json!({"isMemberOf": [{"name": "g_users", "id": 1}]}));
    assert_eq!(verdict(&world.send(&Request::get("/portal/app").bearer(&token))), refused(401, "bad_claim"));
}

/// A world in which alice, of the group `g_users`, logs in.
fn with_login() -> &'static World {
    static WORLD: Shared = Shared::new();
    WORLD.get(|| {
        let world = World::new("gafaelfawr", None, AUDIENCE);
        let user = object(json!({"uid": "alice", "uidNumber": 4151, "isMemberOf": ["g_users"]}));
        world.issuer.set_behaviour(Behaviour { user, ..Behaviour::default() });
        world
    })
}

#[test]
fn a_login_gives_the_scopes_of_its_groups() {
    let world = with_login();
    let mut browser = UserAgent::new();
    let page = browser.open(&world.url("/portal/app?a=b"));
    assert_eq!((page.status(), page.url.target().as_str()), (200, "/portal/app?a=b"), "{}", page.response.text());
    for (name, value) in [
        ("User", "alice"),
        ("Uid", "4151"),
        ("Groups", "g_users"),
        ("Token-Scopes", "read:image read:tap"),
        ("Email", "alice@example.com"),
    ] {
        assert_eq!(page.response.seen(&format!("x-auth-request-{name}")), [value], "{name}");
    }
    let reissued = page.response.seen("x-auth-request-token").concat();
    let keys = world.send(&Request::get("/.well-known/jwks.json")).json();
    assert_eq!(verified_claims(&reissued, &keys).unwrap()["aud"], AUDIENCE);
    assert!(page.response.seen("cookie").is_empty());
    let refused = browser.open(&world.url("/admin/users"));
    assert_eq!((refused.status(), refused.passed.len()), (403, 0), "what somebody may not do is no redirect");
    // A script's own token is meant.
    let bob = token(world, json!({"uid": "bob"}));
    let script = browser.fetch(&world.url("/"), &Request::get(&world.url("/portal/app")).bearer(&bob));
    assert_eq!(script.seen("x-auth-request-user"), ["bob"]);
}

#[test]
fn login_and_logout_are_where_they_were() {
    let world = with_login();
    let mut browser = UserAgent::new();
    let page = browser.open(&world.url("/login?rd=/portal/app"));
    assert_eq!((page.status(), page.url.path().as_str()), (200, "/portal/app"), "{}", page.response.text());
    let callback = page.passed.last().unwrap();
    assert_eq!((callback.path().as_str(), callback.parameter("code").is_some()), ("/login", true));
    let page = browser.open(&world.url("/logout?rd=/static/bye"));
    assert_eq!((page.status(), page.url.path().as_str()), (200, "/static/bye"), "{}", page.response.text());
    let script = browser.fetch(&world.url("/"), &Request::get(&world.url("/portal/app")));
    assert_eq!(script.status, 401);
    let foreign = browser.open(&world.url("/login?rd=https://evil.example.net/"));
    assert_eq!(foreign.url.as_str(), world.url("/"), "only to where it may");
}

/// Gafaelfawr answered scripts with 403, so that nginx would not redirect them.
#[test]
fn scripts_are_told_where_to_log_in() {
    let world = world();
    let mut browser = UserAgent::new();
    for request in [
        Request::get(&world.url("/portal/app")),
        Request::get(&world.url("/portal/app")).header("x-requested-with", "XMLHttpRequest"),
    ] {
        let answer = browser.fetch(&world.url("/"), &request);
        assert_eq!((answer.status, &answer.json()["login"]), (401, &json!("/login")));
    }
    // A password is asked for, not a login.
    let files = browser.open(&world.url("/files/a"));
    assert_eq!((files.status(), challenge(&files.response).as_str()), (401, r#"Basic realm="data.example.com""#));
}
