#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use oauth::Secret;

use super::super::content::tests::session;
use super::super::keyring::{Binding, OVERHEAD};
use super::*;
use crate::http::{HeaderLine, SameSite};
use crate::testing::{Counter, NoGenerator};

const HOURS: Duration = Duration::from_hours(12);
const NOW: Timestamp = Timestamp::from_secs(1_800_003_600);
const END: &str = "; Path=/; HttpOnly; Secure; SameSite=Lax";
const DELETED: &str = "=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

struct Settings {
    cookie: CookieSettings,
    keyring: Keyring,
}

impl Settings {
    fn new(secrets: &[&str]) -> Self {
        let login = |login| Binding {
            public_url: "https://dash.example.com",
            login,
            issuer: "https://idp.example.com",
            client: "dashboard",
        };
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::new(format!("{text:-<32}"))).collect();
        let cookie = CookieSettings {
            name: String::from("__Host-jotgate"),
            same_site: SameSite::Lax,
            domain: None,
            is_persistent: false,
            is_secure: true,
        };
        Self { cookie, keyring: Keyring::new(&secrets, &[login("main"), login("other")]) }
    }

    fn cookies(&self) -> SessionCookies<'_> {
        SessionCookies { cookie: &self.cookie, keyring: &self.keyring, lifetime: HOURS }
    }

    fn seal(&self, session: &Session, random: &Counter) -> String {
        self.cookies().seal(session, random).expect("fits")
    }

    /// The sessions that a browser with these cookies has, by the octets of their claims.
    fn found(&self, lines: &[&str]) -> Vec<usize> {
        with(lines, |request| {
            let opened = self.cookies().texts(request).filter_map(|text| self.cookies().open(&text));
            opened.map(|opened| opened.session.claims.len()).collect()
        })
    }

    fn set(&self, text: &str, lines: &[&str]) -> Vec<String> {
        with(lines, |request| self.cookies().set(text, &session(), NOW, &self.cookies().parts_in(request)))
    }
}

fn with<T>(lines: &[&str], ask: impl FnOnce(&Request<'_>) -> T) -> T {
    let lines: Vec<HeaderLine<'_>> = lines.iter().map(|line| (&b"cookie"[..], line.as_bytes())).collect();
    ask(&Request::new(&lines))
}

/// A session whose claims have this many octets.
fn of(octets: usize) -> Session {
    Session { claims: "c".repeat(octets), ..session() }
}

/// How long claims are in a text of that many characters.
fn octets_for(text: usize) -> usize {
    text * 3 / 4 - OVERHEAD - of(0).encode().len()
}

/// Cookies as a browser sends them.
fn sent(text: &str) -> [String; 2] {
    let (first, second) = text.split_at(LONGEST_PART.min(text.len()));
    [format!("__Host-jotgate={first}"), format!("__Host-jotgate.1={second}")]
}

#[test]
fn a_session_fits_one_cookie_or_two() {
    let settings = Settings::new(&["a"]);
    let small = settings.seal(&of(10), &Counter::default());
    assert_eq!(settings.set(&small, &[]), [format!("__Host-jotgate={small}{END}")]);
    assert_eq!(settings.found(&[&sent(&small)[0]]), [10]);
    let large = settings.seal(&of(4_000), &Counter::default());
    let [first, second] = sent(&large);
    assert_eq!(settings.set(&large, &[]), [format!("{first}{END}"), format!("{second}{END}")]);
    assert_eq!(settings.found(&[&first, &second]), [4_000]);
    assert_eq!(settings.found(&[&format!("a=1; {second}; {first}; b")]), [4_000], "in any order, on any line");
}

#[test]
fn what_fits_exactly_is_found_again() {
    let settings = Settings::new(&["a"]);
    for text in [LONGEST_PART, LONGEST_PART * 2] {
        let most = octets_for(text);
        for claims in [most - 1, most, most + 1] {
            let Ok(sealed) = settings.cookies().seal(&of(claims), &Counter::default()) else {
                assert!(claims > most && text > LONGEST_PART, "{claims}");
                continue;
            };
            let [first, second] = sent(&sealed);
            let lines = settings.set(&sealed, &[]);
            assert!(lines.iter().all(|line| line.len() - END.len() <= LONGEST_PART + "__Host-jotgate.1=".len()));
            assert_eq!(lines.len(), 1 + usize::from(sealed.len() > LONGEST_PART));
            let cookies: &[&str] = if lines.len() == 1 { &[&first] } else { &[&first, &second] };
            assert_eq!(settings.found(cookies), [claims], "{}", sealed.len());
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error_that_names_the_largest_parts() {
    let settings = Settings::new(&["a"]);
    let large = Session { claims: format!(r#"{{"groups":"{}"}}"#, "g".repeat(6_000)), ..session() };
    let Err(SealError::TooLarge(error)) = settings.cookies().seal(&large, &Counter::default()) else {
        panic!("is too large");
    };
    assert_eq!((error.limit, error.octets), (7_800, 8_254));
    assert!(error.to_string().contains("claim `groups` (6002 octets)"), "{error}");
    let failed = settings.cookies().seal(&session(), &NoGenerator);
    assert_eq!(failed, Err(SealError::NoRandomness(NoRandomness)));
}

#[test]
fn a_long_name_leaves_less_for_each_part() {
    let mut settings = Settings::new(&["a"]);
    settings.cookie.name = "n".repeat(300);
    let text = settings.seal(&of(4_000), &Counter::default());
    for line in settings.set(&text, &[]) {
        let (name, rest) = line.split_once('=').expect("has a name");
        let (value, _) = rest.split_once(';').expect("has attributes");
        assert!(name.len() + value.len() <= LONGEST_COOKIE);
    }
}

#[test]
fn parts_of_two_sessions_are_no_session() {
    let (settings, random) = (Settings::new(&["a"]), Counter::default());
    let [one, other] = [4_000, 4_001].map(|claims| settings.seal(&of(claims), &random));
    let ([first, second], [other_first, other_second]) = (sent(&one), sent(&other));
    assert!(settings.found(&[&first, &other_second]).is_empty());
    assert!(settings.found(&[&other_first, &second]).is_empty());
    assert!(settings.found(&[&first]).is_empty() && settings.found(&[&second]).is_empty());
    assert_eq!(settings.found(&[&first, &other_second, &second]), [4_000], "unless those of one are there, too");
}

#[test]
fn no_octet_of_a_cookie_can_be_changed_cut_or_moved() {
    let settings = Settings::new(&["a"]);
    let good = settings.seal(&session(), &Counter::default()).into_bytes();
    let opens = |text: &[u8]| settings.cookies().open(text).is_some();
    assert!(opens(&good));
    for index in 0..good.len() {
        let mut bad = good.clone();
        for other in [b'A', b'B', b'_', b'=', b'+', b' ', 0, 0xff] {
            bad[index] = other;
            assert_eq!(opens(&bad), bad == good, "octet {index}");
        }
        assert!(!opens(&good[..index]) && !opens(&good[index + 1..]), "cut at {index}");
        let swapped = [&good[index..], &good[..index]].concat();
        assert_eq!(opens(&swapped), swapped == good, "turned at {index}");
    }
    for end in [&b"="[..], b"A", b"AA", b"AAA", b"AAAA", b" "] {
        assert!(!opens(&[&good[..], end].concat()));
    }
}

#[test]
fn cookies_of_one_name_are_tried_in_turn_up_to_a_bound() {
    let (settings, random) = (Settings::new(&["a"]), Counter::default());
    let good = &sent(&settings.seal(&of(10), &random))[0];
    let bad: Vec<_> = (0..9).map(|index| format!("__Host-jotgate=bad{index}")).collect();
    let after = |count: usize| settings.found(&[&format!("{}; {good}", bad[..count].join("; "))]);
    assert_eq!([0, 1, 3, 4].map(|count| after(count).len()), [1, 1, 1, 0]);
    assert_eq!(settings.found(&[&[bad[0].as_str(); 9].join("; "), good]), [10], "one that is repeated counts once");
    let second = &sent(&settings.seal(&of(20), &random))[0];
    assert_eq!(settings.found(&[second, good]), [20, 10], "in the order of the request");
}

#[test]
fn however_many_cookies_come_few_are_tried() {
    let settings = Settings::new(&["a"]);
    let full = |first: usize| format!("{first:0>3900}");
    let cookies = (0..200).flat_map(|index| sent(&format!("{}{index}", full(index))));
    let line = cookies.collect::<Vec<_>>().join("; ");
    assert_eq!(with(&[&line], |request| settings.cookies().texts(request).count()), 4 * 5);
    let long = format!("__Host-jotgate={}", "A".repeat(LONGEST_PART + 1));
    assert_eq!(with(&[&long, "__Host-jotgate="], |request| settings.cookies().texts(request).count()), 0);
}

#[test]
fn quotes_are_no_part_of_a_session_and_other_spellings_are_none() {
    let settings = Settings::new(&["a"]);
    let text = settings.seal(&of(10), &Counter::default());
    assert_eq!(settings.found(&[&format!("__Host-jotgate=\"{text}\"")]), [10]);
    for line in [
        format!("__Host-jotgate =  {text}"),
        format!("__host-jotgate={text}"),
        format!("__Host-jotgate[]={text}"),
        format!("__Host-jotgate={text}\""),
        format!("x, __Host-jotgate={text}"),
        format!("__Host-jotgate.1={text}"),
    ] {
        assert!(settings.found(&[&line]).is_empty(), "{line}");
    }
}

#[test]
fn leftovers_of_a_larger_session_are_deleted() {
    let settings = Settings::new(&["a"]);
    let small = settings.seal(&of(10), &Counter::default());
    let expected = [
        format!("__Host-jotgate={small}{END}"),
        format!("__Host-jotgate.1{DELETED}{END}"),
        format!("__Host-jotgate.7{DELETED}{END}"),
    ];
    assert_eq!(settings.set(&small, &["__Host-jotgate=x; __Host-jotgate.1=y", "__Host-jotgate.7=z; a.1=b"]), expected);
    let large = settings.seal(&of(4_000), &Counter::default());
    assert_eq!(settings.set(&large, &["__Host-jotgate.1=y"]).len(), 2, "one that is written is not deleted");
}

#[test]
fn a_persistent_cookie_lasts_as_long_as_its_session() {
    let mut settings = Settings::new(&["a"]);
    settings.cookie.is_persistent = true;
    let left = HOURS.as_secs() - 3_600;
    assert_eq!(settings.set("text", &[]), [format!("__Host-jotgate=text; Max-Age={left}{END}")]);
}

#[test]
fn every_part_that_a_browser_may_have_is_deleted() {
    let mut settings = Settings::new(&["a"]);
    let delete = |settings: &Settings, lines: &[&str]| with(lines, |request| settings.cookies().delete(request));
    let deleted =
        |name: &str, attributes: &str| format!("{name}{DELETED}; Path=/{attributes}; HttpOnly; Secure; SameSite=Lax");
    let both = [deleted("__Host-jotgate", ""), deleted("__Host-jotgate.1", "")];
    assert_eq!(delete(&settings, &[]), both);
    assert_eq!(delete(&settings, &["__Host-jotgate=a; __Host-jotgate.1=b"]), both);
    assert_eq!(delete(&settings, &["__Host-jotgate.9=c"]).len(), 3);
    settings.cookie.name = String::from("jotgate");
    settings.cookie.domain = Some(String::from("example.com"));
    let domain = "; Domain=example.com";
    let expected = [("jotgate", domain), ("jotgate", ""), ("jotgate.1", domain), ("jotgate.1", "")];
    assert_eq!(delete(&settings, &[]), expected.map(|(name, attributes)| deleted(name, attributes)));
}

#[test]
fn the_upstream_gets_no_part_in_no_spelling() {
    let settings = Settings::new(&["a"]);
    let left = |lines: &[&str]| {
        with(lines, |request| {
            let names: Vec<_> = settings.cookies().cookie.own_names().collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let edits: Vec<_> = crate::http::cookie::removal(request, &names, &[]).into_iter().collect();
            let lines: Vec<_> = request.all_lines().collect();
            let left = crate::http::HeaderEdit::apply(&edits, &lines).into_iter();
            left.map(|(_, value)| String::from_utf8(value).expect("is text")).collect::<Vec<_>>()
        })
    };
    for own in [
        "__Host-jotgate=a",
        "__Host-jotgate.1=a",
        "__Host-jotgate.9=a",
        "__Host-jotgate=\"a\"",
        "__Host-jotgate =a",
        "__Host%2Djotgate=a",
        "__Host-jotgate_1=a",
        "__Host-jotgate[]=a",
        "y, __Host-jotgate.1=a",
        "__Host-jotgate=\"a; b\"",
    ] {
        assert_eq!(left(&[&format!("x=1; {own}")]), ["x=1"], "{own}");
        assert!(left(&[own]).is_empty(), "{own}");
    }
    assert_eq!(left(&["x=1; jotgate=2; __Host-jotgate2=3"]), ["x=1; jotgate=2; __Host-jotgate2=3"]);
}

#[test]
fn a_session_with_an_old_seal_says_so_until_the_secret_is_gone() {
    let random = Counter::default();
    let text = Settings::new(&["a"]).seal(&session(), &random);
    let seal = |secrets: &[&str]| {
        Settings::new(secrets).cookies().open(text.as_bytes()).map(|opened| (opened.has_old_seal, opened.session.login))
    };
    assert_eq!(seal(&["a", "b"]), Some((false, 1)));
    assert_eq!(seal(&["b", "a"]), Some((true, 1)));
    assert_eq!(seal(&["b"]), None);
}

#[test]
fn what_is_sealed_for_another_purpose_is_no_session() {
    let settings = Settings::new(&["a"]);
    for (purpose, opens) in [(Purpose::Session, true), (Purpose::Shared, false), (Purpose::State, false)] {
        let sealed = settings.keyring.seal(purpose, 1, b"", &session().encode(), &Counter::default());
        let text = base64url::encode(&sealed.expect("draws"));
        assert_eq!(settings.cookies().open(text.as_bytes()).is_some(), opens, "{purpose:?}");
    }
}
