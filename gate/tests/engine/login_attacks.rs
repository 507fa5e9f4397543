//! Attacks on logins and sessions: what an attacker tries, and what comes of it.
//!
//! | file | what is attacked |
//! | --- | --- |
//! | `state` | the login under way: another browser, another attempt, another provider |
//! | `callback` | the query that a browser comes back with, its path and its method |
//! | `tokens` | what the provider answers: tokens, claims, refreshes |
//! | `session` | the session: as another credential, for another issuer, after another policy |
//! | `cookies` | where cookies come from and go to |
//! | `returns` | addresses: open redirects, hosts, header lines, markup |
//! | `own_paths` | `check`, `session`, and what looks like an own path |
//! | `cross_site` | requests that another site makes a browser send |
//! | `ledger` | everything that comes out, for every secret that was used |
//! | `floods` | what is kept of each attempt, and what no input may do |

mod callback;
mod cookies;
mod cross_site;
#[cfg(not(target_family = "wasm"))]
mod floods;
mod ledger;
mod own_paths;
mod returns;
mod session;
mod state;
mod tokens;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::browser::{Browser, HOST, Provider, login, start, status, world};
use crate::support::{Fetch, Outcome, World};

/// What a browser sends with a navigation that the person typed in.
const NAVIGATION: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "none")];

const SESSION: &str = "__Host-jotgate";
const LOGIN_COOKIE: &str = "__Host-jotgate-login";

/// A gate, the provider that it asks, and the browser of somebody who does nothing wrong.
struct Scene {
    world: World,
    provider: Provider,
    browser: Browser,
}

impl Scene {
    /// With `changes` to the top level of the configuration.
    fn new(changes: &Value) -> Self {
        Self::of(&login(changes))
    }

    fn of(config: &Value) -> Self {
        let mut provider = Provider::new();
        let world = world(config, &mut provider);
        Self { world, provider, browser: Browser::default() }
    }

    /// Somebody who is logged in.
    fn logged_in(changes: &Value) -> Self {
        let mut scene = Self::new(changes);
        scene.log_in();
        scene
    }

    fn log_in(&mut self) -> String {
        self.browser.log_in(&mut self.world, &mut self.provider, "/app")
    }

    /// Goes to a page, and waits for what the gate asks meanwhile.
    fn go(&mut self, path: &str) -> Outcome {
        let outcome = self.browser.navigate(&mut self.world, path);
        self.browser.finish(&mut self.world, &mut self.provider, outcome)
    }

    /// A script's request, likewise.
    fn fetch(&mut self, path: &str) -> Outcome {
        let outcome = self.browser.fetch(&mut self.world, path);
        self.browser.finish(&mut self.world, &mut self.provider, outcome)
    }

    /// The authorization request to which a page leads.
    fn begin(&mut self, path: &str) -> BTreeMap<String, String> {
        start(&self.go(path))
    }

    /// A login up to where the provider sends the browser back.
    fn way_back(&mut self) -> String {
        let query = self.begin("/app");
        self.provider.authorize(&query)
    }

    /// Another browser takes over, with these cookies.
    fn as_browser<T>(&mut self, browser: &mut Browser, act: impl FnOnce(&mut Self) -> T) -> T {
        std::mem::swap(&mut self.browser, browser);
        let result = act(self);
        std::mem::swap(&mut self.browser, browser);
        result
    }

    /// Goes to a page, where `answer` may have another answer than the provider's.
    fn go_with(
        &mut self,
        path: &str,
        answer: impl Fn(&mut Provider, &Fetch) -> Option<(&'static str, String)>,
    ) -> Outcome {
        let outcome = self.browser.navigate(&mut self.world, path);
        self.answer_with(outcome, answer)
    }

    /// What becomes of a request that waits, likewise.
    fn answer_with(
        &mut self,
        outcome: Outcome,
        answer: impl Fn(&mut Provider, &Fetch) -> Option<(&'static str, String)>,
    ) -> Outcome {
        if !matches!(outcome, Outcome::Waiting) {
            return outcome;
        }
        let id = self.world.last();
        while !self.world.fetches.is_empty() {
            let fetch = self.world.fetches.remove(0);
            let answered = answer(&mut self.provider, &fetch);
            let (status, body) = answered.unwrap_or_else(|| self.provider.answer(&fetch, &self.world));
            self.world.answer_to(&fetch, [(":status", status)], &body);
        }
        let outcome = self.world.resumed.remove(&id).expect("is decided");
        self.browser.keep(&outcome);
        outcome
    }

    /// How often a code or a refresh token was to be redeemed.
    fn redemptions(&self) -> usize {
        self.provider.asked.len()
    }

    fn is_logged_in(&self) -> bool {
        self.browser.cookies.contains_key(SESSION)
    }
}

/// The values of all lines called `name` of an answer.
fn lines<'o>(outcome: &'o Outcome, name: &str) -> Vec<&'o str> {
    let Outcome::Replied(reply) = outcome else { panic!("not replied: {outcome:?}") };
    reply.headers.iter().filter(|(found, _)| *found == name).map(|(_, value)| value.as_str()).collect()
}

fn body(outcome: &Outcome) -> &str {
    let Outcome::Replied(reply) = outcome else { panic!("not replied: {outcome:?}") };
    &reply.body
}

/// Whether an answer makes a session.
fn makes_session(outcome: &Outcome) -> bool {
    lines(outcome, "set-cookie").iter().any(|line| line.starts_with("__Host-jotgate=") && !line.contains("Max-Age=0"))
}

/// A configuration with two issuers and a login for each, `a` and `b`; `/b` is for users of the second.
fn two_logins() -> Value {
    let issuer = |name: &str, uri: &str| json!({"name": name, "issuer": uri, "audiences": ["api"], "keys": {"discovery": {}, "cluster": name}});
    let of = |name: &str| {
        json!({
            "name": name, "issuer": name, "scopes": ["openid", "offline_access"],
            "client": {"id": "dashboard", "secret": format!("secret-of-{name}")},
        })
    };
    login(&json!({
        "issuers": [issuer("a", "https://idp.example.com"), issuer("b", "https://other.example.com")],
        "login": [of("a"), of("b")],
        "rules": [
            {"name": "only-b", "match": {"paths": ["/b"]}, "access": {"issuers": ["b"]}},
            {"name": "all", "access": "authenticated"},
        ],
    }))
}

/// A request line by line, as this browser sends it, with other lines in place of its own.
fn send(world: &mut World, method: &str, path: &str, host: &str, more: &[(&str, &str)]) -> Outcome {
    let mut lines = vec![(":method", method), (":path", path), (":authority", host), (":scheme", "https")];
    lines.extend(more);
    world.send(&lines)
}

/// Encoded for a query.
fn encode(text: &str) -> String {
    oauth::form::encode(text).to_string()
}

/// Whether something gives access to the upstream.
fn is_forwarded(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Forwarded(_))
}

/// What a page or a problem document is called by its status.
fn failed_as(outcome: &Outcome, expected: u16) {
    assert_eq!(status(outcome), expected, "{outcome:?}");
    assert_eq!(lines(outcome, "location"), [""; 0], "no failure goes on by itself");
    assert!(!makes_session(outcome), "{outcome:?}");
    assert_eq!(lines(outcome, "cache-control"), ["no-store"]);
}

#[test]
fn the_scene_is_set() {
    let mut scene = Scene::new(&json!({}));
    assert!(!scene.is_logged_in());
    assert_eq!(scene.log_in(), "/app");
    assert!(scene.is_logged_in() && is_forwarded(&scene.go("/app")));
    assert_eq!(send(&mut scene.world, "GET", "/app", HOST, &[]).summary(), "401 missing_token");
}
