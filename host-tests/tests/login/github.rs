//! Logins at GitHub, which has no ID token: its API says who somebody is.

use browsers::user_agent::{Page, UserAgent};
use real_envoy::http::Request;
use serde_json::json;
use testbed::github::Person;

use crate::setup::Setup;
use crate::world::{World, failure};

/// As GitHub makes them, which decodes nothing in Basic.
pub(crate) const SECRET: &str = "5e8f16062ea3cd2c4a0d547876baa6f38cabf625";

fn octocat() -> Person {
    Person {
        id: 583_231,
        login: "octocat".into(),
        email: ("octocat@example.com".into(), true),
        teams: vec![("acme".into(), "ops".into())],
        error: None,
    }
}

fn world(authentication: &'static str, person: Person) -> World {
    let endpoints = json!({
        "authorization": "{{issuer}}/login/oauth/authorize",
        "token": "{{issuer}}/login/oauth/access_token",
        "api": "{{issuer}}/api/v3",
    });
    let setup = Setup {
        authentication,
        client: json!({"secret": SECRET}),
        config: json!({
            "issuers": [{"name": "main", "issuer": "{{issuer}}", "keys": "none"}],
            "identityHeaders": {
                "X-Auth-Request-User": "preferred_username", "X-Auth-Request-Uid": "sub",
                "X-Auth-Request-Email": "$verifiedEmail", "X-Auth-Request-Groups": "$groups",
            },
            "rules": [
                {"name": "admin", "match": {"paths": ["/admin/**"]}, "access": {"groups": {"any": ["acme/ops"]}}},
                {"name": "rest", "access": "authenticated"},
            ],
            "login": {
                "name": "main", "issuer": "main", "provider": "github", "cluster": "provider",
                "clusters": {"api": "provider"}, "endpoints": endpoints,
                "client": {"id": "dashboard", "secret": SECRET, "authentication": authentication},
            },
        }),
        ..Setup::default()
    };
    World::github(&setup, person)
}

fn open(world: &World) -> (UserAgent, Page) {
    let mut browser = world.browser();
    let page = browser.open(&world.url("/admin/x?y=1"));
    (browser, page)
}

#[test]
fn the_api_says_who_logs_in_and_teams_are_groups() {
    for authentication in ["basic", "post"] {
        let world = world(authentication, octocat());
        let (browser, page) = open(&world);
        assert_eq!((page.status(), page.url.as_str()), (200, world.url("/admin/x?y=1").as_str()));
        for (header, expected) in [
            ("x-auth-request-user", "octocat"),
            ("x-auth-request-uid", "583231"),
            ("x-auth-request-email", "octocat@example.com"),
            ("x-auth-request-groups", "acme/ops"),
        ] {
            assert_eq!(page.response.seen(header), [expected], "{authentication}");
        }
        world.assert_silent(&[&browser]);
    }
}

#[test]
fn teams_of_all_pages_count_and_an_address_that_is_not_verified_does_not() {
    let teams = (0..230).map(|number| ("many".to_owned(), format!("t{number}"))).chain(octocat().teams).collect();
    let world = world("basic", Person { teams, email: ("any@example.com".into(), false), ..octocat() });
    let (browser, page) = open(&world);
    // The last team, of the third page, is the one that the rule asks for.
    assert_eq!(page.status(), 200, "{}", page.response.text());
    assert_eq!(page.response.seen("x-auth-request-email"), [""; 0]);
    world.assert_silent(&[&browser]);
}

#[test]
fn who_is_in_another_team_is_logged_in_and_refused() {
    let world = world("basic", Person { teams: vec![("evil".into(), "acme-ops".into())], ..octocat() });
    let (mut browser, page) = open(&world);
    assert_eq!(page.status(), 403, "{}", page.response.text());
    assert_eq!(browser.open(&world.url("/other")).status(), 200);
    world.assert_silent(&[&browser]);
}

/// GitHub has errors in bodies, not in statuses.
#[test]
fn an_error_in_an_answer_of_200_logs_nobody_in() {
    let world = world("basic", Person { error: Some("bad_verification_code".into()), ..octocat() });
    let (mut browser, page) = open(&world);
    assert_eq!(failure(&page), (400, false), "{}", page.response.text());
    world.provider.github().set_person(octocat());
    assert_eq!(browser.open(&world.url("/admin/x")).status(), 200, "the next try works");
    world.assert_silent(&[&browser]);
}

#[test]
fn no_token_of_github_is_a_bearer_token() {
    let world = world("basic", octocat());
    let (browser, _) = open(&world);
    let secrets = world.provider.secrets();
    let (_, token) = secrets.iter().find(|(name, _)| name == "access_token").unwrap();
    let request = Request::get(&world.url("/admin/x")).header("authorization", format!("Bearer {token}"));
    let response = world.browser().fetch(&world.url("/"), &request);
    assert_eq!(response.status, 401, "{}", response.text());
    world.assert_silent(&[&browser]);
}
