//! Everything that comes out, for every secret that was used.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{NAVIGATION, Scene, encode};
use crate::browser::{Browser, SECRET, login, start, status};
use crate::support::{ISSUER, NOW, Outcome, merge};

/// The secrets of a run, and what was written while they were used.
#[derive(Default)]
struct Ledger {
    secrets: BTreeSet<String>,
    written: Vec<String>,
}

impl Ledger {
    fn keep(&mut self, secret: &str) {
        assert!(secret.len() > 7, "`{secret}` may be anywhere");
        self.secrets.insert(secret.to_string());
    }

    /// The cookies that a browser has are secrets.
    fn keep_cookies(&mut self, browser: &Browser) {
        browser.cookies.values().for_each(|value| self.keep(value));
    }

    /// Writes down what one request led to: the answer but for its cookies and the address of the provider, log,
    /// properties, metrics.
    fn note(&mut self, scene: &mut Scene, outcome: &Outcome) {
        self.keep_cookies(&scene.browser);
        match outcome {
            Outcome::Replied(reply) => {
                self.written.push(reply.body.clone());
                let lines = reply.headers.iter().filter(|(name, _)| *name != "set-cookie");
                let lines = lines.filter(|(_, value)| !value.starts_with(ISSUER));
                self.written.extend(lines.map(|(name, value)| format!("{name}: {value}")));
            }
            Outcome::Forwarded(headers) => self.written.push(format!("{headers:?}")),
            Outcome::Waiting => {}
        }
        let (counter, properties) = scene.world.reported();
        self.written.push(format!("{counter} {properties:?}"));
        self.note_world(scene);
    }

    fn note_world(&mut self, scene: &mut Scene) {
        self.written.append(&mut scene.world.log);
        self.written.append(&mut scene.world.requests_log);
        self.written.push(format!("{:?}", scene.world.metrics));
        // What is shown of the engine where somebody debugs it.
        self.written.push(format!("{:?}", scene.world.gate()));
    }

    fn check(&self) {
        assert!(self.secrets.len() > 10 && self.written.len() > 50);
        for text in &self.written {
            for secret in &self.secrets {
                assert!(!text.contains(secret), "`{secret}` in {text:.2000}");
            }
        }
    }
}

fn config() -> Value {
    let mut login = login(&json!({}))["login"].clone();
    merge(
        &mut login,
        &json!({
            "userinfo": true, "endpoints": {"userinfo": "https://idp.example.com/userinfo"},
            "client": {"id": "dashboard", "secret": "the-client-secret"},
        }),
    );
    json!({
        "login": login,
        "session": {
            "secrets": [SECRET], "publicUrl": "https://dash.example.com", "keep": ["idToken", "accessToken"], "idle": "30m",
        },
    })
}

/// What the token endpoint answers in this run, with tokens that are found again.
fn tokens(ledger: &mut Ledger, scene: &Scene, run: &str, now: u64) -> String {
    let [access, refresh] = ["access", "refresh"].map(|kind| format!("secret-{kind}-token-{run}"));
    let id_token = scene.provider.id_token(now);
    for secret in [&access, &refresh, &id_token] {
        ledger.keep(secret);
    }
    id_token.split('.').for_each(|part| ledger.keep(part));
    json!({"access_token": access, "refresh_token": refresh, "id_token": id_token, "token_type": "Bearer"}).to_string()
}

/// What a request for tokens holds is secret, but for the names of things.
fn keep_request(ledger: &mut Ledger, scene: &Scene) {
    for fetch in &scene.world.fetches {
        for header in fetch.headers.iter().filter(|header| header.name == "authorization") {
            ledger.keep(&header.value);
            ledger.keep(header.value.split(' ').next_back().unwrap_or_default());
        }
        if fetch.path == "/token" {
            let form = crate::browser::form(&fetch.body);
            let is_secret = |name: &str| matches!(name, "code" | "code_verifier" | "refresh_token" | "client_secret");
            form.iter().filter(|(name, _)| is_secret(name)).for_each(|(_, value)| ledger.keep(value));
        }
    }
}

/// Answers until nothing is asked; what the token endpoint says is `answer`.
fn serve(ledger: &mut Ledger, scene: &mut Scene, outcome: Outcome, answer: (&'static str, &str)) -> Outcome {
    let id = scene.world.last();
    while !scene.world.fetches.is_empty() {
        keep_request(ledger, scene);
        let fetch = scene.world.fetches.remove(0);
        let (status, body) = match &*fetch.path {
            "/token" => (answer.0, answer.1.to_string()),
            "/userinfo" => ("200", json!({"sub": "alice", "email": "a@example.com"}).to_string()),
            _ => scene.provider.answer(&fetch, &scene.world),
        };
        scene.world.answer_to(&fetch, [(":status", status)], &body);
    }
    match outcome {
        Outcome::Waiting => {
            let outcome = scene.world.resumed.remove(&id).expect("is decided");
            scene.browser.keep(&outcome);
            outcome
        }
        outcome => outcome,
    }
}

/// The way back of a login that begins now, whose state, nonce and challenge are secrets from then on.
fn begin(ledger: &mut Ledger, scene: &mut Scene, code: &str) -> String {
    let outcome = scene.go("/app?page=1");
    ledger.note(scene, &outcome);
    let query = start(&outcome);
    for name in ["state", "nonce", "code_challenge"] {
        ledger.keep(&query[name]);
    }
    ledger.keep(code);
    scene.provider.authorize(&query);
    format!("/.jotgate/callback?code={code}&state={}&iss={}", query["state"], encode(ISSUER))
}

#[test]
fn no_secret_is_written_anywhere() {
    let mut ledger = Ledger::default();
    for secret in [SECRET, "the-client-secret"] {
        ledger.keep(secret);
    }
    let mut scene = Scene::new(&config());
    // Logins that fail in every way.
    for (run, answer) in [
        ("400", "{\"error\":\"invalid_grant\",\"error_description\":\"code secret-code-400 is secret-answer\"}"),
        ("401", "{\"error\":\"secret-answer\"}"),
        ("500", "secret-answer"),
        ("200", "{\"access_token\":\"secret-answer\",\"token_type\":\"secret-answer\"}"),
        ("200", "{\"access_token\":\"secret-answer\",\"token_type\":\"bearer\",\"id_token\":\"secret-answer.a.b\"}"),
        ("200", "{\"access_token\":\"secret-answer\",\"access_token\":\"secret-answer\"}"),
        ("302", "secret-answer"),
    ] {
        ledger.keep("secret-answer");
        let back = begin(&mut ledger, &mut scene, &format!("secret-code-{run}"));
        for request in [&NAVIGATION[..], &[("accept", "application/json")]] {
            let outcome = scene.browser.request(&mut scene.world, "GET", &back, request);
            let outcome = serve(&mut ledger, &mut scene, outcome, (run, answer));
            assert!(status(&outcome) >= 400);
            ledger.note(&mut scene, &outcome);
        }
    }
    // Callbacks that are not this browser's, or malformed.
    let back = begin(&mut ledger, &mut scene, "secret-code-foreign");
    for path in [
        back.replace("iss=", "iss=secret-issuer"),
        format!("{back}&code=secret-code-foreign"),
        format!("{back}&error=secret-error-text&error_description=secret-error-text"),
        back.replace("code=", "error=secret-error-text"),
        format!("{back}%00"),
    ] {
        ledger.keep("secret-issuer");
        ledger.keep("secret-error-text");
        let outcome = scene.go(&path);
        ledger.note(&mut scene, &outcome);
        let mut other = Browser::default();
        let outcome = scene.as_browser(&mut other, |scene| scene.go(&path));
        ledger.note(&mut scene, &outcome);
    }
    // One that succeeds, with what it is used for.
    let back = begin(&mut ledger, &mut scene, "secret-code-good");
    let answer = tokens(&mut ledger, &scene, "login", NOW);
    let outcome = scene.browser.navigate(&mut scene.world, &back);
    let outcome = serve(&mut ledger, &mut scene, outcome, ("200", &answer));
    assert_eq!(status(&outcome), 303, "{:?}", scene.world.log);
    ledger.note(&mut scene, &outcome);
    for path in ["/app", "/public", "/.jotgate/session", "/.jotgate/check?path=/app", "/.jotgate/login", &back, "/a//b"]
    {
        let outcome = scene.fetch(path);
        ledger.note(&mut scene, &outcome);
    }
    // Refreshes that fail and succeed.
    for (run, answer) in [("500", "secret-answer"), ("200", "{\"access_token\":\"secret-answer\"}")] {
        scene.world.pass(Duration::from_secs(301));
        let outcome = scene.browser.fetch(&mut scene.world, "/app");
        let outcome = serve(&mut ledger, &mut scene, outcome, (run, answer));
        ledger.note(&mut scene, &outcome);
    }
    // An answer that cannot be used counts for a minute.
    scene.world.pass(Duration::from_secs(65));
    let now = scene.world.now.since_epoch().as_secs();
    let answer = tokens(&mut ledger, &scene, "refresh", now);
    let outcome = scene.browser.fetch(&mut scene.world, "/app");
    let outcome = serve(&mut ledger, &mut scene, outcome, ("200", &answer));
    assert_eq!(status(&outcome), 200, "{outcome:?}");
    ledger.note(&mut scene, &outcome);
    let response = scene.world.respond(scene.world.last(), &[(":status", "200")]);
    for (_, line) in response.iter().filter(|(name, _)| name == "set-cookie") {
        scene.browser.set_cookie(line);
    }
    ledger.keep_cookies(&scene.browser);
    // A logout: the ID token is the hint that goes to the provider, and nowhere else.
    let outcome =
        scene.browser.request(&mut scene.world, "POST", "/.jotgate/logout", &[("sec-fetch-site", "same-origin")]);
    let outcome = serve(&mut ledger, &mut scene, outcome, ("200", ""));
    ledger.note(&mut scene, &outcome);
    let log: Vec<_> = ledger.written.iter().filter(|text| text.contains("refresh")).collect();
    assert_eq!(scene.world.metrics.get("jotgate_sessions_refreshed"), Some(&1), "{log:#?}");
    ledger.check();
}
