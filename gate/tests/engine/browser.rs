//! A browser and its provider: cookies are kept, redirects are followed, codes and refresh tokens are redeemed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Fetch, ISSUER, Key, NOW, Outcome, World, merge};

pub(crate) const HOST: &str = "dash.example.com";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A configuration with a login, with `changes` to its top level.
pub(crate) fn login(changes: &Value) -> Value {
    let mut config = json!({
        "issuers": [{
            "name": "main", "issuer": ISSUER, "audiences": ["api"], "keys": {"discovery": {}, "cluster": "idp"},
        }],
        "login": {
            "issuer": "main", "scopes": ["openid", "offline_access"],
            "client": {"id": "dashboard", "secret": "client-secret"},
        },
        "session": {"secrets": [SECRET], "publicUrl": format!("https://{HOST}")},
        "rules": [
            {"name": "public", "match": {"paths": ["/public"]}, "access": "public"},
            {"name": "all", "access": "authenticated"},
        ],
    });
    merge(&mut config, changes);
    config
}

/// What a provider does: codes and refresh tokens are good once.
pub(crate) struct Provider {
    pub(crate) key: Key,
    /// What is changed in the claims of ID tokens.
    pub(crate) changes: Value,
    /// The nonce of the login that is under way.
    pub(crate) nonce: String,
    refreshes: usize,
    /// What the token endpoint was asked, the newest last.
    pub(crate) asked: Vec<BTreeMap<String, String>>,
    /// The refresh tokens that are good.
    pub(crate) refresh_token: Option<String>,
    /// What the userinfo endpoint answers.
    pub(crate) userinfo: Value,
    /// Whether a refresh brings an ID token.
    pub(crate) renews_id_token: bool,
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self {
            key: Key::new("a"),
            changes: json!({}),
            nonce: String::new(),
            refreshes: 0,
            asked: Vec::new(),
            refresh_token: None,
            userinfo: json!({}),
            renews_id_token: true,
        }
    }

    /// Answers everything that the gate asks, until it asks nothing.
    pub(crate) fn serve(&mut self, world: &mut World) {
        self.serve_those(world, |_| true);
    }

    /// Likewise what is meant of it; the rest stays unanswered.
    pub(crate) fn serve_those(&mut self, world: &mut World, is_meant: impl Fn(&Fetch) -> bool) {
        while let Some(index) = world.fetches.iter().position(&is_meant) {
            let fetch = world.fetches.remove(index);
            let (status, body) = self.answer(&fetch, world);
            world.answer_to(&fetch, [(":status", status)], &body);
        }
    }

    /// What it answers to one question.
    pub(crate) fn answer(&mut self, fetch: &Fetch, world: &World) -> (&'static str, String) {
        match fetch.path.as_str() {
            "/.well-known/openid-configuration" => ("200", discovery().to_string()),
            "/jwks" => ("200", json!({"keys": [self.key.jwk()]}).to_string()),
            "/token" => self.token(&form(&fetch.body), world.now.since_epoch().as_secs()),
            "/userinfo" => ("200", self.userinfo.to_string()),
            "/revoke" => {
                self.refresh_token = None;
                ("200", String::new())
            }
            path => panic!("nobody asks for {path}"),
        }
    }

    fn token(&mut self, asked: &BTreeMap<String, String>, now: u64) -> (&'static str, String) {
        self.asked.push(asked.clone());
        let is_refresh = asked["grant_type"] == "refresh_token";
        if is_refresh && self.refresh_token.as_ref() != asked.get("refresh_token") {
            self.refresh_token = None;
            return ("400", json!({"error": "invalid_grant"}).to_string());
        }
        self.refreshes += 1;
        let refresh_token = format!("refresh-{}", self.refreshes);
        self.refresh_token = Some(refresh_token.clone());
        let mut answer = json!({
            "access_token": format!("access-{}", self.refreshes), "token_type": "Bearer", "refresh_token": refresh_token,
        });
        if !is_refresh || self.renews_id_token {
            answer["id_token"] = json!(self.id_token(now));
        }
        ("200", answer.to_string())
    }

    pub(crate) fn id_token(&self, now: u64) -> String {
        let mut changes =
            json!({"aud": "dashboard", "nonce": self.nonce, "iat": now, "exp": now + 3600, "email": "a@example.com"});
        merge(&mut changes, &self.changes);
        self.key.token(&changes)
    }
}

pub(crate) fn discovery() -> Value {
    let endpoint = |name: &str| format!("{ISSUER}/{name}");
    json!({
        "issuer": ISSUER, "jwks_uri": endpoint("jwks"), "authorization_endpoint": endpoint("authorize"),
        "token_endpoint": endpoint("token"), "end_session_endpoint": endpoint("logout"),
        "revocation_endpoint": endpoint("revoke"), "userinfo_endpoint": endpoint("userinfo"), "authorization_response_iss_parameter_supported": true,
    })
}

/// The parameters of a form or a query.
pub(crate) fn form(text: &[u8]) -> BTreeMap<String, String> {
    let parameters = oauth::form::Parameters::parse(text).expect("is a form");
    let names: Vec<_> = parameters.names().map(String::from).collect();
    let names = names.into_iter().map(|name| {
        let value = text_of(text, &name);
        (name, value)
    });
    names.collect()
}

fn text_of(text: &[u8], name: &str) -> String {
    let text = str::from_utf8(text).expect("is text");
    let raw = text.split('&').find_map(|pair| pair.split_once('=').filter(|(found, _)| *found == name));
    let raw = raw.expect("is there").1.replace('+', " ");
    let mut octets = Vec::new();
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().expect("digit"), rest.next().expect("digit")];
                let digits = str::from_utf8(&digits).expect("digits").to_string();
                octets.push(u8::from_str_radix(&digits, 16).expect("is a number"));
            }
            byte => octets.push(byte),
        }
    }
    String::from_utf8(octets).expect("is text")
}

/// A browser: it has cookies, and says what browsers say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Goes to a page.
    pub(crate) fn navigate(&mut self, world: &mut World, path: &str) -> Outcome {
        self.request(
            world,
            "GET",
            path,
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "none")],
        )
    }

    /// A script of the same site asks.
    pub(crate) fn fetch(&mut self, world: &mut World, path: &str) -> Outcome {
        self.request(
            world,
            "GET",
            path,
            &[("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")],
        )
    }

    pub(crate) fn request(&mut self, world: &mut World, method: &str, path: &str, headers: &[(&str, &str)]) -> Outcome {
        let outcome = self.send(world, method, path, headers);
        self.keep(&outcome);
        outcome
    }

    /// Sends a request, and keeps nothing of what comes back.
    pub(crate) fn send(&self, world: &mut World, method: &str, path: &str, headers: &[(&str, &str)]) -> Outcome {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut lines = vec![(":method", method), (":path", path), (":authority", HOST), (":scheme", "https")];
        lines.extend(headers);
        if !cookies.is_empty() {
            lines.push(("cookie", &cookies));
        }
        world.send(&lines)
    }

    /// Keeps the cookies of an answer.
    pub(crate) fn keep(&mut self, outcome: &Outcome) {
        if let Outcome::Replied(reply) = outcome {
            self.keep_lines(&reply.headers);
        }
    }

    /// Keeps the cookies among the lines of a response.
    pub(crate) fn keep_lines<N: AsRef<str>>(&mut self, lines: &[(N, String)]) {
        let lines = lines.iter().filter(|(name, _)| name.as_ref() == "set-cookie");
        lines.for_each(|(_, line)| self.set_cookie(line));
    }

    pub(crate) fn set_cookie(&mut self, line: &str) {
        let (pair, attributes) = line.split_once(';').expect("has attributes");
        let (name, value) = pair.split_once('=').expect("is a pair");
        match attributes.contains("Max-Age=0") {
            true => self.cookies.remove(name),
            false => self.cookies.insert(name.to_string(), value.to_string()),
        };
    }

    /// Logs in, from `path` on; says where that ends.
    pub(crate) fn log_in(&mut self, world: &mut World, provider: &mut Provider, path: &str) -> String {
        let started = self.navigate(world, path);
        let started = self.finish(world, provider, started);
        let query = start(&started);
        let back = provider.authorize(&query);
        let outcome = self.navigate(world, &back);
        let outcome = self.finish(world, provider, outcome);
        assert_eq!(status(&outcome), 303, "{outcome:?}");
        outcome.header("location").expect("leads on").to_string()
    }

    /// What becomes of a request that waits for the provider.
    pub(crate) fn finish(&mut self, world: &mut World, provider: &mut Provider, outcome: Outcome) -> Outcome {
        if !matches!(outcome, Outcome::Waiting) {
            return outcome;
        }
        let id = world.last();
        provider.serve(world);
        let outcome = world.resumed.remove(&id).expect("is decided");
        self.keep(&outcome);
        outcome
    }
}

impl Provider {
    /// The user agrees: the path at which the browser is back.
    pub(crate) fn authorize(&mut self, query: &BTreeMap<String, String>) -> String {
        self.nonce = query.get("nonce").cloned().unwrap_or_default();
        let encode = |text: &str| oauth::form::encode(text).to_string();
        format!("/.jotgate/callback?code=c&state={}&iss={}", query["state"], encode(ISSUER))
    }
}

pub(crate) fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Replied(reply) => reply.status,
        Outcome::Forwarded(_) => 200,
        Outcome::Waiting => 0,
    }
}

/// The authorization request that a redirect makes.
pub(crate) fn start(outcome: &Outcome) -> BTreeMap<String, String> {
    assert_eq!(status(outcome), 303, "{outcome:?}");
    let location = outcome.header("location").expect("leads on");
    let query = location.strip_prefix(&format!("{ISSUER}/authorize?")).expect("leads to the provider");
    form(query.as_bytes())
}

/// A world in which a browser has logged in by this configuration.
pub(crate) fn logged_in(config: &Value) -> (World, Provider, Browser) {
    let mut provider = Provider::new();
    let (mut world, mut browser) = (world(config, &mut provider), Browser::default());
    browser.log_in(&mut world, &mut provider, "/app");
    (world, provider, browser)
}

/// A world whose keys are there.
pub(crate) fn world(config: &Value, provider: &mut Provider) -> World {
    let mut world = World::new(config);
    world.holds_responses = true;
    provider.serve(&mut world);
    assert_eq!(world.now.since_epoch().as_secs(), NOW);
    world
}
