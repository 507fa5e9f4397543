//! What requests get that are no navigation, and the paths of the gate's own.

use browsers::user_agent::{Url, UserAgent};
use real_envoy::http::{Connection, Request, Response};
use serde_json::json;
use testbed::issuer::{Behaviour, TokenRequest};
use testbed::mint::object;

use crate::setup::Setup;
use crate::world::World;

fn problem(response: &Response) -> (u16, String, String) {
    let document = response.json();
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    (response.status, text("reason"), text("login"))
}

fn no_token() -> (u16, String, String) {
    (401, "missing_token".into(), "/.jotgate/login".into())
}

/// A navigation as browsers sent it before there was `Sec-Fetch-Mode`.
fn old_navigation(world: &World) -> Request {
    let authority = Url::parse(&world.origin).authority();
    Request::get("/x").header("host", authority).header("accept", "text/html,*/*;q=0.8")
}

#[test]
fn only_a_navigation_is_redirected() {
    let world = World::flawed(&Setup::default());
    let mut browser = world.browser();
    let (page, target) = (world.url("/"), world.url("/x"));
    assert_eq!(problem(&browser.fetch(&page, &Request::get(&target))), no_token());
    assert_eq!(problem(&browser.fetch(&page, &Request::new("POST", &target).body("a=b"))), no_token());
    assert_eq!(problem(&browser.image(&page, &target)), no_token());
    assert_eq!(problem(&browser.frame(&page, &target)), no_token());
    let send = |request: Request| request.send(world.gateway()).unwrap();
    assert_eq!(send(old_navigation(&world)).status, 303);
    assert_eq!(problem(&send(old_navigation(&world).header("x-requested-with", "XMLHttpRequest"))), no_token());
    assert_eq!(problem(&send(Request::get("/x").header("accept", "application/json"))), no_token());
    assert_eq!(problem(&send(Request::get("/x"))), no_token());
    // A rule may challenge instead.
    assert_eq!(browser.open(&world.url("/api/x")).status(), 401);
    assert_eq!(browser.open(&world.url("/public/x")).status(), 200);
    assert_eq!(world.upstream.count(), 1);
}

#[test]
fn a_form_that_comes_too_late_is_told_that_nothing_was_sent() {
    let world = World::flawed(&Setup::default());
    let mut browser = world.browser();
    let form = Request::new("POST", &world.url("/orders")).header("content-type", "text/plain").body("the order");
    let page = browser.send(&world.url("/"), form);
    assert_eq!((page.status(), page.passed.len()), (401, 0));
    assert!(page.response.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert!(!page.response.text().contains("the order"), "{}", page.response.text());
    assert!(page.links().iter().any(|link| link.starts_with("/.jotgate/login")), "{}", page.response.text());
    assert_eq!(world.upstream.count(), 0);
}

#[test]
fn sockets_and_grpc_get_answers_of_their_own() {
    let world = World::flawed(&Setup::default());
    let browser = world.browser();
    let upgrade = Request::get(&world.url("/ws")).header("connection", "Upgrade").header("upgrade", "websocket");
    let upgrade = upgrade.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let socket = browser.web_socket(&world.url("/"), &upgrade);
    assert_eq!(problem(&socket.send(world.gateway()).unwrap()), no_token());
    let authority = Url::parse(&world.origin).authority();
    let call = Request::new("POST", "/a.B/C").header("host", authority).header("content-type", "application/grpc");
    let answer = call.send(world.gateway()).unwrap();
    assert_eq!((answer.status, answer.header("grpc-status").as_deref()), (200, Some("16")));
}

#[test]
fn a_bearer_token_is_meant_where_there_is_one() {
    let world = World::flawed(&Setup::default());
    let mut browser = world.logged_in();
    let token = |subject: &str, lifetime| {
        let aud = Some(vec!["dashboard".to_owned()]);
        let request = TokenRequest { aud, lifetime: Some(lifetime), ..TokenRequest::subject(subject) };
        world.provider.flawed().token(&request).unwrap()
    };
    let ask = |browser: &mut UserAgent, token: &str| {
        browser.fetch(&world.url("/"), &Request::get(&world.url("/x")).bearer(token))
    };
    assert_eq!(ask(&mut browser, &token("robot", 60)).seen("x-auth-request-user"), ["robot"]);
    assert_eq!(problem(&ask(&mut browser, &token("robot", -600))).1, "expired", "the session is not looked at");
    // Nor is such a navigation a redirect.
    let mut stranger = world.browser();
    let page = stranger.send(&world.url("/"), Request::get(&world.url("/x")).bearer("nonsense"));
    assert_eq!((page.status(), page.passed.len()), (401, 0));
    world.assert_silent(&[&browser]);
}

#[test]
fn what_a_caller_may_not_do_is_no_redirect() {
    let world = World::flawed(&Setup::default());
    let groups = |groups| Behaviour { user: object(json!({ "groups": groups })), ..Behaviour::default() };
    world.provider.flawed().set_behaviour(groups(json!(["people"])));
    let mut browser = world.logged_in();
    let page = browser.open(&world.url("/admin/x"));
    assert_eq!((page.status(), page.passed.len(), problem(&page.response).1.as_str()), (403, 0, "access_denied"));
    world.provider.flawed().set_behaviour(groups(json!(["ops", "people"])));
    let mut browser = world.logged_in();
    let response = browser.open(&world.url("/admin/x")).response;
    assert_eq!((response.status, response.seen("x-auth-request-groups")), (200, vec!["ops,people".to_owned()]));
    world.assert_silent(&[&browser]);
}

#[test]
fn no_answer_tells_why_a_session_is_not_good() {
    let world = World::flawed(&Setup::default());
    let mut browser = world.logged_in();
    let good = browser.jar.get("jotgate").unwrap().value.clone();
    let first = world.fetch(&mut browser.clone(), "/x");
    assert_eq!(first.status, 200);
    let mut forged = good.clone();
    // A letter in the middle, which is of the ciphertext.
    let middle = forged.len() / 2;
    forged.replace_range(middle..=middle, if forged.get(middle..=middle) == Some("A") { "B" } else { "A" });
    let mut answers = Vec::new();
    let (shorter, _) = good.split_at(good.len() - 1);
    for bad in [forged.as_str(), "", "A", shorter, &format!("{good}A"), &good.to_lowercase()] {
        browser.jar.change("jotgate", bad);
        let answer = world.fetch(&mut browser, "/x");
        assert_eq!(problem(&answer), no_token(), "{bad}");
        assert!(answer.head.all("set-cookie").is_empty(), "never does the answer to a script delete a cookie");
        answers.push(answer.text());
        assert_eq!(browser.clone().open(&world.url("/x")).status(), 200, "a navigation logs in again");
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    world.assert_silent(&[&browser]);
}

#[test]
fn the_upstream_never_sees_the_gates_cookies() {
    let world = World::flawed(&Setup::default());
    let mut browser = world.browser();
    let origin = Url::parse(&world.origin);
    browser.jar.store(&origin, "theme=dark; Path=/");
    browser.open(&world.url("/"));
    browser.jar.store(&origin, "last=1; Path=/");
    for path in ["/x", "/public/x"] {
        let seen = browser.open(&world.url(path)).response.seen("cookie");
        assert_eq!(seen, ["theme=dark; last=1"], "{path}");
    }
    // A login that is under way has a cookie of its own.
    let mut other = world.browser();
    world.provider.flawed().set_behaviour(Behaviour { page: true, ..Behaviour::default() });
    other.open(&world.url("/"));
    assert_eq!(other.jar.names().len(), 1, "{:?}", other.jar.names());
    assert_eq!(other.open(&world.url("/public/x")).response.seen("cookie"), [""; 0]);
    world.assert_silent(&[&browser, &other]);
}

#[test]
fn pages_learn_who_is_logged_in_and_no_token() {
    let world = World::flawed(&Setup::default());
    let stranger = world.fetch(&mut world.browser(), "/.jotgate/session");
    assert_eq!((stranger.status, &stranger.json()["authenticated"]), (200, &json!(false)));
    assert_eq!(stranger.json()["login"], "/.jotgate/login");
    let mut browser = world.logged_in();
    let answer = world.fetch(&mut browser, "/.jotgate/session");
    let known = answer.json();
    let expected = json!([true, "alice", "alice@example.com", "/.jotgate/logout"]);
    assert_eq!(json!([known["authenticated"], known["subject"], known["email"], known["logout"]]), expected);
    assert!(known["expiresIn"].as_u64().is_some_and(|left| left > 0), "{known}");
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
    world.assert_silent(&[&browser]);
}

#[test]
fn a_check_says_what_a_rule_would() {
    let world = World::flawed(&Setup::default());
    let (mut stranger, mut alice) = (world.browser(), world.logged_in());
    for (query, of_stranger, of_alice) in [
        ("", 401, 200),
        ("?path=/public/x", 200, 200),
        ("?path=/x", 401, 200),
        ("?path=/admin/x", 401, 403),
        ("?path=/x&method=POST", 401, 200),
    ] {
        let path = format!("/.jotgate/check{query}");
        let (first, second) = (world.fetch(&mut stranger, &path), world.fetch(&mut alice, &path));
        assert_eq!((first.status, second.status), (of_stranger, of_alice), "{query}");
        // It never redirects, not even a navigation.
        assert_eq!(stranger.open(&world.url(&path)).status(), of_stranger, "{query}");
    }
    assert_eq!(world.upstream.seen().iter().filter(|seen| seen["path"].to_string().contains("check")).count(), 0);
    world.assert_silent(&[&alice]);
}

#[test]
fn the_gates_paths_are_on_its_own_host_alone() {
    let world = World::flawed(&Setup::default());
    for path in ["/.jotgate/session", "/.jotgate/check?path=/public/x", "/.jotgate/callback?code=a&state=b"] {
        let request = Request::get(path).header("host", "elsewhere.example.com");
        let answer = request.send(world.gateway()).unwrap();
        assert_eq!((answer.status, answer.json()["reason"].as_str()), (401, Some("missing_token")), "{path}");
    }
    // What a client says of a host does not count.
    let request =
        old_navigation(&world).header("x-forwarded-host", "evil.example.com").header("forwarded", "host=evil");
    let location = request.send(world.gateway()).unwrap().header("location").unwrap();
    let redirect_uri = Url::parse(&location).parameter("redirect_uri");
    assert_eq!(redirect_uri, Some(world.url("/.jotgate/callback")));
}

#[test]
fn a_login_returns_only_to_where_it_may() {
    let world =
        World::flawed(&Setup { session: json!({"returnTo": ["https://docs.example.com"]}), ..Setup::default() });
    for (asked, expected) in [
        ("/reports?a=b", "/reports?a=b"),
        ("https%3A%2F%2Fdocs.example.com%2Fx", "https://docs.example.com/x"),
        ("https%3A%2F%2Fdocs.example.com.evil.net%2F", "/"),
        ("https%3A%2F%2Fdocs.example.com%40evil.net%2F", "/"),
        ("%2F%2Fevil.net", "/"),
        ("%2F%5Cevil.net", "/"),
        ("%5C%5Cevil.net", "/"),
        ("javascript%3Aalert(1)", "/"),
        ("%2F%09%2Fevil.net", "/"),
        ("", "/"),
    ] {
        for name in ["returnTo", "rd"] {
            let mut browser = world.browser();
            let callback = follow_to_callback(&world, &mut browser, &format!("/.jotgate/login?{name}={asked}"));
            let location = callback.header("location").unwrap_or_default();
            let relative = location.strip_prefix(&world.origin).unwrap_or(&location);
            assert_eq!((callback.status, relative), (303, expected), "{name}={asked}");
        }
    }
}

/// The response of the callback to a login that begins at that path.
fn follow_to_callback(world: &World, browser: &mut UserAgent, path: &str) -> Response {
    let authority = Url::parse(&world.origin).authority();
    let get = |browser: &UserAgent, target: &str| {
        let mut connection = Connection::open(world.gateway()).unwrap();
        let cookies: Vec<_> =
            browser.jar.names().iter().map(|name| format!("{name}={}", browser.jar.get(name).unwrap().value)).collect();
        let request = Request::get(target).header("host", &authority).header("sec-fetch-mode", "navigate");
        let request = request.header("sec-fetch-dest", "document").header("accept", "text/html");
        connection.send(&request.header("cookie", cookies.join("; "))).unwrap()
    };
    let start = get(browser, path);
    for line in start.head.all("set-cookie") {
        browser.jar.store(&Url::parse(&world.origin), &line);
    }
    let provider = Url::parse(&start.header("location").unwrap_or_else(|| panic!("{path}: {}", start.text())));
    let answer = Request::get(&provider.target()).send(world.provider.address()).unwrap();
    let callback = Url::parse(&answer.header("location").unwrap());
    get(browser, &callback.target())
}
