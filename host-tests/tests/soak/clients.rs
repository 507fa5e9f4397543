//! Those who send requests, each on a thread of its own.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use browsers::user_agent::UserAgent;
use real_envoy::http::{Connection, Request, Response};
use serde_json::Map;
use test_support::random::Random;
use testbed::flaws::Flaw;
use testbed::issuer::TokenRequest;
use testbed::keys::SigningKey;
use testbed::mint::{mint, usual_claims};

use crate::ledger::{ALLOWED, Ledger, kind};
use crate::trouble::{Doubt, Trouble};
use crate::world::World;

/// What tokens get whose keys are not known: the fetch that they wait for may fail, or too many may wait.
const NO_KEY: [&str; 3] = ["unknown_key", "keys_unavailable", "overloaded"];
/// After that, an answer about an opaque token is asked for anew (`cacheFor`), whatever fractions of a second are.
const LOOKED_UP_ANEW: Duration = Duration::from_millis(2100);

pub(crate) struct Client<'w> {
    world: &'w World,
    trouble: &'w Trouble,
    ledger: &'w Ledger,
    random: Random,
    connection: Option<Connection>,
}

impl<'w> Client<'w> {
    pub(crate) fn new(world: &'w World, trouble: &'w Trouble, ledger: &'w Ledger, seed: u64) -> Self {
        Self { world, trouble, ledger, random: Random::new(seed), connection: None }
    }

    /// Sends signed tokens, of which some come often.
    pub(crate) fn sign(mut self) {
        let mut tokens: Vec<(String, SigningKey)> = Vec::new();
        while self.goes_on(Duration::from_millis(15)) {
            tokens.retain(|(_, key)| self.trouble.is_published(key));
            if tokens.len() < 20 || self.random.once_in(5) {
                let key = self.trouble.key(&mut self.random);
                tokens.push((self.mint(&key), key));
            }
            if tokens.len() > 30 {
                tokens.remove(0);
            }
            let (token, key) = tokens[self.random.below(tokens.len())].clone();
            let request = Request::get("/api/x").bearer(&token).header("x-auth-request-user", "mallory");
            // A rotation may have begun since: then the answer is in doubt.
            self.send(&format!("a token of {}", key.kid()), &request, &[ALLOWED], Doubt::Keys, &NO_KEY);
            let write = Request::new("PUT", "/api/x").bearer(&token);
            self.send("a token without the scope", &write, &["insufficient_scope"], Doubt::Keys, &NO_KEY);
            self.send("a public path", &Request::get("/public/x"), &[ALLOWED], Doubt::None, &[]);
        }
    }

    /// Floods the gate with what is no good.
    pub(crate) fn flood(mut self) {
        let flawed = |flaw: Flaw| TokenRequest { flaw, ..TokenRequest::subject("alice") };
        let expired = TokenRequest { lifetime: Some(-600), ..TokenRequest::default() };
        let foreign = TokenRequest { aud: Some(vec!["another".into()]), ..TokenRequest::default() };
        let bad = [
            (flawed(Flaw::AlgNone), "unsupported_algorithm"),
            (flawed(Flaw::BadSignature), "bad_signature"),
            (flawed(Flaw::Tampered), "bad_signature"),
            (flawed(Flaw::ForeignKey), "bad_signature"),
            (flawed(Flaw::Padded), "malformed_token"),
            (expired, "expired"),
            (foreign, "wrong_audience"),
        ];
        while self.goes_on(Duration::from_millis(200)) {
            for (request, reason) in &bad {
                let token = self.world.signer.token(request).unwrap();
                // Its key may be a new one.
                self.send(reason, &Request::get("/api/x").bearer(&token), &[reason], Doubt::Keys, &NO_KEY);
            }
            self.send("without a token", &Request::get("/api/x"), &["missing_token"], Doubt::None, &[]);
            let nonsense = Request::get("/api/x").bearer("nonsense");
            self.send("nonsense", &nonsense, &["malformed_token"], Doubt::None, &[]);
            let unknown = self.world.signer.token(&flawed(Flaw::UnpublishedKey)).unwrap();
            self.send("an unknown key", &Request::get("/api/x").bearer(&unknown), &NO_KEY, Doubt::None, &[]);
            if let Some(key) = self.trouble.withdrawn() {
                let request = Request::get("/api/x").bearer(&self.mint(&key));
                self.send("a key that was withdrawn", &request, &NO_KEY, Doubt::None, &[]);
            }
        }
    }

    /// Sends tokens that only their issuer can read.
    pub(crate) fn look_up(mut self) {
        let opaque =
            TokenRequest { opaque: Some("gt-".into()), lifetime: Some(86_400), ..TokenRequest::subject("alice") };
        let (mut tokens, mut revoked) = (Vec::new(), Vec::<(Instant, String)>::new());
        let no_answer = ["introspection_unavailable", "overloaded"];
        while self.goes_on(Duration::from_millis(50)) {
            if tokens.len() < 5 || self.random.once_in(5) {
                tokens.push(self.world.reader.token(&opaque).unwrap());
            }
            let request = Request::get("/api/x").bearer(&tokens[self.random.below(tokens.len())]);
            self.send("an opaque token", &request, &[ALLOWED], Doubt::Reader, &no_answer);
            let made_up = Request::get("/api/x").bearer(&format!("gt-{}", self.random.number()));
            self.send("an opaque token that is made up", &made_up, &["inactive_token"], Doubt::Reader, &no_answer);
            if tokens.len() > 10 {
                let token = tokens.remove(0);
                self.world.reader.revoke(&token);
                revoked.push((Instant::now(), token));
            }
            if revoked.first().is_some_and(|(since, _)| since.elapsed() > LOOKED_UP_ANEW) {
                let request = Request::get("/api/x").bearer(&revoked.remove(0).1);
                self.send("a revoked opaque token", &request, &["inactive_token"], Doubt::Reader, &no_answer);
            }
        }
    }

    /// Logs in with a browser, works, and logs out, again and again.
    pub(crate) fn browse(mut self) {
        let origin = self.world.origin();
        let home = format!("{origin}/");
        let mut browser = None;
        while self.goes_on(Duration::from_millis(150)) {
            browser = match browser {
                // A login needs the provider.
                None if self.trouble.is_in_doubt(Doubt::Provider) => None,
                None => self.log_in(&home),
                Some(mut agent) => {
                    self.work(&mut agent, &home);
                    let leaves = self.random.once_in(60) && !self.trouble.is_in_doubt(Doubt::Provider);
                    if leaves { self.log_out(agent, &home) } else { Some(agent) }
                }
            };
        }
    }

    fn log_in(&self, home: &str) -> Option<UserAgent> {
        let mut agent = UserAgent::new();
        let page = agent.open(home);
        let is_home = page.status() == 200 && page.url.as_str() == home;
        self.count_all(&mut agent, home);
        if is_home {
            self.ledger.logged_in();
        } else if !self.trouble.is_in_doubt(Doubt::Provider) {
            self.ledger.wrong(format!("a login ended at {} with {}", page.url.path(), page.status()));
        }
        is_home.then_some(agent)
    }

    /// A session outlasts all trouble of its provider.
    fn work(&self, agent: &mut UserAgent, home: &str) {
        let response = agent.fetch(home, &Request::get(&format!("{home}data")));
        self.judge("a session", &response, &[ALLOWED]);
        agent.history.clear();
    }

    fn log_out(&self, mut agent: UserAgent, home: &str) -> Option<UserAgent> {
        let page = agent.open(&format!("{home}.jotgate/logout"));
        self.count_all(&mut agent, home);
        self.ledger.logged_out();
        if page.status() != 200 || page.url.path() != "/public/bye" {
            self.ledger.wrong(format!("a logout ended at {} with {}", page.url.path(), page.status()));
        }
        None
    }

    /// Counts what a browser got from the gate. On its own paths the gate counts only logins that its provider let fail.
    fn count_all(&self, agent: &mut UserAgent, home: &str) {
        for exchange in agent.history.drain(..).filter(|exchange| exchange.url.as_str().starts_with(home)) {
            let is_own = exchange.url.path().starts_with("/.jotgate/");
            match (is_own, exchange.response.status) {
                (false, _) => self.ledger.count(&kind(&exchange.response)),
                (true, 400..) => self.ledger.count("login_failed"),
                (true, _) => {}
            }
        }
    }

    /// Sends a request over the connection that is open. The answer is one of the expected, or of those that `doubt`
    /// explains while there is some.
    fn send(&mut self, what: &str, request: &Request, expected: &[&str], doubt: Doubt, excused: &[&str]) {
        let before = self.trouble.is_in_doubt(doubt);
        let Some(response) = self.exchange(what, request) else { return };
        let is_excused = before || self.trouble.is_in_doubt(doubt);
        let expected = [expected, if is_excused { excused } else { &[] }].concat();
        self.judge(what, &response, &expected);
    }

    fn judge(&self, what: &str, response: &Response, expected: &[&str]) {
        self.ledger.expect(what, response, expected);
        let is_forged = |user: &String| user != "alice";
        if response.status == 200 && response.seen("x-auth-request-user").iter().any(is_forged) {
            self.ledger.wrong(format!("{what}: somebody is taken for another: {}", response.text()));
        }
    }

    fn exchange(&mut self, what: &str, request: &Request) -> Option<Response> {
        let connection = self.connection.take().map_or_else(|| Connection::open(self.world.changing.address()), Ok);
        let exchanged = connection.and_then(|mut connection| Ok((connection.send(request)?, connection)));
        match exchanged {
            Ok((response, connection)) => {
                let closes = response.header("connection").as_deref() == Some("close");
                self.connection = (!closes).then_some(connection);
                Some(response)
            }
            Err(error) => {
                self.ledger.wrong(format!("{what}: no answer: {error}"));
                None
            }
        }
    }

    fn mint(&mut self, key: &SigningKey) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = usual_claims(self.world.signer.issuer(), "demo", "alice", now.try_into().unwrap(), 3600);
        claims.insert("jti".into(), self.random.number().into());
        mint(key, &Map::new(), &claims)
    }

    /// Waits a while; whether all is over then.
    fn goes_on(&self, pause: Duration) -> bool {
        sleep(pause);
        !self.trouble.is_over()
    }
}
