//! Logins: whatever a browser comes back with, and whatever the provider answers, a session is made for the person who
//! logged in, in the browser that began it, and for nobody else.
//!
//! An input has four lines: the query of the callback, the cookies, and what the endpoints for tokens and userinfo
//! answer, each a status, a blank and a body. `$S` stands for the state of the login, `$L` for the text of its cookie,
//! `$C` for that of a session, `$T` for the ID token of the login, `$O` for that of another one.

#![no_main]

use driver::memory::{Answer, Exchange, HeaderLines, Outcome, Proxy};
use fuzz::json::{self, Tree};
use fuzz::proxy::{self, Gullible};
use gate::{Gate, Reply, RequestId, Timestamp};
use jose::base64url;
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{"name": "main", "issuer": "https://idp", "audiences": ["api"], "keys": {"inline": KEYS}}],
    "login": {
        "issuer": "main", "client": {"id": "dashboard", "secret": "client-secret"}, "cluster": "idp", "userinfo": true,
        "endpoints": {
            "authorization": "https://idp/authorize", "token": "https://idp/token", "userinfo": "https://idp/userinfo"
        }
    },
    "session": {"secrets": ["0123456789abcdef0123456789abcdef"], "publicUrl": "https://dash"},
    "rules": [{"name": "all", "access": "authenticated"}],
    "identityHeaders": {"x-user": "$subject", "x-issuer": "$issuer", "x-email": "email"}
}"#;
const NOW: u64 = 1_800_000_000;
const LOGIN_COOKIE: &str = "__Host-jotgate-login";
const SESSION: &str = "__Host-jotgate";
const NAVIGATION: [(&str, &str); 2] = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

thread_local! {
    static GATE: Gate = proxy::gate(CONFIGURATION, Timestamp::from_secs(NOW));
    /// The same for each input: what was sealed says so by itself.
    static TEXTS: Texts = Scene::new(Texts::default()).into_texts();
}

fuzz_target!(|input: &[u8]| {
    let Ok(input) = str::from_utf8(input) else { return };
    let mut scene = Scene::new(TEXTS.with(Texts::clone));
    let mut lines = input.splitn(4, '\n');
    let [query, cookies, tokens, userinfo] =
        std::array::from_fn(|_| scene.texts.fill(lines.next().unwrap_or_default()));
    if [&query, &cookies].iter().any(|line| line.bytes().any(|byte| matches!(byte, 0 | b'\r'))) {
        // No proxy takes such a line.
        return;
    }
    check_cookies(&mut scene, &cookies);
    let made = scene.come_back(&query, &cookies, &tokens, &userinfo);
    let is_right = scene.is_right(&query, &cookies, &tokens);
    let user = user(&userinfo);
    match made {
        Some(session) => {
            assert!(is_right && user.is_some(), "{query}\n{cookies}\n{tokens}\n{userinfo}");
            let headers = scene.forwarded(&format!("{SESSION}={session}")).expect("is let in");
            assert_eq!(headers.value("x-user"), Some(&b"alice"[..]));
            assert_eq!(headers.value("x-issuer"), Some(&b"https://idp"[..]));
            if let Some(Some(email)) = user.as_ref().filter(|_| email_is_simple(&userinfo)) {
                assert_eq!(headers.value("x-email"), Some(email.as_bytes()));
            }
        }
        None => {
            assert!(!scene.is_perfect(&query, &cookies, &tokens, &userinfo), "a login that is as it should be fails");
        }
    }
});

/// A login under way, and somebody who is logged in.
#[derive(Clone, Default)]
struct Texts {
    state: String,
    login_cookie: String,
    session: String,
    token: String,
    other_token: String,
}

struct Scene {
    proxy: Proxy<Gullible>,
    texts: Texts,
}

impl Texts {
    fn fill(&self, line: &str) -> String {
        let texts = [
            ("$S", &self.state),
            ("$L", &self.login_cookie),
            ("$C", &self.session),
            ("$T", &self.token),
            ("$O", &self.other_token),
        ];
        texts.into_iter().fold(line.to_string(), |line, (name, text)| line.replace(name, text))
    }
}

impl Scene {
    fn new(texts: Texts) -> Self {
        Self { proxy: Proxy::new(GATE.with(Gate::clone), Gullible, Timestamp::from_secs(NOW)), texts }
    }

    /// Logs in, and begins another login.
    fn into_texts(mut self) -> Texts {
        self.begin();
        let query = format!("code=c&state={}", self.texts.state);
        let (cookie, answer) = (format!("{LOGIN_COOKIE}={}", self.texts.login_cookie), tokens(&self.texts.token));
        let userinfo = format!("200 {}", good_userinfo());
        self.texts.session = self.come_back(&query, &cookie, &answer, &userinfo).expect("logs in");
        self.texts.other_token = std::mem::take(&mut self.texts.token);
        self.begin();
        self.texts
    }

    /// Sends a browser to the provider.
    fn begin(&mut self) {
        let reply = self.replied(&NAVIGATION, "/app").expect("is sent to the provider");
        assert_eq!(reply.status, 303);
        let value =
            |name: &str| reply.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str());
        let (_, query) = value("location").and_then(|location| location.split_once('?')).expect("leads on");
        let parameter = |name: &str| {
            let found = query.split('&').find_map(|pair| pair.split_once('=').filter(|(found, _)| *found == name));
            found.expect("is there").1.to_string()
        };
        self.texts.state = parameter("state");
        self.texts.login_cookie = cookie(&reply, LOGIN_COOKIE).expect("is made");
        let claims = format!(
            r#"{{"iss":"https://idp","sub":"alice","aud":"dashboard","nonce":"{}","iat":{NOW},"exp":{}}}"#,
            parameter("nonce"),
            NOW + 3_600
        );
        let part = |text: &str| base64url::encode(text.as_bytes());
        self.texts.token = format!("{}.{}.AAAA", part(r#"{"alg":"ES256"}"#), part(&claims));
    }

    /// The session that a callback makes, if it does.
    fn come_back(&mut self, query: &str, cookies: &str, tokens: &str, userinfo: &str) -> Option<String> {
        let path = format!("/.jotgate/callback?{query}");
        let id = self.send(&[NAVIGATION[0], NAVIGATION[1], ("cookie", cookies)], &path);
        while let Some((_, callout)) = self.proxy.host.callouts.first() {
            let (status, body) = match callout.path.as_str() {
                "/token" => split(tokens),
                "/userinfo" => split(userinfo),
                path => panic!("nobody asks for {path}"),
            };
            let answer = Answer { headers: [(":status", status)].into_iter().collect(), body: body.into() };
            assert!(self.proxy.answer_next(answer));
        }
        let exchange = self.proxy.take(id).expect("is there");
        match exchange.outcome {
            Outcome::Replied { reply, .. } => {
                check_reply(&reply);
                cookie(&reply, SESSION)
            }
            other => panic!("a callback is answered: {other:?}"),
        }
    }

    /// What the upstream gets, if it gets anything.
    fn forwarded(&mut self, cookies: &str) -> Option<HeaderLines> {
        let id = self.send(&[("cookie", cookies)], "/app");
        let exchange = self.proxy.take(id).expect("is there");
        match exchange.outcome {
            Outcome::Forwarded => Some(exchange.headers),
            Outcome::Replied { reply, .. } => {
                check_reply(&reply);
                None
            }
            Outcome::Waiting => panic!("there is nothing to wait for"),
        }
    }

    fn replied(&mut self, lines: &[(&str, &str)], path: &str) -> Option<Reply> {
        let id = self.send(lines, path);
        match self.proxy.take(id)?.outcome {
            Outcome::Replied { reply, .. } => Some(reply),
            _ => None,
        }
    }

    fn send(&mut self, lines: &[(&str, &str)], path: &str) -> RequestId {
        let own = [(":method", "GET"), (":path", path), (":authority", "dash"), (":scheme", "https")];
        self.proxy.send(Exchange::new(own.into_iter().chain(lines.iter().copied())))
    }

    /// Whether everything is there without which there must be no session.
    fn is_right(&self, query: &str, cookies: &str, tokens: &str) -> bool {
        let (status, body) = split(tokens);
        let tree = json::read(body.as_bytes()).ok();
        let id_token = tree.as_ref().and_then(|tree| tree.get("id_token")).and_then(Tree::string);
        // Written in another way, with escapes, they are the same.
        let decoded = |text: &str| percent_decoded(text);
        decoded(query).contains(&self.texts.state)
            && cookies.contains(&self.texts.login_cookie)
            && status == "200"
            && id_token == Some(&self.texts.token)
    }

    /// Whether it is just what it should be.
    fn is_perfect(&self, query: &str, cookies: &str, answer: &str, userinfo: &str) -> bool {
        query == format!("code=c&state={}", self.texts.state)
            && cookies == format!("{LOGIN_COOKIE}={}", self.texts.login_cookie)
            && answer == tokens(&self.texts.token)
            && userinfo == format!("200 {}", good_userinfo())
    }
}

/// Only a session that the gate made lets somebody in, and the upstream sees none of its cookies.
fn check_cookies(scene: &mut Scene, cookies: &str) {
    let Some(headers) = scene.forwarded(cookies) else { return };
    assert!(cookies.contains(&scene.texts.session), "{cookies}");
    assert_eq!(headers.value("x-user"), Some(&b"alice"[..]));
    for line in headers.values("cookie") {
        for pair in line.split(|&byte| byte == b';') {
            let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii();
            assert!(name != SESSION.as_bytes() && name != LOGIN_COOKIE.as_bytes(), "{line:?}");
        }
    }
}

/// Every line is one line, and nothing is markup but what the gate wrote.
fn check_reply(reply: &Reply) {
    for (name, value) in &reply.headers {
        assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{name}: {value:?}");
        if *name == "location" {
            let is_home = value.starts_with('/') && !value.starts_with("//") && !value.contains('\\');
            assert!(is_home || value.starts_with("https://idp/authorize?"), "{value}");
        }
    }
    assert!(!reply.body.contains("<script"));
}

fn tokens(id_token: &str) -> String {
    format!(r#"200 {{"access_token":"a","token_type":"Bearer","id_token":"{id_token}"}}"#)
}

fn good_userinfo() -> String {
    String::from(r#"{"sub":"alice","email":"a@example.com"}"#)
}

/// What userinfo says of who logged in, if it is about her: perhaps an address.
#[expect(clippy::option_option, reason = "somebody else, and she without and with an address")]
fn user(userinfo: &str) -> Option<Option<String>> {
    let (status, body) = split(userinfo);
    let tree = json::read(body.as_bytes()).ok().filter(|tree| status == "200" && tree.is_object())?;
    let text = |name: &str| tree.get(name).and_then(Tree::string);
    (text("sub") == Some("alice")).then(|| text("email").map(String::from))
}

/// Whether an address can stand in a header as it is.
fn email_is_simple(userinfo: &str) -> bool {
    let (_, body) = split(userinfo);
    body == good_userinfo()
}

fn split(answer: &str) -> (&str, &str) {
    answer.split_once(' ').unwrap_or((answer, ""))
}

/// The value of a cookie that a reply makes.
fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let lines = reply.headers.iter().filter(|(found, _)| *found == "set-cookie").map(|(_, value)| value.as_str());
    let made = lines.filter(|line| !line.contains("Max-Age=0"));
    made.filter_map(|line| line.split_once('=').filter(|(found, _)| *found == name))
        .map(|(_, rest)| rest.split(';').next().unwrap_or_default().to_string())
        .next()
}

fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let escaped = digits.filter(|_| byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&octets).into_owned()
}
