//! A state is of use to the browser that began the login, for one login, for a quarter of an hour.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::http::{HeaderLine, HttpUri};
use crate::policy::{CookieSettings, Keep, OwnPaths, PublicUrl};
use crate::sessions::Binding;
use crate::testing::{Counter, NoGenerator};

const PUBLIC: &str = "https://dash.example.com";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const MAIN: Binding<'_> =
    Binding { public_url: PUBLIC, login: "main", issuer: "https://idp.example.com", client: "dashboard" };
const OTHER: Binding<'_> = Binding { login: "other", ..MAIN };

fn settings(secrets: &[&str], logins: &[Binding<'_>]) -> SessionSettings {
    let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(format!("{text:-<32}"))).collect();
    SessionSettings {
        keyring: Keyring::new(&secrets, logins),
        public_url: PublicUrl { text: PUBLIC.to_string(), uri: HttpUri::parse(PUBLIC).expect("is a URI") },
        cookie: CookieSettings {
            name: String::from("__Host-jotgate"),
            same_site: SameSite::Strict,
            domain: Some(String::from("example.com")),
            is_persistent: false,
            is_secure: true,
        },
        lifetime: Duration::from_hours(12),
        idle: None,
        refresh_after: Duration::from_mins(5),
        keep_after_expiry: false,
        outage: Duration::from_mins(15),
        keep: Keep::default(),
        paths: OwnPaths::default(),
        return_to: vec![String::from("https://app.example.com")],
        after_logout: String::from("/"),
        not_before: None,
        close_web_sockets: true,
    }
}

fn main() -> SessionSettings {
    settings(&["a"], &[MAIN])
}

/// A browser that began a login, and what it was sent away with.
struct Begun {
    cookie: LoginCookie,
    pending: Pending,
    state: String,
}

impl Begun {
    fn new(settings: &SessionSettings, return_to: &str, random: &Counter) -> Self {
        Self::with(LoginCookie::draw(random).expect("draws"), settings, return_to, random)
    }

    fn with(cookie: LoginCookie, settings: &SessionSettings, return_to: &str, random: &Counter) -> Self {
        let return_to = Destinations::from(settings).read(return_to).expect("is allowed");
        let pending = Pending::draw(0, return_to, NOW, random).expect("draws");
        let state = pending.seal(&cookie, &settings.keyring, random).expect("draws");
        Self { cookie, pending, state }
    }

    fn sent(&self) -> String {
        format!("__Host-jotgate-login={}", base64url::encode(&*self.cookie.0))
    }
}

fn open(settings: &SessionSettings, cookies: &str, state: &str, now: Timestamp) -> Result<OpenedState, StateError> {
    with(cookies, |request| Pending::open(state, request, settings, now))
}

fn with<T>(cookies: &str, ask: impl FnOnce(&Request<'_>) -> T) -> T {
    let lines: [HeaderLine<'_>; 1] = [(b"cookie", cookies.as_bytes())];
    ask(&Request::new(&lines))
}

fn texts(secrets: Option<Secrets>) -> (String, String) {
    let secrets = secrets.expect("are there");
    (secrets.nonce.reveal().to_string(), secrets.verifier.reveal().to_string())
}

#[test]
fn a_browser_that_is_back_finds_what_it_wanted_and_what_was_derived() {
    let settings = main();
    for return_to in ["/app?a=b", "https://app.example.com/x"] {
        let begun = Begun::new(&settings, return_to, &Counter::default());
        let opened = open(&settings, &begun.sent(), &begun.state, NOW).expect("opens");
        assert_eq!(opened.pending, begun.pending);
        assert_eq!(opened.pending.return_to.as_str(), return_to);
        let (nonce, verifier) = texts(opened.secrets(&settings.keyring));
        assert_eq!((nonce.clone(), verifier.clone()), texts(begun.pending.secrets(&begun.cookie, &settings.keyring)));
        assert!(
            nonce != verifier && [nonce, verifier].iter().all(|text| text.len() == 43 && !begun.state.contains(text))
        );
    }
}

#[test]
fn a_state_in_another_browser_is_refused() {
    let (settings, random) = (main(), Counter::default());
    let [victim, attacker] = [(); 2].map(|()| Begun::new(&settings, "/", &random));
    let refused = |cookies: &str, state: &str| open(&settings, cookies, state, NOW).err();
    assert_eq!(refused(&victim.sent(), &attacker.state), Some(StateError::OtherBrowser));
    assert_eq!(refused(&attacker.sent(), &victim.state), Some(StateError::OtherBrowser));
    assert_eq!(refused("", &victim.state), Some(StateError::NoCookie));
    let sent = victim.sent();
    let (name, value) = sent.split_once('=').expect("has a name");
    for odd in [
        format!("{name}={value}A"),
        format!("{name}={value}="),
        format!("{name}={}", &value[1..]),
        format!("{name}="),
        format!("jotgate-login={value}"),
        format!("{name}x={value}"),
        format!("x, {name}={value}"),
    ] {
        assert_eq!(refused(&odd, &victim.state), Some(StateError::NoCookie), "{odd}");
    }
}

#[test]
fn tabs_share_a_cookie_and_disturb_each_other_in_nothing() {
    let (settings, random) = (main(), Counter::default());
    let one = Begun::new(&settings, "/one", &random);
    let present = with(&one.sent(), |request| LoginCookie::present(request, &settings)).expect("is there");
    let other = Begun::with(present, &settings, "/other", &random);
    assert_eq!(one.sent(), other.sent());
    let [opened, opened_other] =
        [&one, &other].map(|begun| open(&settings, &one.sent(), &begun.state, NOW).expect("opens"));
    assert_eq!(opened.pending.return_to.as_str(), "/one");
    assert_eq!(opened_other.pending.return_to.as_str(), "/other");
    let ((nonce, verifier), (other_nonce, other_verifier)) =
        (texts(opened.secrets(&settings.keyring)), texts(opened_other.secrets(&settings.keyring)));
    assert!(nonce != other_nonce && verifier != other_verifier, "each attempt has its own");
}

#[test]
fn of_several_cookies_any_may_fit_up_to_a_bound() {
    let (settings, random) = (main(), Counter::default());
    let begun = Begun::new(&settings, "/", &random);
    let others: Vec<_> = (0..COOKIES).map(|_| Begun::new(&settings, "/", &random).sent()).collect();
    let result = |before: &[String], after: &[String]| {
        let cookies = [before, &[begun.sent()], after].concat().join("; ");
        open(&settings, &cookies, &begun.state, NOW).is_ok()
    };
    assert!(result(&others[1..], &[]) && result(&[], &others) && !result(&others, &[]));
    assert!(result(&[String::from("__Host-jotgate-login=\"odd")], &[]));
}

#[test]
fn a_state_is_good_for_a_quarter_of_an_hour() {
    let settings = main();
    let begun = Begun::new(&settings, "/", &Counter::default());
    for (seconds, expected) in
        [(-61, Some(StateError::Early)), (-60, None), (0, None), (900, None), (901, Some(StateError::Late))]
    {
        let now = Timestamp::from_secs(NOW.since_epoch().as_secs().saturating_add_signed(seconds));
        assert_eq!(open(&settings, &begun.sent(), &begun.state, now).err(), expected, "{seconds}");
    }
}

#[test]
fn a_state_of_another_login_url_issuer_client_or_secret_does_not_open() {
    let settings_of = |binding| settings(&["a"], &[binding]);
    let begun = Begun::new(&main(), "/", &Counter::default());
    for other in [
        settings_of(OTHER),
        settings_of(Binding { public_url: "https://other.example.com", ..MAIN }),
        settings_of(Binding { issuer: "https://other.example.com", ..MAIN }),
        settings_of(Binding { client: "other", ..MAIN }),
        settings(&["b"], &[MAIN]),
    ] {
        assert_eq!(open(&other, &begun.sent(), &begun.state, NOW).err(), Some(StateError::Seal));
    }
    let moved = settings(&["a"], &[OTHER, MAIN]);
    let opened = open(&moved, &begun.sent(), &begun.state, NOW).expect("opens");
    assert_eq!(opened.pending.login, 1, "the login that it was begun with, wherever it is configured now");
    assert_eq!(texts(opened.secrets(&moved.keyring)), texts(begun.pending.secrets(&begun.cookie, &main().keyring)));
}

#[test]
fn what_is_sealed_for_another_purpose_is_no_state() {
    let settings = main();
    let begun = Begun::new(&settings, "/", &Counter::default());
    let text =
        settings.keyring.open(Purpose::State, b"", &base64url::decode(begun.state.as_bytes()).expect("is base64"));
    let text = text.expect("opens").text;
    for (purpose, expected) in
        [(Purpose::State, None), (Purpose::Session, Some(StateError::Seal)), (Purpose::Shared, Some(StateError::Seal))]
    {
        let sealed = settings.keyring.seal(purpose, 0, b"", &text, &Counter::default()).expect("draws");
        let state = base64url::encode(&sealed);
        assert_eq!(open(&settings, &begun.sent(), &state, NOW).err(), expected, "{purpose:?}");
    }
}

#[test]
fn no_octet_of_a_state_can_be_changed_or_cut() {
    let settings = main();
    let begun = Begun::new(&settings, "/app", &Counter::default());
    let is_refused = |state: &str| open(&settings, &begun.sent(), state, NOW).err() == Some(StateError::Seal);
    for index in 0..begun.state.len() {
        for other in ["A", "B", "_", "=", "%"] {
            let bad = format!("{}{other}{}", &begun.state[..index], &begun.state[index + 1..]);
            assert!(bad == begun.state || is_refused(&bad), "octet {index}");
        }
        assert!(is_refused(&begun.state[..index]) && is_refused(&begun.state[index + 1..]), "cut at {index}");
    }
    for end in ["=", "A", "AAAA", " ", "\u{e9}"] {
        assert!(is_refused(&format!("{}{end}", begun.state)));
    }
    assert!(is_refused(&"A".repeat(LONGEST_STATE + 1)) && is_refused(""));
}

#[test]
fn fields_that_are_cut_too_many_or_of_another_version_are_no_state() {
    let settings = main();
    let begun = Begun::new(&settings, "/app", &Counter::default());
    let good = base64url::decode(begun.state.as_bytes()).expect("is base64");
    let good = settings.keyring.open(Purpose::State, b"", &good).expect("opens").text;
    let seal = |octets: &[u8]| {
        let sealed = settings.keyring.seal(Purpose::State, 0, b"", octets, &Counter::default()).expect("draws");
        open(&settings, &begun.sent(), &base64url::encode(&sealed), NOW).err()
    };
    assert_eq!(seal(&good), None);
    assert!((0..good.len()).all(|end| seal(&good[..end]) == Some(StateError::Seal)));
    assert_eq!(seal(&[&good[..], b"\0"].concat()), Some(StateError::Seal));
    assert_eq!(seal(&[&[2], &good[1..]].concat()), Some(StateError::Seal));
    let elsewhere = good.len() - "/app".len();
    let evil = [&good[..elsewhere], b"//ev"].concat();
    assert_eq!(seal(&evil), Some(StateError::ReturnTo), "even what is sealed is checked again");
}

#[test]
fn a_login_survives_the_rotation_of_the_secret() {
    let [first, second, third, last] =
        [&["a"][..], &["a", "b"], &["b", "a"], &["b"]].map(|secrets| settings(secrets, &[MAIN]));
    let begun = Begun::new(&first, "/", &Counter::default());
    let expected = texts(begun.pending.secrets(&begun.cookie, &first.keyring));
    for settings in [&first, &second, &third] {
        let opened = open(settings, &begun.sent(), &begun.state, NOW).expect("opens");
        assert_eq!(texts(opened.secrets(&settings.keyring)), expected);
    }
    assert_eq!(open(&last, &begun.sent(), &begun.state, NOW).err(), Some(StateError::Seal));
    assert_ne!(texts(begun.pending.secrets(&begun.cookie, &third.keyring)), expected, "the first secret derives");
}

#[test]
fn the_longest_state_is_read() {
    let settings = main();
    let longest = format!("/{}", "x".repeat(1_023));
    let begun = Begun::new(&settings, &longest, &Counter::default());
    assert_eq!(begun.state.len(), 1_512);
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    assert!(begun.state.bytes().all(is_base64url), "some providers hand nothing else back as it was");
    assert!(open(&settings, &begun.sent(), &begun.state, NOW).is_ok());
}

#[test]
fn the_cookie_is_for_the_host_alone_and_is_there_when_the_provider_sends_the_browser_back() {
    let mut settings = main();
    let cookie = LoginCookie::draw(&Counter::default()).expect("draws");
    let value = base64url::encode(&*cookie.0);
    let end = "; Path=/; HttpOnly; Secure; SameSite=Lax";
    assert_eq!(cookie.set(&settings), format!("__Host-jotgate-login={value}; Max-Age=900{end}"));
    let deleted = "=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    assert_eq!(LoginCookie::delete(&settings), format!("__Host-jotgate-login{deleted}{end}"));
    settings.cookie.is_secure = false;
    let end = "; Path=/; HttpOnly; SameSite=Lax";
    assert_eq!(cookie.set(&settings), format!("jotgate-login={value}; Max-Age=900{end}"));
    assert!(with(&format!("jotgate-login={value}"), |request| LoginCookie::present(request, &settings)).is_some());
}

#[test]
fn without_randomness_nothing_begins() {
    let settings = main();
    assert_eq!(LoginCookie::draw(&NoGenerator).err(), Some(NoRandomness));
    assert_eq!(Pending::draw(0, ReturnTo::default(), NOW, &NoGenerator).err(), Some(NoRandomness));
    let begun = Begun::new(&settings, "/", &Counter::default());
    assert_eq!(begun.pending.seal(&begun.cookie, &settings.keyring, &NoGenerator), Err(NoRandomness));
}

#[test]
fn nothing_secret_is_shown() {
    let settings = main();
    let begun = Begun::new(&settings, "/", &Counter::default());
    let opened = open(&settings, &begun.sent(), &begun.state, NOW).expect("opens");
    assert!(!format!("{opened:?}").contains("cookie") && format!("{:?}", begun.cookie) == "LoginCookie");
    let errors = [
        StateError::Early,
        StateError::Late,
        StateError::NoCookie,
        StateError::OtherBrowser,
        StateError::ReturnTo,
        StateError::Seal,
    ];
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "the state is from the future: the clocks of two proxies differ",
            "the state is older than 15 minutes",
            "the login cookie is missing",
            "the login cookie differs: another browser began the login",
            "the return address in the state is not allowed",
            "the state does not open",
        ]
    );
}
