//! What is reported about logins, sessions and requests from other sites.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use crate::support::{Key, World, inline, merge, policy};
use gate::Policy;
use gate::policy::{ClaimsFrom, CrossSite, Provider, SameSite};
use gate::rules::Unauthenticated;

/// As long as it has to be.
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// RFC 8037 App. A.1.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn variable(name: &str) -> Option<String> {
    let text = match name {
        "CLIENT" => "hunter2 hunter2",
        "CLIENT_LINE" => "hunter2\n",
        "KEY" => KEY,
        "PEM" => "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\n",
        "RSA" => r#"{"kty": "RSA", "d": "hunter2"}"#,
        "SESSION" => SECRET,
        "SHORT" => "hunter2",
        _ => return None,
    };
    Some(text.to_string())
}

fn parse(config: &Value) -> Result<Policy, gate::ConfigErrors> {
    Policy::parse(config.to_string().as_bytes(), &variable)
}

fn errors(config: &Value) -> String {
    match parse(config) {
        Ok(_) => String::from("no errors"),
        Err(errors) => errors.to_string(),
    }
}

fn all_errors(configs: &[Value]) -> String {
    configs.iter().map(errors).collect::<Vec<_>>().join("\n")
}

/// Issuers of all kinds, and one login, with `changes` to the top level.
fn config(changes: &Value) -> Value {
    let inline = inline(&json!({}))["issuers"][0]["keys"].clone();
    let issuer = |name: &str, keys: Value| json!({"name": name, "issuer": format!("https://{name}.example.com"), "audiences": ["api"], "keys": keys});
    let mut config = json!({
        "issuers": [
            issuer("main", json!({"discovery": {}, "cluster": "idp", "timeout": "3s"})),
            issuer("known", json!({"jwksUri": "https://known.example.com/jwks", "cluster": "known"})),
            issuer("inline", inline.clone()),
            {"name": "plain", "issuer": "http://plain.example.com", "audiences": ["api"], "keys": inline},
            {"name": "github", "issuer": "https://github.com", "keys": "none"},
            {"name": "enterprise", "issuer": "https://git.example.com", "keys": "none"},
            {"name": "mesh", "trustDomain": "example.org", "audiences": ["api"], "keys": inline},
        ],
        "login": {"issuer": "main", "client": {"id": "dashboard", "secret": {"env": "CLIENT"}}},
        "session": {"secrets": [{"env": "SESSION"}], "publicUrl": "https://dash.example.com"},
        "rules": [{"name": "app", "match": {"paths": ["/app/**"]}, "access": "authenticated"}],
    });
    merge(&mut config, changes);
    config
}

/// One login, with `changes`.
fn login(changes: &Value) -> Value {
    let mut config = config(&json!({}));
    merge(&mut config["login"], changes);
    config
}

fn session(changes: &Value) -> Value {
    let mut config = config(&json!({}));
    merge(&mut config["session"], changes);
    config
}

/// With null for a member, rather than without it.
fn with_null(section: &str, member: &str) -> Value {
    let mut config = config(&json!({}));
    config[section][member] = Value::Null;
    config
}

fn rule(changes: &Value) -> Value {
    let mut config = config(&json!({}));
    merge(&mut config["rules"][0], changes);
    config
}

#[test]
fn little_has_to_be_written() {
    let policy = parse(&config(&json!({}))).expect("is a configuration");
    let browser = policy.browser().expect("has a login");
    let [login] = browser.logins() else { panic!("has one login") };
    assert_eq!((login.name(), login.client_id(), login.issuer()), ("main", "dashboard", 0));
    assert_eq!(login.scopes(), ["openid", "email"]);
    assert_eq!(login.claims_from(), ClaimsFrom::IdToken);
    assert!(matches!(login.provider(), Provider::OpenIdConnect { discovery: Some((_, cluster)) } if cluster == "idp"));
    let session = browser.session();
    assert_eq!(session.public_url().as_str(), "https://dash.example.com");
    assert_eq!((session.cookie().name(), session.cookie().same_site()), ("__Host-jotgate", SameSite::Lax));
    assert_eq!(session.paths().all()[1], ("callback", "/.jotgate/callback"));
    assert_eq!(*policy.cross_site(), CrossSite::Refuse { origins: Vec::new() });
    assert!([None, Some(0)].into_iter().all(|rule| policy.unauthenticated(rule) == Unauthenticated::Login));
    assert_eq!(policy.login(Some(0)).map(gate::policy::Login::name), Some("main"));
}

#[test]
fn without_a_login_nobody_is_sent_anywhere() {
    let policy = policy(&inline(&json!({"rules": [{"access": "authenticated"}]})));
    assert!(policy.browser().is_none() && policy.login(Some(0)).is_none());
    assert!([None, Some(0)].into_iter().all(|rule| policy.unauthenticated(rule) == Unauthenticated::Challenge));
}

#[test]
fn rules_pick_a_login_and_may_ask_for_a_challenge() {
    let client = json!({"id": "a"});
    let policy = parse(&config(&json!({
        "login": [{"issuer": "main", "client": client}, {"name": "other", "issuer": "main", "client": client}],
        "rules": [
            {"match": {"paths": ["/a"]}, "access": "authenticated", "login": "other"},
            {"match": {"paths": ["/b"]}, "access": "authenticated", "unauthenticated": "challenge"},
            {"access": "authenticated"},
        ],
    })))
    .expect("is a configuration");
    let login = |rule| policy.login(Some(rule)).map(gate::policy::Login::name);
    assert_eq!((login(0), login(1), login(2)), (Some("other"), Some("main"), Some("main")));
    assert_eq!(policy.unauthenticated(Some(1)), Unauthenticated::Challenge);
    assert_eq!(policy.unauthenticated(Some(2)), Unauthenticated::Login);
}

#[test]
fn what_may_be_written_is_read() {
    for config in [
        config(
            &json!({"credentials": [{"header": "authorization", "scheme": "Bearer"}, {"session": true}, {"cookie": "token"}]}),
        ),
        config(&json!({"crossSite": "allow"})),
        config(&json!({"crossSite": {"origins": ["https://tools.example.net", "http://localhost:3000"]}})),
        login(&json!({"client": {"id": "a"}})),
        login(&json!({"client": {"id": "a", "authentication": "none"}})),
        login(&json!({"client": {"id": "a", "secret": "hunter2", "authentication": "post"}})),
        login(&json!({"client": {"id": "a", "privateKey": {"env": "KEY"}}})),
        login(&json!({"client": {"id": "a", "privateKey": {"env": "KEY"}, "authentication": "privateKey"}})),
        login(&json!({"maxAge": "12h", "userinfo": true, "claimsFrom": "accessToken", "cluster": "other"})),
        login(&json!({"parameters": {"prompt": "select_account", "resource": ["https://a", "https://b"]}})),
        login(
            &json!({"endpoints": {"endSession": "https://main.example.com/logout?x=1", "revocation": "https://main.example.com/revoke"}}),
        ),
        login(
            &json!({"issuer": "known", "endpoints": {"authorization": "https://known.example.com/a", "token": "https://known.example.com/t"}}),
        ),
        login(
            &json!({"issuer": "plain", "cluster": "plain", "userinfo": true, "endpoints": {"authorization": "http://plain.example.com/a", "token": "https://plain.example.com/t", "userinfo": "http://plain.example.com/u"}}),
        ),
        login(
            &json!({"issuer": "github", "provider": "github", "cluster": "github", "clusters": {"api": "github-api"}, "scopes": ["read:user"]}),
        ),
        login(
            &json!({"issuer": "enterprise", "provider": "github", "cluster": "git", "endpoints": {"authorization": "https://git.example.com/a", "token": "https://git.example.com/t", "api": "https://git.example.com/api/v3/"}}),
        ),
        session(&json!({"publicUrl": "http://localhost:8080", "cookie": {"name": "__Host-x", "sameSite": "none"}})),
        session(&json!({"publicUrl": "http://[::1]:8080", "cookie": {"persistent": true}})),
        session(&json!({"publicUrl": "http://127.0.0.1"})),
        session(&json!({"cookie": {"name": "__Secure-jotgate", "domain": "example.com", "sameSite": "strict"}})),
        with_null("session", "idle"),
        with_null("session", "notBefore"),
        with_null("login", "maxAge"),
        session(&json!({"cookie": {"domain": null}})),
        session(
            &json!({"lifetime": "24h", "idle": "1m", "refreshAfter": "1s", "outage": "0s", "keepAfterExpiry": true, "keep": [], "closeWebSockets": false}),
        ),
        session(&json!({"lifetime": "1m"})),
        session(&json!({"keep": ["idToken", "accessToken"], "notBefore": "2026-11-29T09:00:00Z"})),
        session(&json!({"paths": {"login": "/login", "callback": "/login", "check": "/auth"}})),
        session(
            &json!({"returnTo": ["https://other.example.com"], "afterLogout": "https://other.example.com/bye?a=b"}),
        ),
        session(&json!({"afterLogout": "/bye?a=b"})),
    ] {
        assert_eq!(errors(&config), "no errors", "{}", config["login"]);
    }
}

#[test]
fn without_https_the_cookie_is_not_secure_and_has_a_plain_name() {
    let cookie = |changes: &Value| {
        let policy = parse(&session(changes)).expect("is a configuration");
        policy.browser().expect("has a login").session().cookie().clone()
    };
    let plain = cookie(&json!({"publicUrl": "http://localhost:8080"}));
    assert_eq!((plain.name(), plain.is_secure()), ("jotgate", false));
    let prefixed = cookie(&json!({"publicUrl": "http://localhost:8080", "cookie": {"name": "__Host-jotgate"}}));
    assert_eq!((prefixed.name(), prefixed.is_secure()), ("__Host-jotgate", true));
    assert!(cookie(&json!({"cookie": {"name": "plain"}})).is_secure());
}

#[test]
fn no_token_can_claim_an_issuer_that_signs_nothing() {
    let mut config = inline(&json!({}));
    let issuers = config["issuers"].as_array_mut().expect("is a list");
    issuers.push(json!({"name": "github", "issuer": "https://github.com", "keys": "none"}));
    let mut world = World::new(&config);
    let claims = json!({"iss": "https://github.com"});
    assert_eq!(world.with_token(&Key::new("a").token(&claims)).summary(), "401 unknown_issuer");
    assert_eq!(world.with_token(&Key::new("a").token(&json!({}))).summary(), "ok");
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn login_and_session_go_together() {
    insta::assert_snapshot!(all_errors(&[
        config(&json!({"session": null})),
        config(&json!({"login": null})),
        config(&json!({"login": null, "session": null, "credentials": [{"session": true}]})),
        config(&json!({"credentials": [{"header": "authorization"}]})),
        config(
            &json!({"credentials": [{"session": false}, {"session": true}, {"session": true}, {"session": true, "scheme": "x"}]})
        ),
        config(&json!({"login": [], "session": {}})),
        config(&json!({"login": "main", "session": []})),
        rule(&json!({"login": "other"})),
        rule(&json!({"login": 1, "unauthenticated": "redirect"})),
        rule(&json!({"login": "main", "unauthenticated": "challenge"})),
        inline(&json!({"rules": [{"access": "authenticated", "unauthenticated": "login", "login": "main"}]})),
        config(&json!({"crossSite": "refuse"})),
        config(
            &json!({"crossSite": {"origins": ["*", "https://*.example.com", "https://a/", "null", "https://a.example.com/b", 1], "origin": 1}})
        ),
        config(&json!({"crossSite": []})),
    ]));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn all_errors_of_a_login_are_reported_at_once() {
    insta::assert_snapshot!(all_errors(&[
        login(&json!({
            "name": "Main", "issuer": "nobody", "client": {"id": "", "secret": "", "authentication": "jwt", "key": 1}, "cluster": "",
            "endpoints": {"authorization": "/a", "token": 1, "logout": "x"}, "scopes": [], "parameters": {"state": "x", "prompt": ["a", "b"], "a": 1, "": "x"},
            "claimsFrom": "token", "userinfo": 1, "maxAge": "1500ms", "provider": "saml", "redirectUri": "x",
        })),
        config(
            &json!({"login": [{"issuer": "main", "client": {"id": "a"}}, {"issuer": "main", "client": {"id": "a"}}, {}]})
        ),
        login(&json!({"scopes": ["email", "a b"]})),
        login(&json!({"scopes": ["email"]})),
        login(&json!({"issuer": "mesh"})),
        login(&json!({"issuer": "github"})),
        login(&json!({"provider": "github"})),
    ]));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn a_client_has_what_it_authenticates_with_and_nothing_else() {
    let client = |client: Value| login(&json!({"client": client}));
    insta::assert_snapshot!(all_errors(&[
        client(json!({"id": "a", "authentication": "basic"})),
        client(json!({"id": "a", "authentication": "post", "privateKey": {"env": "KEY"}})),
        client(json!({"id": "a", "authentication": "none", "secret": "x"})),
        client(json!({"id": "a", "authentication": "privateKey", "secret": "x"})),
        client(json!({"id": "a", "secret": "x", "privateKey": {"env": "KEY"}})),
        client(json!({"id": "a\nb", "secret": {"env": "CLIENT_LINE"}})),
        client(json!({"id": "a", "secret": {"env": "CLIENT_LINE"}})),
        client(json!({"id": "a", "secret": {"env": "UNSET"}})),
        client(json!({"id": "a", "secret": {"file": "/x"}})),
        client(json!({"id": "a", "privateKey": {"env": "PEM"}})),
        client(json!({"id": "a", "privateKey": {"env": "RSA"}})),
        client(json!({"id": "a", "privateKey": "hunter2"})),
        client(json!({"id": "a", "privateKey": {"kty": "OKP"}})),
    ]));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn endpoints_are_discovered_or_configured() {
    let github = |changes: &Value| {
        let mut config = login(
            &json!({"issuer": "github", "provider": "github", "cluster": "github", "clusters": {"api": "github-api"}}),
        );
        merge(&mut config["login"], changes);
        config
    };
    insta::assert_snapshot!(all_errors(&[
        login(&json!({"issuer": "known", "userinfo": true})),
        login(&json!({"issuer": "inline", "endpoints": {"token": "https://inline.example.com/t"}})),
        login(
            &json!({"endpoints": {"authorization": "http://main.example.com/a", "token": "https://u@main.example.com/t", "userinfo": "https://main.example.com/#u", "endSession": "ftp://x", "api": "https://main.example.com"}, "clusters": {}})
        ),
        login(&json!({"endpoints": {"authorization": "https://main.example.com/a?state=1"}})),
        login(
            &json!({"endpoints": {"authorization": "https://main.example.com/a?prompt=none"}, "parameters": {"prompt": "login"}})
        ),
        github(&json!({"clusters": null})),
        github(&json!({"cluster": null})),
        github(&json!({"clusters": {"api": "", "token": "x"}})),
        github(
            &json!({"userinfo": true, "claimsFrom": "idToken", "maxAge": "1h", "endpoints": {"userinfo": "https://a.example.com/", "revocation": "https://a.example.com/", "endSession": "https://a.example.com/", "api": "https://api.example.com/?a"}})
        ),
        github(&json!({"issuer": "enterprise"})),
    ]));
}

#[test]
fn an_issuer_that_signs_nothing_and_logs_nobody_in_is_warned_of() {
    let config =
        login(&json!({"issuer": "github", "provider": "github", "cluster": "github", "clusters": {"api": "api"}}));
    let warnings = parse(&config).expect("is a configuration").warnings();
    let message = "issuer `enterprise`: has no effect: it signs nothing, and no `login` names it";
    assert_eq!(warnings, [(5, String::from(message))]);
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn issuers_that_sign_nothing_are_plain() {
    let keys = |issuer: Value| {
        config(
            &json!({"issuers": [{"name": "main", "issuer": "https://main.example.com", "audiences": ["api"], "keys": {"discovery": {}, "cluster": "idp"}}, issuer]}),
        )
    };
    insta::assert_snapshot!(all_errors(&[
        keys(json!({"name": "a", "issuer": "https://a.example.com", "keys": "any"})),
        keys(json!({"name": "a", "issuer": "https://{tid}.example.com", "tenants": "any", "keys": "none"})),
        keys(json!({"name": "a", "trustDomain": "example.com", "keys": "none"})),
        keys(json!({"name": "a", "issuer": "https://a.example.com", "keys": "none", "audiences": []})),
    ]));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn all_errors_of_a_session_are_reported_at_once() {
    insta::assert_snapshot!(all_errors(&[
        session(&json!({
            "secrets": [{"env": "SHORT"}, {"env": "UNSET"}, "hunter2", {"env": "SESSION"}, SECRET, 7],
            "publicUrl": "https://dash.example.com/app", "cookie": {"name": "a b", "sameSite": "Lax", "domain": 1, "persistent": "no", "secure": true},
            "lifetime": "0s", "idle": "30s", "refreshAfter": "500ms", "keepAfterExpiry": 1, "outage": "1500ms", "keep": ["refreshToken"],
            "paths": {"login": "login", "callback": "/a/../b", "logout": "/%61", "check": "/a?b", "session": 1, "metrics": "/x"},
            "returnTo": ["https://*.example.com", "https://Other.example.com", "https://other.example.com:443", "https://other.example.com/", "example.com"],
            "afterLogout": 1, "notBefore": "yesterday", "closeWebSockets": "yes", "store": "redis",
        })),
        session(&json!({"secrets": [], "publicUrl": null})),
        session(&json!({"lifetime": "10m", "idle": "10m", "refreshAfter": "15m"})),
        session(&json!({"paths": {"login": "/a", "callback": "/a", "logout": "/a", "check": "/.jotgate/session"}})),
        session(&json!({"paths": {"login": "/"}})),
        session(&json!({"afterLogout": "bye"})),
        session(&json!({"afterLogout": "//evil.example.com"})),
        session(&json!({"afterLogout": "/.jotgate/login"})),
        session(&json!({"afterLogout": "https://other.example.com/"})),
    ]));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn the_public_url_is_an_origin_that_is_safe_to_log_in_at() {
    let public_urls = [
        "http://dash.example.com",
        "https://dash.example.com/",
        "https://Dash.example.com",
        "https://dash.example.com:443",
        "https://dash.example.com/?a",
        "https://user@dash.example.com",
        "https://dash.example.com.",
        "https://dash.example.com:0",
        "http://127.0.0.2",
        "ftp://dash.example.com",
        "dash.example.com",
    ];
    insta::assert_snapshot!(all_errors(&public_urls.map(|url| session(&json!({"publicUrl": url})))));
}

#[test]
#[cfg(not(target_family = "wasm"))]
fn no_cookie_is_configured_that_browsers_drop_or_take_for_another() {
    let cookie = |cookie: Value| session(&json!({"cookie": cookie}));
    insta::assert_snapshot!(all_errors(&[
        cookie(json!({"domain": "example.com"})),
        cookie(json!({"name": "__host-a", "domain": "dash.example.com"})),
        cookie(json!({"name": "a", "domain": ".example.com"})),
        cookie(json!({"name": "a", "domain": "com"})),
        cookie(json!({"name": "a", "domain": "other.example.com"})),
        cookie(json!({"name": "a".repeat(65)})),
        cookie(json!({"name": "__Host-jotgate-login"})),
        session(&json!({"publicUrl": "http://localhost:8080", "cookie": {"sameSite": "none"}})),
        session(&json!({"publicUrl": "http://127.0.0.1:8080", "cookie": {"name": "a", "domain": "0.0.1"}})),
        config(
            &json!({"credentials": [{"session": true}, {"cookie": "__Host-jotgate"}, {"cookie": "__Host-jotgate.1", "scheme": "Bearer"}, {"cookie": "__Host-jotgate-login"}]})
        ),
        config(&json!({"credentials": [{"session": true}], "stripHeaders": ["cookie"]})),
    ]));
}

#[test]
fn no_message_shows_a_secret() {
    for config in [
        login(&json!({"client": {"id": "a", "secret": "hunter2\n"}})),
        login(&json!({"client": {"id": "a", "secret": {"env": "CLIENT_LINE"}}})),
        login(&json!({"client": {"id": "a", "secret": ["hunter2"]}})),
        login(&json!({"client": {"id": "a", "privateKey": {"env": "PEM"}}})),
        login(&json!({"client": {"id": "a", "privateKey": "hunter2"}})),
        login(&json!({"client": {"id": "a", "privateKey": {"env": "RSA"}}})),
        login(&json!({"client": {"id": "a", "authentication": "none", "secret": "hunter2"}})),
        session(&json!({"secrets": ["hunter2", {"env": "SHORT"}]})),
        session(&json!({"secrets": ["hunter2hunter2hunter2hunter2hunter2", "hunter2hunter2hunter2hunter2hunter2"]})),
        session(&json!({"secrets": "hunter2"})),
    ] {
        let errors = errors(&config);
        assert!(errors != "no errors" && !errors.contains("hunter2"), "{errors}");
    }
    let policy = parse(&login(&json!({"client": {"id": "a", "secret": "hunter2"}}))).expect("is a configuration");
    let shown = format!("{policy:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(SECRET), "{shown}");
}
