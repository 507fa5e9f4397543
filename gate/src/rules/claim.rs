//! Tests of claims.

use super::wildcard::Wildcard;
use crate::claims::{ClaimValue, Scalar};

/// What a claim must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimTest {
    /// An array that holds all of these.
    All(Vec<Scalar>),
    /// An array that holds one of these at least.
    Any(Vec<Scalar>),
    /// An e-mail address in one of these domains, which are in lower case.
    Domain(Vec<String>),
    /// Something that is not null.
    Exists,
    /// One of these.
    In(Vec<Scalar>),
    /// A string like this.
    Matches(Wildcard),
}

impl ClaimTest {
    /// Whether a claim that is there passes.
    pub fn holds(&self, value: &ClaimValue) -> bool {
        match (self, value) {
            (Self::Exists, _) => true,
            (Self::All(wanted), ClaimValue::List(found)) => wanted.iter().all(|scalar| found.contains(scalar)),
            (Self::Any(wanted), ClaimValue::List(found)) => wanted.iter().any(|scalar| found.contains(scalar)),
            (Self::Domain(domains), ClaimValue::Scalar(Scalar::Text(email))) => {
                domain(email).is_some_and(|domain| domains.iter().any(|known| known.eq_ignore_ascii_case(domain)))
            }
            (Self::In(wanted), ClaimValue::Scalar(found)) => wanted.contains(found),
            (Self::Matches(wildcard), ClaimValue::Scalar(Scalar::Text(text))) => wildcard.matches(text),
            _ => false,
        }
    }
}

/// What stands behind the one `@` of an e-mail address. With several of them, readers disagree where it begins.
fn domain(email: &str) -> Option<&str> {
    let (local, domain) = email.split_once('@')?;
    (!local.is_empty() && !domain.contains('@')).then_some(domain)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use jose::json::Document;

    fn value(json: &str) -> ClaimValue {
        ClaimValue::of(Document::parse(json.as_bytes()).expect(json).root())
    }

    fn scalars(json: &str) -> Vec<Scalar> {
        let document = Document::parse(json.as_bytes()).expect(json);
        document.root().elements().filter_map(Scalar::of).collect()
    }

    #[test]
    fn values_are_equal_in_type_and_value() {
        let holds = |wanted: &str, found: &str| ClaimTest::In(scalars(&format!("[{wanted}]"))).holds(&value(found));
        for (wanted, found) in [
            ("\"a\"", "\"a\""),
            ("\"a\",\"b\"", "\"b\""),
            ("60", "60.0"),
            ("1e2", "100"),
            ("true", "true"),
            ("9007199254740991", "9007199254740991"),
            ("\"\"", "\"\""),
        ] {
            assert!(holds(wanted, found), "{wanted} {found}");
        }
        for (wanted, found) in [
            ("\"a\"", "\"A\""),
            ("\"1\"", "1"),
            ("1", "\"1\""),
            ("1", "true"),
            ("true", "\"true\""),
            ("false", "true"),
            ("1", "1.0000000000000000001"),
            ("\"a\"", "[\"a\"]"),
            ("\"a\"", "{\"a\":\"a\"}"),
        ] {
            assert!(!holds(wanted, found), "{wanted} {found}");
        }
    }

    #[test]
    fn arrays_hold_all_or_any() {
        let (all, any) = (ClaimTest::All(scalars("[\"a\",1]")), ClaimTest::Any(scalars("[\"a\",1]")));
        for (found, has_all, has_any) in [
            ("[\"a\",1.0,true]", true, true),
            ("[\"a\"]", false, true),
            ("[\"1\"]", false, false),
            ("[]", false, false),
            ("\"a\"", false, false),
            ("\"a 1\"", false, false),
            ("[[\"a\",1]]", false, false),
            ("[{},null,1]", false, true),
            ("{\"a\":1}", false, false),
        ] {
            assert_eq!((all.holds(&value(found)), any.holds(&value(found))), (has_all, has_any), "{found}");
        }
    }

    #[test]
    fn a_domain_is_what_stands_behind_the_only_at() {
        let test = ClaimTest::Domain(vec!["example.com".into(), "example.org".into()]);
        for email in ["a@example.com", "a@EXAMPLE.Org", "\u{e9}@example.com"] {
            assert!(test.holds(&value(&format!("\"{email}\""))), "{email}");
        }
        for email in [
            "example.com",
            "@example.com",
            "a@sub.example.com",
            "a@example.com.",
            "a@evil.com@example.com",
            "a@example.com@evil.com",
            "a@@example.com",
            "a@badexample.com",
            "a@example.com ",
            "a@example.com\\u0000",
            "a@exampl\\u00e9.com",
            "",
        ] {
            assert!(!test.holds(&value(&format!("\"{email}\""))), "{email}");
        }
        assert!(!test.holds(&value("[\"a@example.com\"]")));
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
        assert!(!ClaimTest::Matches(Wildcard::new("*")).holds(&value("1")), "only a string is like a text");
        assert!(!ClaimTest::Matches(Wildcard::new("*")).holds(&value("[\"a\"]")));
    }

    #[test]
    fn whatever_is_not_null_exists() {
        for found in ["\"\"", "0", "false", "[]", "{}"] {
            assert!(ClaimTest::Exists.holds(&value(found)), "{found}");
        }
    }
}
