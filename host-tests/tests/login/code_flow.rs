//! Logins at providers that others wrote.

use serde_json::json;

use crate::setup::{CLIENT_SECRET, Setup};
use crate::shared::KEYS;
use crate::world::World;

/// Logs in on a deep link, and looks at everything on the way.
fn log_in(world: &World) {
    let mut browser = world.browser();
    let link = world.url("/reports/7?tab=a%20b&x=1");
    let page = browser.open(&link);
    assert_eq!((page.status(), page.url.as_str()), (200, link.as_str()), "{}", page.response.text());
    assert_eq!(page.response.seen("x-auth-request-user"), ["alice"]);
    assert_eq!(page.response.seen("x-auth-request-email"), ["alice@example.com"]);
    let first = &browser.history[0].response;
    assert_eq!((first.status, first.header("cache-control").as_deref()), (303, Some("no-store")));
    // Once logged in, nobody is asked again.
    let before = browser.history.len();
    assert_eq!(browser.open(&link).status(), 200);
    assert_eq!(browser.history.len(), before + 1);
    assert!(browser.jar.dropped.is_empty(), "{:?}", browser.jar.dropped);
    world.assert_silent(&[&browser]);
}

#[test]
fn each_client_authentication_logs_people_in() {
    for (authentication, secret) in [("basic", true), ("post", true), ("none", false)] {
        let client = if secret { json!({"secret": CLIENT_SECRET}) } else { json!({}) };
        let Some(world) = World::certified(&Setup { authentication, client, ..Setup::default() }) else { return };
        log_in(&world);
    }
}

#[test]
fn a_client_may_sign_instead_of_knowing_a_secret() {
    for key in KEYS.iter() {
        let setup = Setup {
            authentication: "privateKey",
            client: json!({"privateKey": {"env": key.algorithm().name()}}),
            provider: json!({"client": {"jwks": {"keys": [key.public_jwk()]}, "secret": null}}),
            ..Setup::default()
        };
        let Some(world) = World::certified(&setup) else { return };
        log_in(&world);
    }
}

#[test]
fn another_providers_code_flow_works_as_well() {
    let Some(world) = World::mock(&Setup::default()) else { return };
    let mut browser = world.browser();
    let page = browser.open(&world.url("/reports"));
    let page = browser.submit(&page, &[("sub", "alice")]);
    assert_eq!((page.status(), page.response.seen("x-auth-request-user")), (200, vec!["alice".to_owned()]));
    world.assert_silent(&[&browser]);
}
