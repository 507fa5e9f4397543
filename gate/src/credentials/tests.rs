//! Locations side by side, and what holds for all of them.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// What is taken (the token, nothing, or why not), and what is left of the lines on a public route.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Outcome {
    pub(super) token: Result<Option<String>, Reason>,
    pub(super) left: Vec<(String, String)>,
}

impl Outcome {
    /// The values that are left of a header.
    pub(super) fn left(&self, name: &str) -> Vec<&str> {
        self.left.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }
}

fn removals(locations: &CredentialLocations, request: &Request<'_>, kept: Option<usize>) -> Vec<HeaderEdit> {
    let mut edits = Vec::new();
    let credential = kept.map(|index| Credential { token: Cow::Borrowed(&b""[..]), index, is_dpop: false });
    locations.remove_from(request, credential.as_ref().map(|credential| (credential, true)), &mut edits);
    edits
}

pub(super) fn outcome(locations: &CredentialLocations, lines: &[(&str, &str)]) -> Outcome {
    let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request::new(&lines);
    // A token may be any bytes: escapes in a query can stand for all of them.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let token = locations.take(&request).map(|credential| credential.map(|credential| text(&credential.token)));
    let token = token.map_err(|cause| cause.reason);
    let left = HeaderEdit::apply(&removals(locations, &request, None), &lines);
    Outcome { token, left: left.iter().map(|(name, value)| (text(name), text(value))).collect() }
}

impl CredentialLocation {
    pub(super) fn cookie(name: &str) -> Self {
        Self::Cookie { name: name.into(), scheme: None }
    }

    /// As the configuration has it.
    pub(super) fn offer(prefix: &str) -> Self {
        Self::WebSocketProtocol(Subprotocol::of(prefix, None))
    }
}

/// What a single location makes of the values of a single header.
pub(super) fn of(
    location: CredentialLocation,
    header: &str,
    values: &[&str],
) -> (Result<Option<String>, Reason>, Vec<String>) {
    let lines: Vec<_> = values.iter().map(|value| (header, *value)).collect();
    let outcome = outcome(&CredentialLocations::new(vec![location], Conflict::Refuse), &lines);
    let left = outcome.left(header).into_iter().map(String::from).collect();
    (outcome.token, left)
}

fn header(name: &str, scheme: Option<&str>) -> CredentialLocation {
    CredentialLocation::Header { name: name.into(), scheme: scheme.map(String::from) }
}

fn everywhere(conflict: Conflict) -> CredentialLocations {
    let locations = vec![
        CredentialLocation::cookie("session"),
        CredentialLocation::Basic,
        header("authorization", Some("Bearer")),
        header("x-api-token", None),
        CredentialLocation::Query("access_token".into()),
        CredentialLocation::offer("bearer."),
    ];
    CredentialLocations::new(locations, conflict)
}

/// One credential for each location, whose token is its index.
const CREDENTIALS: [(&str, &str); 6] = [
    ("cookie", "session=0"),
    ("authorization", "Basic MTo="),
    ("authorization", "Bearer 2"),
    ("x-api-token", "3"),
    (":path", "/?access_token=4"),
    ("sec-websocket-protocol", "bearer.5, chat"),
];

#[test]
fn each_location_holds_its_token() {
    for (index, line) in CREDENTIALS.iter().enumerate() {
        for conflict in [Conflict::Refuse, Conflict::First] {
            let outcome = outcome(&everywhere(conflict), &[*line]);
            assert_eq!(outcome.token, Ok(Some(index.to_string())), "{line:?}");
            let left = outcome.left.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>();
            assert_eq!(left, [vec![], vec![], vec![], vec![], vec!["/"], vec!["chat"]][index], "{line:?}");
        }
    }
    assert_eq!(outcome(&everywhere(Conflict::Refuse), &[("cookie", "a=b")]).token, Ok(None));
}

#[test]
fn credentials_in_two_locations_are_ambiguous_unless_the_first_is_to_be_used() {
    for (first, one) in CREDENTIALS.iter().enumerate() {
        for (second, other) in CREDENTIALS.iter().enumerate().skip(first + 1) {
            for lines in [[*one, *other], [*other, *one]] {
                assert_eq!(outcome(&everywhere(Conflict::Refuse), &lines).token, Err(Reason::AmbiguousCredentials));
                let outcome = outcome(&everywhere(Conflict::First), &lines);
                // `Authorization` has one value (RFC 9110 §11.6.2), whichever its scheme.
                let expected = match (first, second) {
                    (1, 2) => Err(Reason::AmbiguousCredentials),
                    _ => Ok(Some(first.to_string())),
                };
                assert_eq!(outcome.token, expected, "{lines:?}");
                assert!(outcome.left.iter().all(|(_, value)| ["/", "chat"].contains(&value.as_str())), "{outcome:?}");
            }
        }
    }
}

#[test]
fn the_first_location_is_used_even_if_what_it_holds_is_no_good() {
    let first = |lines: &[(&str, &str)]| outcome(&everywhere(Conflict::First), lines).token;
    assert_eq!(first(&[("cookie", "session="), ("x-api-token", "3")]), Err(Reason::MalformedCredentials));
    assert_eq!(first(&[("cookie", "session=; session=b"), ("x-api-token", "3")]), Err(Reason::MalformedCredentials));
    assert_eq!(first(&[("cookie", "a=b"), ("x-api-token", "3")]), Ok(Some("3".into())));
    for others in ["/?access_token=1&access_token=2", "/?access_token=", "/?access_token=a+b"] {
        assert_eq!(first(&[("x-api-token", "3"), (":path", others)]), Ok(Some("3".into())), "{others}");
    }
}

#[test]
fn of_several_cookies_of_one_name_the_first_counts_where_the_first_location_is_used() {
    let locations = CredentialLocations::new(
        vec![CredentialLocation::cookie("session"), header("x-api-token", None)],
        Conflict::First,
    );
    for (lines, token, left) in [
        (&["session=a; session=b"][..], Ok("a"), vec![]),
        (&["session=a; x=1", "session=b; session=c"], Ok("a"), vec!["x=1"]),
        (&["sess%69on=a; session=b; session[]=c"], Ok("b"), vec![]),
        (&["session=; session=b"], Err(Reason::MalformedCredentials), vec![]),
        (&["sess%69on=a; x=1"], Err(Reason::MalformedCredentials), vec!["x=1"]),
        (&["sess%69on=a; session[]=b"], Err(Reason::AmbiguousCredentials), vec![]),
    ] {
        let lines: Vec<_> = lines.iter().map(|value| ("cookie", *value)).collect();
        let found = outcome(&locations, &lines);
        let token = token.map(|token| Some(String::from(token)));
        assert_eq!((found.token.clone(), found.left("cookie")), (token, left), "{lines:?}");
    }
    let kept = |value: &str| {
        let lines = [(&b"cookie"[..], value.as_bytes())];
        let left = HeaderEdit::apply(&removals(&locations, &Request::new(&lines), Some(0)), &lines);
        left.into_iter().map(|(_, value)| String::from_utf8(value).expect("is text")).collect::<Vec<_>>()
    };
    assert_eq!(kept("x=1; session=a; session=b; sess%69on=c"), ["x=1; session=a"]);
}

#[test]
fn a_cookie_may_hold_a_token_behind_its_scheme() {
    let bearer = || CredentialLocation::Cookie { name: "session".into(), scheme: Some("Bearer".into()) };
    let one = |value: &str| of(bearer(), "cookie", &[&format!("a=1; session={value}; b=2")]);
    let left = || vec![String::from("a=1; b=2")];
    for value in [
        "Bearer a.b.c",
        "bearer a.b.c",
        "\"Bearer a.b.c\"",
        "BEARER   a.b.c",
        "Bearer%20a.b.c",
        "bearer%20%20a.b.c",
        "Bearer+a.b.c",
        "\"Bearer%20a.b.c\"",
        "%22Bearer%20a.b.c%22",
        "Bearer%20a%2Eb%2ec",
    ] {
        assert_eq!(one(value), (Ok(Some("a.b.c".into())), left()), "{value}");
    }
    for value in [
        "a.b.c",
        "Bearer",
        "Bearer%20",
        "\"\"",
        "Bearera.b.c",
        "Basic a.b.c",
        "Bearer a b",
        "Bearer%20a%20b",
        "Bearer Bearer a",
        "Bearer%20a,b",
        "Bearer%2520a.b.c",
        "Bearer%00a.b.c",
        "Bearer a\\b",
    ] {
        assert_eq!(one(value).0, Err(Reason::MalformedCredentials), "{value}");
    }
    let both = CredentialLocations::new(vec![bearer(), CredentialLocation::cookie("session")], Conflict::Refuse);
    let taken = |value: &str| outcome(&both, &[("cookie", value)]).token;
    for value in ["session=a.b.c", "session=\"Bearer a.b.c\"", "session=Bearer%20a.b.c"] {
        assert_eq!(taken(value), Ok(Some("a.b.c".into())), "{value}");
    }
    assert_eq!(taken("session=a; session=Bearer%20b"), Err(Reason::AmbiguousCredentials));
    assert_eq!(taken("session=Basic a"), Err(Reason::MalformedCredentials));
    assert_eq!(taken("session="), Err(Reason::MalformedCredentials));
}

#[test]
fn a_token_without_a_scheme_is_a_location_beside_the_schemes_of_its_header() {
    let locations = vec![header("authorization", None), CredentialLocation::default(), CredentialLocation::Basic];
    for conflict in [Conflict::Refuse, Conflict::First] {
        let locations = CredentialLocations::new(locations.clone(), conflict);
        for (value, token, is_left) in [
            ("a.b.c", Ok(Some("a.b.c")), false),
            ("Bearer a.b.c", Ok(Some("a.b.c")), false),
            ("Basic YS5iLmM6", Ok(Some("a.b.c")), false),
            ("Digest username=\"a\", realm=\"b\"", Ok(None), true),
            ("Basic", Err(Reason::MalformedCredentials), false),
            ("Digest a, Bearer b", Err(Reason::MalformedCredentials), false),
            ("", Err(Reason::MalformedCredentials), false),
            ("a.b.c, d.e.f", Err(Reason::MalformedCredentials), false),
        ] {
            let found = outcome(&locations, &[("authorization", value)]);
            let token = token.map(|token| token.map(String::from));
            assert_eq!((found.token, !found.left.is_empty()), (token, is_left), "{value}");
        }
        let two = outcome(&locations, &[("authorization", "Digest x"), ("authorization", "a.b.c")]);
        assert_eq!((two.token, two.left), (Err(Reason::AmbiguousCredentials), vec![]));
    }
}

#[test]
fn joined_schemes_of_one_header_are_malformed() {
    for value in ["Basic MTo=, Bearer 2", "Bearer 2,Basic MTo=", "Digest a, Basic MTo=", "Digest a,Bearer 2,Basic"] {
        for conflict in [Conflict::Refuse, Conflict::First] {
            let outcome = outcome(&everywhere(conflict), &[("authorization", value)]);
            assert_eq!((outcome.token, outcome.left), (Err(Reason::MalformedCredentials), vec![]), "{value}");
        }
    }
    let other = outcome(&everywhere(Conflict::Refuse), &[("authorization", "Digest a, Token b"), ("x-api-token", "3")]);
    assert_eq!(other.token, Ok(Some("3".into())));
    assert_eq!(other.left, [("authorization".into(), "Digest a, Token b".into())]);
}

#[test]
fn what_was_verified_can_stay_and_nothing_else_does() {
    let kept = |index: usize| {
        let lines: Vec<_> = CREDENTIALS.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        // The two of `Authorization` exclude each other.
        let lines: Vec<_> =
            lines.into_iter().enumerate().filter(|(index, _)| *index != 2).map(|(_, line)| line).collect();
        let locations = everywhere(Conflict::First);
        let edits = removals(&locations, &Request::new(&lines), Some(index));
        let left = HeaderEdit::apply(&edits, &lines);
        let mut left: Vec<_> = left.into_iter().map(|(_, value)| String::from_utf8(value).expect("is text")).collect();
        left.sort();
        left
    };
    assert_eq!(kept(0), ["/", "chat", "session=0"]);
    assert_eq!(kept(1), ["/", "Basic MTo=", "chat"]);
    assert_eq!(kept(3), ["/", "3", "chat"]);
    assert_eq!(kept(4), ["/?access_token=4", "chat"]);
    assert_eq!(kept(5), ["/", "bearer.5, chat"]);
}

#[test]
fn two_locations_in_one_header_are_two_locations() {
    let two = |conflict| {
        CredentialLocations::new(vec![CredentialLocation::cookie("a"), CredentialLocation::cookie("b")], conflict)
    };
    let lines = [("cookie", "b=2; c=3; a=1")];
    assert_eq!(outcome(&two(Conflict::Refuse), &lines).token, Err(Reason::AmbiguousCredentials));
    let first = outcome(&two(Conflict::First), &lines);
    assert_eq!((first.token.clone(), first.left("cookie")), (Ok(Some("1".into())), vec!["c=3"]));

    let prefixes = vec![CredentialLocation::offer("p."), CredentialLocation::offer("q.")];
    let locations = CredentialLocations::new(prefixes, Conflict::First);
    let offers = |value| outcome(&locations, &[("sec-websocket-protocol", value)]).token;
    assert_eq!(offers("p.1, q.2"), Err(Reason::MalformedCredentials), "nothing would remain to pick from");
    assert_eq!(offers("p.1, q.2, chat"), Ok(Some("1".into())));
}

#[test]
fn indistinguishable_locations_overlap() {
    let cookie = |name: &str| CredentialLocation::cookie(name);
    let query = |name: &str| CredentialLocation::Query(name.into());
    let offer = |prefix: &str| CredentialLocation::offer(prefix);
    let scheme_cookie =
        |name: &str, scheme: &str| CredentialLocation::Cookie { name: name.into(), scheme: Some(scheme.into()) };
    for (one, other) in [
        (cookie("a_b"), cookie("a_b")),
        (cookie("a_b"), cookie("a.b")),
        (query("Token"), query("token")),
        (offer("a."), offer("A.b.")),
        (CredentialLocation::Basic, CredentialLocation::Basic),
        (CredentialLocation::Basic, header("authorization", Some("basic"))),
        (header("x-a", None), header("x-a", None)),
        (header("x-a", Some("Bearer")), header("x-a", Some("BEARER"))),
        (scheme_cookie("a", "Bearer"), scheme_cookie("a", "bearer")),
        (scheme_cookie("a_b", "Bearer"), cookie("a.b")),
        (offer("a"), offer("ab, ")),
        (offer("a, "), offer("A, ")),
        (header("sec-websocket-protocol", Some("x")), offer("a.")),
    ] {
        assert!(one.overlaps(&other) && other.overlaps(&one), "{one:?} {other:?}");
    }
    for (one, other) in [
        (cookie("a"), cookie("b")),
        (cookie("a"), cookie("A")),
        (query("a"), cookie("a")),
        (query("a"), query("aa")),
        (offer("a."), offer("b.")),
        (offer("a."), offer("a, ")),
        (CredentialLocation::Basic, header("authorization", Some("Bearer"))),
        (CredentialLocation::Basic, header("authorization", None)),
        (header("x-a", None), header("x-a", Some("Bearer"))),
        (header("x-a", None), header("x-b", None)),
        (scheme_cookie("a", "Bearer"), cookie("a")),
    ] {
        assert!(!one.overlaps(&other) && !other.overlaps(&one), "{one:?} {other:?}");
    }
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Pieces that the readers of all locations stumble over.
    const PIECES: [&str; 40] = [
        "session",
        "access_token",
        "bearer.",
        "Bearer",
        "Basic",
        "MTo=",
        "TOKEN",
        "a",
        "=",
        "=",
        "=",
        ";",
        ";",
        "&",
        "&",
        ",",
        " ",
        "; ",
        ", ",
        "\"",
        "?",
        "%",
        "%3d",
        "%3B",
        "%26",
        "%73",
        "%5f",
        "+",
        ".",
        "_",
        "[",
        "]",
        "\t",
        "\\",
        "$",
        "\u{a0}",
        "%00",
        "\u{7f}",
        "'",
        "/",
    ];

    fn lines() -> impl Strategy<Value = Vec<(&'static str, String)>> {
        let value = || vec(select(&PIECES[..]), 0..14).prop_map(|pieces| pieces.concat());
        let name =
            select(vec!["cookie", "cookie", "authorization", "x-api-token", "sec-websocket-protocol", "x-other"]);
        (value(), vec((name, value()), 0..5)).prop_map(|(query, mut lines)| {
            lines.push((":path", format!("/p?{query}")));
            lines
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        /// What is forwarded holds nothing that would be taken, or refused, for a credential.
        #[test]
        fn nothing_is_left_to_take(lines in lines()) {
            let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let left = outcome(&everywhere(Conflict::Refuse), &lines).left;
            let left: Vec<_> = left.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let again = outcome(&everywhere(Conflict::Refuse), &left);
            prop_assert_eq!(&again.token, &Ok(None));
            prop_assert_eq!(again.left.len(), left.len());
            prop_assert_eq!(again.left("cookie"), left.iter().filter(|line| line.0 == "cookie").map(|line| line.1).collect::<Vec<_>>());
        }

        /// Cookies, parameters and offers of other names stay as they are, in their order.
        #[test]
        fn the_rest_stays_byte_for_byte(before in vec("[b-z]=[!#-+\\--:<-~]{0,5}", 0..4), after in vec("[b-z]=[!#-+\\--:<-~]{0,5}", 0..4)) {
            let of = |separator: &str, ours: &str| {
                let ours = vec![ours.to_string()];
                let with: Vec<_> = before.iter().chain(&ours).chain(&after).cloned().collect();
                (with.join(separator), [before.clone(), after.clone()].concat().join(separator))
            };
            let (with, without) = of("; ", "session=TOKEN");
            let taken = outcome(&everywhere(Conflict::Refuse), &[("cookie", &with)]);
            prop_assert_eq!((taken.token.clone(), taken.left("cookie").concat()), (Ok(Some("TOKEN".into())), without));
            let escape = |text: String| text.replace('&', "%26").replace('#', "%23");
            let (with, without) = of("&", "access_token=TOKEN");
            let (with, without) = (escape(with).replace("%26", "&"), escape(without).replace("%26", "&"));
            let taken = outcome(&everywhere(Conflict::Refuse), &[(":path", &format!("/?{with}"))]);
            let expected = if without.is_empty() { "/".into() } else { format!("/?{without}") };
            prop_assert_eq!((taken.token.clone(), taken.left(":path").concat()), (Ok(Some("TOKEN".into())), expected));
        }

        /// A token is forwarded in none of its locations, whole or in part, if it is forwarded nowhere else.
        #[test]
        fn no_token_is_forwarded(lines in lines()) {
            let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let outcome = outcome(&everywhere(Conflict::First), &lines);
            if let Ok(Some(token)) = &outcome.token {
                let locations = outcome.left.iter().filter(|(name, _)| name != "x-other");
                let is_taken = |value: &str| value.contains(token.as_str()) && token.contains("TOKEN");
                let occurs = |line: &(&str, &str)| line.1.matches("TOKEN").count();
                let once = lines.iter().map(occurs).sum::<usize>() == 1;
                prop_assert!(!once || !locations.into_iter().any(|(_, value)| is_taken(value)), "{outcome:?}");
            }
        }
    }
}
