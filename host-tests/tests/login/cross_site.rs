//! What other sites cannot have a browser do.

use browsers::user_agent::{Url, UserAgent};
use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::issuer::TokenRequest;

use crate::setup::Setup;
use crate::world::World;

const EVIL: &str = "https://evil.example.net/";
const SIBLING: &str = "https://blog.example.com/";
const DASH: &str = "https://dash.example.com";

/// With cookies that browsers send for all sites, so that nothing but the gate is in the way.
fn world(config: Value) -> World {
    let session = json!({"cookie": {"sameSite": "none"}});
    World::flawed(&Setup { session, config, ..Setup::secure() })
}

fn post(browser: &mut UserAgent, from: &str) -> (u16, String) {
    let response = browser.fetch(from, &Request::new("POST", &format!("{DASH}/orders")).body("a=b"));
    (response.status, response.json()["reason"].as_str().unwrap_or_default().to_owned())
}

fn refused() -> (u16, String) {
    (403, "cross_site_request".to_owned())
}

fn passed() -> (u16, String) {
    (200, String::new())
}

#[test]
fn unsafe_requests_with_a_session_come_from_its_own_origin() {
    let world = world(json!({}));
    let mut browser = world.logged_in();
    assert_eq!(post(&mut browser, &format!("{DASH}/")), passed());
    for from in [EVIL, SIBLING, "http://dash.example.com/"] {
        assert_eq!(post(&mut browser, from), refused(), "{from}");
        let form = Request::new("POST", &format!("{DASH}/orders")).body("a=b");
        assert_eq!(browser.send(from, form).status(), 403, "{from}");
        for method in ["PUT", "PATCH", "DELETE"] {
            assert_eq!(browser.fetch(from, &Request::new(method, &format!("{DASH}/orders"))).status, 403, "{method}");
        }
        // Links from elsewhere are what the web is made of.
        assert_eq!(browser.follow(from, &format!("{DASH}/orders")).status(), 200, "{from}");
    }
    assert!(
        world.upstream.seen().iter().all(|seen| seen["method"] == "GET" || seen["headers"].to_string().contains(DASH))
    );
    world.assert_silent(&[&browser]);
}

/// Older browsers say `Origin`, and other clients nothing.
#[test]
fn origin_decides_where_browsers_say_no_more() {
    let world = world(json!({}));
    let browser = world.logged_in();
    let cookie = format!("__Host-jotgate={}", browser.jar.get("__Host-jotgate").unwrap().value);
    let send = |headers: &[(&str, &str)]| {
        let request = Request::new("POST", "/orders").header("host", "dash.example.com").header("cookie", &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.send(world.gateway()).unwrap().status
    };
    for (headers, status) in [
        (vec![], 200),
        (vec![("origin", DASH)], 200),
        (vec![("origin", "https://evil.example.net")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", "http://dash.example.com")], 403),
        (vec![("origin", "https://dash.example.com.evil.net")], 403),
        (vec![("origin", "https://dash.example.com:8443")], 403),
        (vec![("sec-fetch-site", "none")], 200),
        (vec![("sec-fetch-site", "same-site"), ("origin", DASH)], 403),
        (vec![("sec-fetch-site", "cross-site"), ("origin", DASH)], 403),
        (vec![("origin", DASH), ("origin", "https://evil.example.net")], 403),
    ] {
        assert_eq!(send(&headers), status, "{headers:?}");
    }
}

#[test]
fn a_socket_is_opened_from_the_own_origin() {
    let world = world(json!({}));
    let browser = world.logged_in();
    let open = |from: &str| {
        let upgrade =
            Request::get(&format!("{DASH}/ws")).header("connection", "Upgrade").header("upgrade", "websocket");
        let upgrade =
            upgrade.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let mut connection = real_envoy::http::Connection::open(world.gateway()).unwrap();
        connection.write(&browser.web_socket(from, &upgrade).bytes()).unwrap();
        connection.head(false).unwrap().status
    };
    assert_eq!([open(&format!("{DASH}/")), open(EVIL), open(SIBLING)], [101, 403, 403]);
}

#[test]
fn some_origins_may_be_excepted_or_all() {
    let excepted = world(json!({"crossSite": {"origins": ["https://blog.example.com"]}}));
    let mut browser = excepted.logged_in();
    assert_eq!([post(&mut browser, SIBLING), post(&mut browser, EVIL)], [passed(), refused()]);
    let all = world(json!({"crossSite": "allow"}));
    assert_eq!(post(&mut all.logged_in(), EVIL), passed());
}

#[test]
fn a_token_in_a_cookie_is_guarded_as_well_and_one_in_a_header_is_not() {
    let credentials = json!([{"cookie": "token"}, {"header": "authorization", "scheme": "Bearer"}]);
    let world = world(json!({"credentials": credentials, "login": null, "session": null}));
    let aud = Some(vec!["dashboard".to_owned()]);
    let token = world.provider.flawed().token(&TokenRequest { aud, ..TokenRequest::default() }).unwrap();
    let mut browser = world.browser();
    browser.jar.store(&Url::parse(DASH), &format!("token={token}; Path=/; Secure; SameSite=None"));
    assert_eq!([post(&mut browser, &format!("{DASH}/")), post(&mut browser, EVIL)], [passed(), refused()]);
    let mut script = world.browser();
    let request = Request::new("POST", &format!("{DASH}/orders")).bearer(&token);
    assert_eq!(script.fetch(EVIL, &request).status, 200);
}

/// Who plants a cookie from a sibling subdomain gets nobody into somebody else's session: a cookie of the own host comes
/// with a prefix that siblings cannot set.
#[test]
fn a_sibling_plants_no_session() {
    let world = World::flawed(&Setup::secure());
    let mallory = world.logged_in();
    let planted = mallory.jar.get("__Host-jotgate").unwrap().value.clone();
    let mut victim = world.browser();
    victim.jar.store(&Url::parse(SIBLING), &format!("__Host-jotgate={planted}; Path=/; Domain=example.com; Secure"));
    assert_eq!(victim.jar.dropped.len(), 1, "browsers drop it");
    victim.jar.store(&Url::parse(SIBLING), &format!("jotgate={planted}; Path=/; Domain=example.com; Secure"));
    assert_eq!(world.fetch(&mut victim, "/x").status, 401);
}
