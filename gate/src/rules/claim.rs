//! Tests of claims.

use super::relation::{MatchedRequest, RequestPart};
use super::truth::Truth;
use super::wildcard::Wildcard;
use crate::claims::{ClaimValue, Scalar};

/// What a claim must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimTest {
    /// An array that holds all of these. A scalar counts as an array of one.
    All(Vec<Scalar>),
    /// An array that holds one of these at least. Likewise.
    Any(Vec<Scalar>),
    /// An e-mail address in one of these domains, which are in lower case.
    Domain(Vec<String>),
    /// Equal to a part of the request.
    EqualsRequest(RequestPart),
    /// Something that is not null.
    Exists,
    /// One of these.
    In(Vec<Scalar>),
    /// A string like this; of an array, some element.
    Matches(Wildcard),
}

impl ClaimTest {
    /// Whether a claim that is there passes. A claim of a type that the test does not apply to leaves it undecided.
    pub fn judge(&self, value: &ClaimValue, request: &MatchedRequest<'_>) -> Truth {
        match (self, value) {
            (_, ClaimValue::Unclear(_)) => Truth::Undecided,
            (Self::Exists, _) => Truth::True,
            (Self::EqualsRequest(part), value) => part.equals(value, part.value(request).as_deref()),
            (_, ClaimValue::Object) => Truth::Undecided,
            (Self::All(wanted), value) => Truth::all(wanted.iter().map(|one| has(value, wanted, |found| found == one))),
            (Self::Any(wanted), value) => has(value, wanted, |found| wanted.contains(found)),
            (Self::Domain(domains), ClaimValue::Scalar(Scalar::Text(email))) => is_in(email, domains),
            (Self::In(wanted), ClaimValue::Scalar(_)) => has(value, wanted, |found| wanted.contains(found)),
            (Self::Matches(wildcard), ClaimValue::Scalar(scalar)) => is_like(scalar, wildcard),
            (Self::Matches(wildcard), ClaimValue::List { scalars, is_nested }) => {
                let rest = is_nested.then_some(Truth::Undecided);
                Truth::any(scalars.iter().map(|scalar| is_like(scalar, wildcard)).chain(rest))
            }
            (Self::Domain(_) | Self::In(_), _) => Truth::Undecided,
        }
    }
}

/// Whether some scalar of `value` is the one. Scalars of another type than all that are `wanted` cannot be compared.
fn has(value: &ClaimValue, wanted: &[Scalar], is_it: impl Fn(&Scalar) -> bool) -> Truth {
    let (scalars, is_nested) = match value {
        ClaimValue::List { scalars, is_nested } => (scalars.as_slice(), *is_nested),
        ClaimValue::Scalar(scalar) => (std::slice::from_ref(scalar), false),
        ClaimValue::Object | ClaimValue::Unclear(_) => (&[][..], true),
    };
    if scalars.iter().any(is_it) {
        return Truth::True;
    }
    let is_comparable = |found: &Scalar| wanted.iter().any(|one| one.is_of_type_of(found));
    match !is_nested && scalars.iter().all(is_comparable) {
        true => Truth::False,
        false => Truth::Undecided,
    }
}

fn is_like(scalar: &Scalar, wildcard: &Wildcard) -> Truth {
    match scalar {
        Scalar::Text(text) => wildcard.matches(text).into(),
        Scalar::Bool(_) | Scalar::Number(_) => Truth::Undecided,
    }
}

/// Whether an e-mail address is in one of `domains`. With several `@`, readers disagree where the domain begins.
fn is_in(email: &str, domains: &[String]) -> Truth {
    let Some((local, domain)) = email.split_once('@') else { return Truth::False };
    if domain.contains('@') {
        return Truth::Undecided;
    }
    let is_known = |domain: &str| domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
    if !local.is_empty() && is_known(domain) {
        return Truth::True;
    }
    // `A <a@example.com>` and `a@example.com.` are no addresses, and still name the domain to some servers.
    let is_part = |character: char| character.is_ascii_alphanumeric();
    if is_known(domain.trim_matches(|character| !is_part(character))) { Truth::Undecided } else { Truth::False }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::{CanonicalPath, Request};
    use crate::rules::Matcher;
    use Truth::{False, True, Undecided};
    use jose::json::Document;

    fn value(json: &str) -> ClaimValue {
        ClaimValue::of(Document::parse(json.as_bytes()).expect(json).root())
    }

    fn scalars(json: &str) -> Vec<Scalar> {
        let document = Document::parse(json.as_bytes()).expect(json);
        document.root().elements().filter_map(Scalar::of).collect()
    }

    /// How `test` comes out where nothing of the request takes part.
    fn judge(test: &ClaimTest, found: &str) -> Truth {
        let path = CanonicalPath::strict(b"/").expect("is a path");
        let matched = MatchedRequest { request: &Request::new(&[]), path: &path, matcher: &Matcher::default() };
        test.judge(&value(found), &matched)
    }

    fn assert_all(test: &ClaimTest, truth: Truth, all: &[&str]) {
        for found in all {
            assert_eq!(judge(test, found), truth, "{test:?} {found}");
        }
    }

    #[test]
    fn values_are_equal_in_type_and_value() {
        for (wanted, found, truth) in [
            ("\"a\"", "\"a\"", True),
            ("\"a\",\"b\"", "\"b\"", True),
            ("60", "60.0", True),
            ("1e2", "100", True),
            ("true", "true", True),
            ("9007199254740991", "9007199254740991", True),
            ("\"\"", "\"\"", True),
            ("\"a\"", "\"A\"", False),
            ("false", "true", False),
            ("1", "1.0000000000000000001", False),
            ("1,\"1\"", "2", False),
            ("\"1\"", "1", Undecided),
            ("1", "\"1\"", Undecided),
            ("1", "true", Undecided),
            ("true", "\"true\"", Undecided),
            ("\"a\"", "[\"a\"]", Undecided),
            ("\"a\"", "[]", Undecided),
            ("\"a\"", "{\"a\":\"a\"}", Undecided),
        ] {
            assert_eq!(judge(&ClaimTest::In(scalars(&format!("[{wanted}]"))), found), truth, "{wanted} {found}");
        }
    }

    #[test]
    fn arrays_hold_all_or_any_and_a_scalar_is_an_array_of_one() {
        let (all, any) = (ClaimTest::All(scalars("[\"a\",1]")), ClaimTest::Any(scalars("[\"a\",1]")));
        for (found, has_all, has_any) in [
            ("[\"a\",1.0,true]", True, True),
            ("[\"a\"]", False, True),
            ("[\"1\"]", False, False),
            ("[]", False, False),
            ("[null]", False, False),
            ("\"a\"", False, True),
            ("\"a 1\"", False, False),
            ("true", Undecided, Undecided),
            ("[\"b\",true]", Undecided, Undecided),
            ("[[\"a\",1]]", Undecided, Undecided),
            ("[{},null,1]", Undecided, True),
            ("{\"a\":1}", Undecided, Undecided),
            ("{}", Undecided, Undecided),
        ] {
            assert_eq!((judge(&all, found), judge(&any, found)), (has_all, has_any), "{found}");
        }
        assert_eq!(judge(&ClaimTest::All(scalars("[\"a\"]")), "\"a\""), True);
    }

    #[test]
    fn a_domain_is_what_stands_behind_the_only_at() {
        let test = ClaimTest::Domain(vec!["example.com".into(), "example.org".into()]);
        assert_all(&test, True, &["\"a@example.com\"", "\"a@EXAMPLE.Org\"", "\"\u{e9}@example.com\""]);
        assert_all(
            &test,
            False,
            &["\"example.com\"", "\"a@sub.example.com\"", "\"a@badexample.com\"", "\"a@exampl\\u00e9.com\"", "\"\""],
        );
        assert_all(
            &test,
            Undecided,
            &[
                "\"@example.com\"",
                "\"a@example.com.\"",
                "\"a@example.com \"",
                "\"a@Example.com\\u0000\"",
                "\"A <a@example.com>\"",
                "\"a@evil.com@example.com\"",
                "\"a@example.com@evil.com\"",
                "\"a@@example.com\"",
                "[\"a@example.com\"]",
                "[]",
                "{}",
                "1",
                "true",
            ],
        );
    }

    #[test]
    fn a_star_is_any_run_and_nothing_else_is_special() {
        for (pattern, text, matches) in [
            ("svc-*", "svc-a", true),
            ("svc-*", "svc-", true),
            ("svc-*", "Svc-a", false),
            ("svc-*", "xsvc-a", false),
            ("*", "", true),
            ("*", "any\u{e9}", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("ab*ba", "aba", false),
            ("*ab", "abab", true),
            ("a**b", "ab", true),
            ("a.c", "abc", false),
            ("a?c", "abc", false),
            ("[a]", "a", false),
            ("", "", true),
            ("", "a", false),
            ("a", "a", true),
        ] {
            assert_eq!(Wildcard::new(pattern).matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn an_array_is_like_a_text_where_one_of_its_elements_is() {
        let test = ClaimTest::Matches(Wildcard::new("/team/*"));
        assert_all(&test, True, &["\"/team/a\"", "[\"/ext/b\",\"/team/a\"]", "[{},1,null,\"/team/\"]"]);
        assert_all(&test, False, &["\"/ext/b\"", "[\"/ext/b\"]", "[]", "[null]"]);
        assert_all(&test, Undecided, &["1", "true", "{}", "[1]", "[\"/ext/b\",1]", "[[\"/team/a\"]]", "[{}]"]);
    }

    #[test]
    fn whatever_is_not_null_exists() {
        assert_all(&ClaimTest::Exists, True, &["\"\"", "0", "false", "[]", "{}"]);
    }
}
