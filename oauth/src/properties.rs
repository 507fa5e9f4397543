//! Whatever a client or a provider sent: nothing panics, nothing is reflected, and what is accepted is what was asked
//! for.

use std::time::Duration;

use jose::Algorithm;
use jose::json::{Document, Kind, write};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::authorization::Callback;
use crate::endpoint::Endpoint;
use crate::form::{Form, Parameters};
use crate::github::{self, TeamPages, Teams, User};
use crate::id_token::{self, Context, Login, Original};
use crate::introspection::Introspection;
use crate::metadata::Metadata;
use crate::testing::{ED25519, with_token};
use crate::token::{ExchangeResponse, TokenResponse};
use crate::userinfo::{PROTECTED, UserInfo};
use crate::{ResponseError, Secret, revocation};

/// Good texts, one of each kind, to be damaged.
const TEXTS: [&str; 11] = [
    "code=SplxlOBeZQQYbYS6WxSbIA&state=xyz&iss=https%3A%2F%2Fidp&session_state=a+b",
    "error=access_denied&error_description=no%20way&state=xyz",
    r#"{"access_token":"SECRETa","token_type":"Bearer","refresh_token":"SECRETb","expires_in":3600,"id_token":"SECRETc","scope":"a b"}"#,
    r#"{"access_token":"SECRETa","issued_token_type":"urn:ietf:params:oauth:token-type:jwt","token_type":"N_A"}"#,
    r#"{"error":"invalid_grant","error_description":"SECRETd","error_uri":"https://SECRETe"}"#,
    r#"{"issuer":"https://idp","token_endpoint":"https://idp/token","authorization_response_iss_parameter_supported":true}"#,
    r#"{"active":true,"sub":"alice","scope":"read","exp":1419356238,"aud":["a","b"]}"#,
    r#"{"sub":"alice","email":"a@example.com","address":{"locality":"x"},"groups":["a",null,1.5e3]}"#,
    r#"{"login":"octocat","id":1,"name":"monalisa \"octocat\"","email":null}"#,
    r#"[{"email":"a@example.com","primary":true,"verified":true},{"email":"b@example.com","primary":false,"verified":true}]"#,
    r#"[{"slug":"justice-league","organization":{"login":"github"}},{"slug":"b","organization":{"login":"a","id":1}}]"#,
];

/// Octets that mean something to one of the readers.
const PIECES: [&str; 26] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-",
    "&",
    "=",
    "%",
    "+",
    ";",
    "#",
    "code=",
    "iss=",
    "\"active\":",
    "\"error\":",
    "\\ud800",
    "\u{0}",
    "\u{e9}",
    "\r\n",
];

const STATUSES: [u16; 12] = [0, 100, 200, 201, 204, 302, 400, 401, 403, 429, 503, 999];

#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, &'static str),
    Remove(Index, usize),
    Repeat(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Damage::Flip(at, octet)),
        (any::<Index>(), select(&PIECES[..])).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        (any::<Index>(), 1..20_usize).prop_map(|(at, octets)| Damage::Remove(at, octets)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, octets)| Damage::Repeat(at, octets)),
    ]
}

fn apply(text: &mut Vec<u8>, damage: &Damage) {
    let at = |index: &Index, text: &[u8]| index.index(text.len() + 1);
    match damage {
        Damage::Cut(index) => text.truncate(at(index, text)),
        Damage::Flip(index, octet) => {
            let at = at(index, text);
            if let Some(found) = text.get_mut(at) {
                *found ^= octet;
            }
        }
        Damage::Insert(index, piece) => {
            let at = at(index, text);
            text.splice(at..at, piece.bytes());
        }
        Damage::Remove(index, octets) => {
            let at = at(index, text);
            text.drain(at..text.len().min(at + octets));
        }
        Damage::Repeat(index, octets) => {
            let at = at(index, text);
            let piece = text[at..text.len().min(at + octets)].to_vec();
            text.splice(at..at, piece);
        }
    }
}

fn untrusted() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (select(&TEXTS[..]), vec(damage(), 0..6)).prop_map(|(text, damages)| {
        let mut text = text.as_bytes().to_vec();
        for damage in &damages {
            apply(&mut text, damage);
        }
        text
    });
    let pieces = vec(select(&PIECES[..]), 0..40).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![6 => damaged, 1 => pieces, 1 => vec(any::<u8>(), 0..200)]
}

/// A JSON value, some way down.
fn json() -> impl Strategy<Value = String> {
    let scalar = select(
        &[
            "null",
            "true",
            "0",
            "-1.5e3",
            "1300819380",
            "\"\"",
            "\"alice\"",
            "\"https://idp\"",
            "\"client\"",
            "\"nonce\"",
        ][..],
    );
    scalar.prop_map(String::from).prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            vec(inner, 0..4).prop_map(|values| {
                let members = values.iter().enumerate().map(|(index, value)| format!("\"m{index}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// An object that has some of these members, each with any value.
fn object(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec(proptest::option::of(json()), names.len()).prop_map(|values| {
        let members = names.iter().zip(values).filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    })
}

fn shown<T: std::fmt::Debug, E: std::fmt::Debug + std::fmt::Display>(result: &Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{error} {error:?}"),
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn no_input_panics_or_is_reflected(text in untrusted(), status in select(&STATUSES[..])) {
        let tokens = TokenResponse::read(status, &text);
        let exchange = ExchangeResponse::read(status, &text, None);
        for shown in [shown(&tokens), shown(&exchange), shown(&revocation::read(status, &text))] {
            prop_assert!(!shown.contains("SECRET"), "{}", shown);
        }
        if let Ok(tokens) = tokens {
            prop_assert_eq!(status, 200);
            for token in [Some(tokens.access_token), tokens.refresh_token, tokens.id_token].into_iter().flatten() {
                prop_assert!(!token.reveal().is_empty() && token.reveal().bytes().all(|octet| octet.is_ascii_graphic()));
            }
        }
        let _ = Metadata::read(&text, "https://idp").map_err(|error| error.to_string());
        if let Ok(Introspection::Active(token)) = Introspection::read(status, &text) {
            prop_assert_eq!(status, 200);
            prop_assert_eq!(token.claims().get("active").and_then(jose::json::Value::as_bool), Some(true));
        }
        if let Ok(userinfo) = UserInfo::read(status, &text, "alice") {
            prop_assert_eq!(status, 200);
            prop_assert!(userinfo.claims().all(|(name, _)| !PROTECTED.contains(&name)));
        }
        if let (Ok(user), email) = (User::read(status, &text), github::primary_email(status, &text)) {
            prop_assert_eq!((status, email.is_ok()), (200, false));
            let claims = github::claims(&user, None, None);
            let claims = Document::parse(claims.as_bytes()).expect("no claim occurs twice");
            prop_assert!(claims.root().get("sub").and_then(jose::json::Value::as_str).is_some_and(|sub| sub != "0"));
        }
        if let Ok(Teams::All(groups)) = TeamPages::default().add(status, &text, std::iter::empty()) {
            prop_assert_eq!(status, 200);
            prop_assert!(groups.iter().all(|group| group.split('/').count() == 2 && !group.contains([' ', ',', '"'])));
        }
        let _ = Endpoint::parse(&String::from_utf8_lossy(&text)).map_err(|error| error.to_string());
        if let Ok(callback) = Callback::read(&text) {
            let shown = format!("{callback:?}");
            prop_assert!(!callback.state().is_empty() && !shown.contains("Splx"), "{}", shown);
            let parameters = Parameters::parse(&text).expect("is a form");
            if let Ok(code) = callback.code("https://idp", true) {
                prop_assert_eq!(parameters.one("code"), Ok(Some(code.reveal())));
                prop_assert_eq!(parameters.one("iss"), Ok(Some("https://idp")));
                prop_assert_eq!(parameters.one("error"), Ok(None));
            }
        }
    }

    #[test]
    fn what_was_written_is_read(pairs in vec((any::<String>(), any::<String>()), 0..5)) {
        let mut form = Form::default();
        for (name, value) in &pairs {
            form.push(name, value);
        }
        let read = Parameters::parse(form.as_str().as_bytes()).expect("is a form");
        prop_assert_eq!(read.names().collect::<Vec<_>>(), pairs.iter().map(|(name, _)| name).collect::<Vec<_>>());
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"*-._+%=&".contains(&octet);
        prop_assert!(form.as_str().bytes().all(plain));
        prop_assert_eq!(read.one("x").is_err(), pairs.iter().filter(|(name, _)| name == "x").count() > 1);
    }

    #[test]
    fn only_a_boolean_makes_a_token_active(body in object(&["active", "sub", "exp"])) {
        let document = Document::parse(body.as_bytes()).expect("is JSON");
        let active = document.root().get("active").and_then(jose::json::Value::as_bool);
        match Introspection::read(200, body.as_bytes()) {
            Ok(Introspection::Active(_)) => prop_assert_eq!(active, Some(true)),
            Ok(Introspection::Inactive) => prop_assert_eq!(active, Some(false)),
            Err(_) => prop_assert_eq!(active, None),
        }
    }

    #[test]
    fn merging_leaves_protected_claims_alone(
        token in object(&["iss", "sub", "aud", "exp", "email", "groups", "nonce"]),
        userinfo in object(&["iss", "aud", "exp", "iat", "nbf", "jti", "azp", "nonce", "email", "groups", "name"]),
    ) {
        let userinfo = format!("{{\"sub\":\"alice\"{}{}", if userinfo == "{}" { "" } else { "," }, &userinfo[1..]);
        let token = Document::parse(token.as_bytes()).expect("is JSON");
        let merged = UserInfo::read(200, userinfo.as_bytes(), "alice").expect("is a response").merge_into(token.root());
        let merged = Document::parse(merged.as_bytes()).expect("no claim occurs twice");
        let userinfo = Document::parse(userinfo.as_bytes()).expect("is JSON");
        for name in PROTECTED.into_iter().chain(["email", "groups", "name"]) {
            let text = |document: &Document<'_>| document.root().get(name).map(write::compact);
            let newer = text(&userinfo).filter(|text| !PROTECTED.contains(&name) && text != "null");
            prop_assert_eq!(text(&merged), newer.or_else(|| text(&token)), "{}", name);
        }
    }

}

proptest! {
    // Each signs.
    #![proptest_config(cases(300))]

    #[test]
    fn an_id_token_that_is_accepted_says_what_it_must(
        claims in object(&["iss", "sub", "aud", "azp", "nonce", "iat", "auth_time", "at_hash"]),
    ) {
        let (access_token, nonce) = (Secret::new("a"), Secret::new("nonce"));
        let (now, clock_skew) = (Duration::from_secs(1_300_819_381), Duration::ZERO);
        let context = Context { client_id: "client", access_token: &access_token, now, clock_skew };
        let login = Login { nonce: &nonce, max_age: Some(Duration::from_mins(1)) };
        let original = Original { issuer: "https://idp", subject: "alice", nonce: Some(&nonce) };
        with_token(ED25519, &claims, |token| {
            let claim = |name: &str| token.claims().get(name).filter(|value| !value.is_null());
            let string = |name: &str| claim(name).and_then(jose::json::Value::as_str);
            let first = id_token::check(token, &context, &login);
            let refreshed = id_token::check_refreshed(token, &context, &original);
            for (is_good, is_first) in [(first.is_ok(), true), (refreshed.is_ok(), false)] {
                if !is_good {
                    continue;
                }
                let aud = claim("aud").expect("is there");
                assert!(aud.as_str() == Some("client") || aud.elements().any(|aud| aud.as_str() == Some("client")));
                assert!(claim("azp").is_none() || string("azp") == Some("client"));
                assert!(string("azp").is_some() || aud.elements().count() < 2);
                assert!(string("nonce") == Some("nonce") || (!is_first && claim("nonce").is_none()));
                assert!(claim("iat").is_some_and(|iat| iat.kind() == Kind::Number));
                assert!(claim("at_hash").is_none());
                assert!(!is_first || claim("auth_time").is_some_and(|time| time.kind() == Kind::Number));
                assert!(is_first || (string("iss") == Some("https://idp") && string("sub") == Some("alice")));
            }
            assert_eq!(token.algorithm(), Some(Algorithm::EdDsa));
        });
    }
}

/// So that none of the properties above holds for want of something that is accepted.
#[test]
fn the_texts_are_good_before_they_are_damaged() {
    let text = |index: usize| TEXTS[index].as_bytes();
    assert!(Callback::read(text(0)).is_ok_and(|callback| callback.code("https://idp", true).is_ok()));
    assert!(Callback::read(text(1)).is_ok());
    assert!(TokenResponse::read(200, text(2)).is_ok());
    assert!(ExchangeResponse::read(200, text(3), None).is_ok());
    assert!(matches!(TokenResponse::read(400, text(4)), Err(ResponseError::Refused { .. })));
    assert!(Metadata::read(text(5), "https://idp").is_ok_and(|metadata| metadata.skipped.is_empty()));
    assert!(matches!(Introspection::read(200, text(6)), Ok(Introspection::Active(_))));
    assert!(UserInfo::read(200, text(7), "alice").is_ok());
    assert!(User::read(200, text(8)).is_ok());
    assert!(github::primary_email(200, text(9)).is_ok_and(|email| email.is_some()));
    assert!(matches!(TeamPages::default().add(200, text(10), std::iter::empty()), Ok(Teams::All(_))));
}
