//! Logout here and at the provider.

use real_envoy::http::Request;
use serde_json::json;
use test_support::eventually;
use test_support::providers::Answered;

use crate::setup::Setup;
use crate::world::World;

fn is_at(endpoint: &'static str) -> impl Fn(&Answered) -> bool {
    move |answered| answered.endpoint.as_deref() == Some(endpoint)
}

#[test]
fn a_logout_ends_the_session_here_and_at_the_provider() {
    let Some(world) = World::certified(&Setup { session: json!({"keep": ["idToken"]}), ..Setup::default() }) else {
        return;
    };
    let mut browser = world.logged_in();
    let old = browser.clone();
    let page = browser.open(&world.url("/.jotgate/logout"));
    // The provider asks whether to log out there, too.
    assert_eq!((page.status(), page.url.origin()), (200, world.provider.issuer()), "{}", page.response.text());
    assert_eq!(page.url.parameter("post_logout_redirect_uri"), Some(world.url("/")));
    assert_eq!(page.url.parameter("client_id").as_deref(), Some("dashboard"));
    assert!(page.url.parameter("id_token_hint").is_some() && page.url.parameter("state").is_some());
    assert!(!browser.jar.names().iter().any(|name| name.starts_with("jotgate")), "{:?}", browser.jar.names());
    assert!(world.provider.certified().has_answered(1, is_at("revocation")), "the refresh token was given back");
    let page = browser.submit(&page, &[("logout", "yes")]);
    assert!(page.passed.iter().any(|url| url.as_str().starts_with(&world.url("/?state="))), "{:?}", page.passed);
    world.assert_silent(&[&browser, &old]);
}

#[test]
fn a_logout_without_a_session_is_no_error() {
    let world = World::flawed(&Setup { session: json!({"afterLogout": "/public/bye"}), ..Setup::default() });
    let mut browser = world.browser();
    let page = browser.open(&world.url("/.jotgate/logout"));
    assert_eq!((page.status(), page.url.path().as_str()), (200, "/public/bye"));
}

#[test]
fn another_site_logs_nobody_out() {
    let world = World::flawed(&Setup { session: json!({"afterLogout": "/public/bye"}), ..Setup::default() });
    let mut browser = world.logged_in();
    let logout = world.url("/.jotgate/logout");
    let page = browser.follow("https://evil.example.net/", &logout);
    assert_eq!((page.status(), page.url.as_str(), page.forms().len()), (200, logout.as_str(), 1));
    assert_eq!(browser.clone().open(&world.url("/x")).passed.len(), 0, "the session is there");
    let post = Request::new("POST", &logout);
    assert_eq!(browser.send("https://evil.example.net/", post.clone()).status(), 403);
    assert_eq!(browser.image("https://evil.example.net/", &logout).status, 200, "a page that nobody sees");
    assert_eq!(browser.clone().open(&world.url("/x")).passed.len(), 0, "the session is there");
    // The button does it.
    let page = browser.submit(&page, &[]);
    assert_eq!((page.status(), page.url.path().as_str()), (200, "/public/bye"));
    assert!(!browser.jar.names().iter().any(|name| name.starts_with("jotgate")), "{:?}", browser.jar.names());
    // Nobody waits for that.
    eventually("the refresh token was given back", || world.provider.flawed().granted("revocation") == 1);
    world.assert_silent(&[&browser]);
}
