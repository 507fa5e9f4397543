//! A provider, an upstream, an Envoy with the plugin between them, and what a test needs to look at them.

use std::net::SocketAddr;
use std::sync::LazyLock;

use browsers::user_agent::{Page, UserAgent};
use real_envoy::http::{Request, Response};
use real_envoy::{Bootstrap, Envoy, Port, SharedEnvoy};
use serde_json::{Value, json};
use test_support::providers;
use testbed::github::{App, GitHub, Person};
use testbed::issuer::{Authentication, Client, Issuer, Options};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

use crate::github;
use crate::ledger::Ledger;
use crate::provider::Provider;
use crate::setup::{CLIENT_SECRET, SESSION_SECRET, Setup, merged};
use crate::shared::{self, KEYS};

static SHARED: LazyLock<SharedEnvoy> = LazyLock::new(|| shared::start(with_environment));

fn with_environment(bootstrap: Bootstrap) -> Bootstrap {
    shared::environment(bootstrap, &[])
}

pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) upstream: Upstream,
    pub(crate) envoy: Envoy,
    /// The origin that people know.
    pub(crate) origin: String,
}

impl World {
    /// At oidc-provider; none where it is not installed.
    pub(crate) fn certified(setup: &Setup) -> Option<Self> {
        if !providers::are_installed() {
            return None;
        }
        let start = |origin: &str| {
            let client = json!({
                "id": "dashboard", "authentication": setup.authentication, "secret": setup.client.get("secret"),
                "redirectUris": [format!("{origin}/.jotgate/callback")], "postLogoutRedirectUris": [format!("{origin}/")],
            });
            let client = merged(client, setup.provider.get("client").unwrap_or(&json!({})));
            let accounts = json!({"alice": {"groups": ["ops"]}, "bob": {"groups": ["people"]}});
            let options = json!({"clients": [client], "accounts": accounts});
            let changes = merged(setup.provider.clone(), &json!({"client": null}));
            Provider::Certified(providers::Provider::certified(&merged(options, &changes)))
        };
        Some(Self::start(setup, start))
    }

    /// At oidc-provider-mock; none where it is not installed.
    pub(crate) fn mock(setup: &Setup) -> Option<Self> {
        let user = json!({"sub": "alice", "email": "alice@example.com", "groups": ["ops"]});
        let start = |_: &str| Provider::Mock(providers::Provider::mock(&user));
        providers::are_installed().then(|| Self::start(setup, start))
    }

    /// At the testbed's issuer, which has flaws on demand.
    pub(crate) fn flawed(setup: &Setup) -> Self {
        Self::start(setup, |_| {
            let client = Client::new("dashboard", Authentication::Basic(CLIENT_SECRET.into()));
            let options = Options { clients: vec![client], algorithms: vec![Algorithm::ES256], ..Options::default() };
            Provider::Flawed(Box::new(Issuer::start(options).unwrap()))
        })
    }

    /// At the testbed's GitHub.
    pub(crate) fn github(setup: &Setup, person: Person) -> Self {
        Self::start(setup, |origin| {
            let callback = format!("{origin}/.jotgate/callback");
            let app = App { id: "dashboard".into(), secret: github::SECRET.into(), callback };
            Provider::GitHub(GitHub::start(app, person).unwrap())
        })
    }

    fn start(setup: &Setup, start: impl FnOnce(&str) -> Provider) -> Self {
        let port = Port::reserve().unwrap();
        let origin = setup.public_url.map_or_else(|| format!("http://localhost:{}", port.number()), str::to_owned);
        let (provider, upstream) = (start(&origin), Upstream::start(0).unwrap());
        let configuration = setup.configuration(&provider.issuer(), &origin);
        let bootstrap = Bootstrap::new(upstream.address()).cluster("provider", provider.address());
        let bootstrap = (setup.bootstrap)(with_environment(bootstrap.plugin(&configuration.to_string())));
        let envoy = SHARED.add_at(&bootstrap, [("gateway", port)]).unwrap_or_else(|error| panic!("{error}"));
        Self { provider, upstream, envoy, origin }
    }

    pub(crate) fn gateway(&self) -> SocketAddr {
        self.envoy.address("gateway")
    }

    /// Somebody's browser, without any cookie.
    pub(crate) fn browser(&self) -> UserAgent {
        UserAgent::new().at(&self.origin, self.gateway())
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// A browser in which somebody is logged in.
    pub(crate) fn logged_in(&self) -> UserAgent {
        let mut browser = self.browser();
        let page = browser.open(&self.url("/"));
        assert_eq!((page.status(), page.url.as_str()), (200, self.url("/").as_str()), "{}", page.response.text());
        browser
    }

    /// What a script on a page of the origin gets.
    pub(crate) fn fetch(&self, browser: &mut UserAgent, path: &str) -> Response {
        browser.fetch(&self.url("/"), &Request::get(&self.url(path)))
    }

    /// Nothing that was written since has a secret: neither the log nor metrics, the access log, what the upstream saw,
    /// nor the pages and problem documents of the gate. Every test ends with it.
    pub(crate) fn assert_silent(&self, browsers: &[&UserAgent]) {
        let mut ledger = Ledger::default();
        ledger.add("client_secret", CLIENT_SECRET);
        ledger.add("session secret", SESSION_SECRET);
        for key in KEYS.iter() {
            let jwk = key.private_jwk().unwrap();
            ledger.add("private key", jwk["d"].as_str().unwrap());
        }
        ledger.add_all(self.provider.secrets());
        for browser in browsers {
            ledger.add_browser(browser);
        }
        assert!(ledger.len() > 2, "secrets were used");
        ledger.assert_absent("the log", &self.envoy.log());
        ledger.assert_absent("a metric", &self.envoy.admin_get("/stats").unwrap().text());
        // The access log of these tests has paths with their query, and that of a callback is Envoy's to write.
        for mut entry in self.envoy.access_log(0) {
            entry["path"] = Value::Null;
            ledger.assert_absent("the access log", &entry.to_string());
        }
        for seen in self.upstream.seen() {
            ledger.assert_absent("a request to the upstream", &seen.to_string());
        }
        for exchange in browsers.iter().flat_map(|browser| &browser.history) {
            if exchange.url.origin() == self.origin {
                ledger.assert_absent("a body", &exchange.response.text());
            }
        }
    }
}

/// The page of a login that has failed: its status, and whether it leads on by itself, which none may.
pub(crate) fn failure(page: &Page) -> (u16, bool) {
    let text = page.response.text();
    let is_page = page.response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    assert!(is_page, "{} {text}", page.status());
    let goes_on =
        page.response.header("refresh").is_some() || text.to_ascii_lowercase().contains("http-equiv=\"refresh\"");
    (page.status(), goes_on)
}
