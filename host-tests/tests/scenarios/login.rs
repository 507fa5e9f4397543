//! People who log in to a dashboard: `login.yaml`, with a certified provider.

use std::sync::OnceLock;

use browsers::user_agent::UserAgent;
use real_envoy::http::{Request, Response};
use real_envoy::{Envoy, Port};
use serde_json::json;
use test_support::providers::{self, Provider};
use testbed::upstream::Upstream;

use crate::world::{refused, verdict};

const CLIENT_SECRET: &str = "a-secret-of-the-client";

struct Dashboard {
    provider: Provider,
    upstream: Upstream,
    envoy: Envoy,
    origin: String,
}

impl Dashboard {
    /// One for all tests; none where the provider is not installed.
    fn shared() -> Option<&'static Self> {
        static DASHBOARD: OnceLock<Option<Dashboard>> = OnceLock::new();
        DASHBOARD.get_or_init(|| providers::are_installed().then(Self::new)).as_ref()
    }

    fn new() -> Self {
        let port = Port::reserve().unwrap();
        let origin = format!("http://localhost:{}", port.number());
        let client = json!({
            "id": "dashboard", "authentication": "basic", "secret": CLIENT_SECRET,
            "redirectUris": [format!("{origin}/.jotgate/callback")],
            "postLogoutRedirectUris": [format!("{origin}/public/goodbye")],
        });
        let accounts = json!({"alice": {"groups": ["ops"]}});
        let provider = Provider::certified(&json!({"clients": [client], "accounts": accounts, "login": "forms"}));
        let upstream = Upstream::start(0).unwrap();
        let builder = Envoy::runnable("envoy-config/login.yaml").unwrap().reserved("gateway", port);
        let builder = builder.port("issuer", provider.address()).port("upstream", upstream.address());
        let builder = builder.env("OIDC_CLIENT_SECRET", CLIENT_SECRET);
        let envoy = builder.env("JOTGATE_SESSION_SECRET", &"secret ".repeat(8)).start().unwrap();
        Self { provider, upstream, envoy, origin }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Somebody's browser, in which they have logged in on the way to that path; and what they got.
    fn log_in(&self, name: &str, path: &str) -> (UserAgent, Response) {
        let mut browser = UserAgent::new();
        let form = browser.open(&self.url(path));
        assert_eq!((form.status(), form.url.origin()), (200, self.provider.issuer()), "{}", form.response.text());
        let consent = browser.submit(&form, &[("login", name), ("password", "any")]);
        let page = browser.submit(&consent, &[]);
        assert_eq!(page.url.as_str(), self.url(path), "{}", page.response.text());
        (browser, page.response)
    }

    fn fetch(&self, browser: &mut UserAgent, path: &str) -> Response {
        browser.fetch(&self.url("/"), &Request::get(&self.url(path)))
    }

    fn send(&self, request: &Request) -> Response {
        request.send(self.envoy.address("gateway")).unwrap()
    }
}

#[test]
fn a_login_leads_back_to_where_it_began() {
    let Some(world) = Dashboard::shared() else { return };
    let (mut browser, response) = world.log_in("bob", "/reports/7?tab=a");
    assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["bob".to_owned()]));
    assert_eq!(response.seen("x-auth-request-email"), ["bob@example.com"]);
    assert_eq!(response.seen("cookie"), [""; 0]);
    assert_eq!(world.fetch(&mut browser, "/data").status, 200);
}

#[test]
fn groups_of_the_provider_decide() {
    let Some(world) = Dashboard::shared() else { return };
    let ((_, alice), (_, bob)) = (world.log_in("alice", "/admin/users"), world.log_in("bob", "/admin/users"));
    assert_eq!((alice.status, alice.seen("x-auth-request-groups")), (200, vec!["ops".to_owned()]));
    assert_eq!(verdict(&bob), refused(403, "access_denied"));
}

#[test]
fn scripts_and_the_api_are_not_redirected() {
    let Some(world) = Dashboard::shared() else { return };
    let mut browser = UserAgent::new();
    assert_eq!(verdict(&world.fetch(&mut browser, "/data")), refused(401, "missing_token"));
    assert_eq!(browser.open(&world.url("/api/orders")).status(), 401);
    assert_eq!(world.send(&Request::get("/data")).json()["login"], "/.jotgate/login");
    assert_eq!(browser.open(&world.url("/public/x")).status(), 200);
}

#[test]
fn a_logout_says_goodbye() {
    let Some(world) = Dashboard::shared() else { return };
    let (mut browser, _) = world.log_in("carol", "/");
    let ask = browser.open(&world.url("/.jotgate/logout"));
    let page = browser.submit(&ask, &[("logout", "yes")]);
    assert_eq!((page.status(), page.url.path().as_str()), (200, "/public/goodbye"), "{}", page.response.text());
    assert_eq!(verdict(&world.fetch(&mut browser, "/data")), refused(401, "missing_token"));
    assert!(world.upstream.seen().iter().all(|seen| !seen.to_string().contains("jotgate=")));
}
