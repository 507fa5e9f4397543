//! The registered claims of RFC 7519 §4.1 that a verifier acts on.

use core::cmp::Ordering;
use core::time::Duration;

use crate::json::{Decimal, Value};

/// The largest date that is accepted, 2^53 seconds: beyond it JSON's numbers mean different things to different
/// readers (RFC 7493 §2.2).
const LATEST: u64 = 1 << 53;

/// A date as RFC 7519 §2 defines it: seconds since 1970-01-01T00:00:00Z, fractions allowed.
///
/// All comparisons are exact, whatever the number of digits.
#[derive(Clone, Copy, Debug)]
pub struct NumericDate<'t> {
    seconds: u64,
    /// INVARIANT: its whole part is `seconds`.
    number: Decimal<'t>,
}

impl<'t> NumericDate<'t> {
    /// Reads a claim; `None` for what is no number, or outside 0 to 2^53.
    pub fn from_claim(claim: Value<'t>) -> Option<Self> {
        let number = claim.as_number()?;
        let (seconds, fraction) = number.split()?;
        let in_range = seconds < LATEST || (seconds == LATEST && fraction.is_zero());
        in_range.then_some(Self { seconds, number })
    }

    /// Compares with an instant, given as the time since the epoch.
    pub fn cmp_instant(self, instant: Duration) -> Ordering {
        self.seconds.cmp(&instant.as_secs()).then_with(|| match self.number.split() {
            Some((_, fraction)) => fraction.cmp_nanoseconds(instant.subsec_nanos()),
            None => Ordering::Equal,
        })
    }

    /// The whole seconds before this date, or at it.
    pub fn floor(self) -> u64 {
        self.seconds
    }

    /// The whole seconds at this date, or behind it.
    pub fn ceiling(self) -> u64 {
        let is_whole = self.number.split().is_some_and(|(_, fraction)| fraction.is_zero());
        self.seconds.saturating_add(u64::from(!is_whole))
    }

    /// Whether more than `most` lies between `earlier` and this date. `most` counts in whole seconds.
    pub fn is_later_by_more_than(self, earlier: NumericDate<'_>, most: Duration) -> bool {
        let Some(seconds) = self.seconds.checked_sub(earlier.seconds) else { return false };
        // The fractions differ by less than a second: they matter only where the seconds are equal.
        seconds.cmp(&most.as_secs()).then_with(|| match (self.number.split(), earlier.number.split()) {
            (Some((_, own)), Some((_, others))) => own.cmp_fraction(others),
            _ => Ordering::Equal,
        }) == Ordering::Greater
    }
}

/// Whether `aud` names `audience`: it is a string, or an array of strings (RFC 7519 §4.1.3).
///
/// `None` for any other type.
pub fn audience_contains(aud: Value<'_>, mut is_wanted: impl FnMut(&str) -> bool) -> Option<bool> {
    if let Some(audience) = aud.as_str() {
        return Some(is_wanted(audience));
    }
    if aud.kind() != crate::json::Kind::Array {
        return None;
    }
    let mut found = false;
    for element in aud.elements() {
        found |= is_wanted(element.as_str()?);
    }
    Some(found)
}

/// Media types compare without case, and `application/` may be left out (RFC 7515 §4.1.9).
pub fn is_type(typ: &str, wanted: &str) -> bool {
    subtype(typ).eq_ignore_ascii_case(subtype(wanted))
}

fn subtype(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => media_type.get(PREFIX.len()..).unwrap_or_default(),
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::json::Document;

    fn with<T>(json: &str, test: impl FnOnce(Value<'_>) -> T) -> T {
        test(Document::parse(json.as_bytes()).expect(json).root())
    }

    #[test]
    fn dates_lie_between_0_and_2_to_the_53() {
        for accepted in ["0", "1700000000", "17e8", "1700000000.5", "9007199254740992", "9007199254740992.0", "1e-400"]
        {
            assert!(with(accepted, |date| NumericDate::from_claim(date).is_some()), "{accepted}");
        }
        for refused in [
            "-1",
            "9007199254740993",
            "9007199254740992.1",
            "1e400",
            "\"1700000000\"",
            "null",
            "true",
            "[]",
            "{}",
            "-0.1",
        ] {
            assert!(with(refused, |date| NumericDate::from_claim(date).is_none()), "{refused}");
        }
    }

    #[test]
    fn dates_compare_exactly() {
        let order = |date: &str, instant| {
            with(date, |date| NumericDate::from_claim(date).map(|date| date.cmp_instant(instant)))
        };
        assert_eq!(order("100", Duration::from_secs(100)), Some(Ordering::Equal));
        assert_eq!(order("100.000000001", Duration::from_secs(100)), Some(Ordering::Greater));
        assert_eq!(order("100.0000000001", Duration::from_secs(100)), Some(Ordering::Greater));
        assert_eq!(order("99.9999999999", Duration::from_secs(100)), Some(Ordering::Less));
        assert_eq!(order("9007199254740991", Duration::from_secs(9_007_199_254_740_992)), Some(Ordering::Less));
    }

    #[test]
    fn lifetimes_compare_exactly() {
        let longer = |from: &str, to: &str, most| {
            let (from, to) = (Document::parse(from.as_bytes()).expect(from), Document::parse(to.as_bytes()).expect(to));
            let date = |document: &Document<'_>| NumericDate::from_claim(document.root()).is_some();
            assert!(date(&from) && date(&to));
            let (from, to) = (NumericDate::from_claim(from.root()), NumericDate::from_claim(to.root()));
            to.zip(from).is_some_and(|(to, from)| to.is_later_by_more_than(from, Duration::from_secs(most)))
        };
        assert!(!longer("100", "160", 60));
        assert!(longer("100", "160.00000000000001", 60));
        assert!(!longer("100.9", "160.8", 60) && longer("100.9", "160.95", 60) && longer("100.9", "161.0", 60));
        assert!(longer("100", "162", 60));
        assert!(!longer("160", "100", 60), "an earlier date is never later");
    }

    #[test]
    fn audiences_are_a_string_or_strings() {
        let names = |aud: &str| with(aud, |aud| audience_contains(aud, |name| name == "api"));
        assert_eq!(names("\"api\""), Some(true));
        assert_eq!(names("[\"web\",\"api\"]"), Some(true));
        assert_eq!(names("[]"), Some(false));
        assert_eq!(names("\"API\""), Some(false));
        for refused in ["1", "null", "{\"api\":1}", "[\"api\",1]", "[[\"api\"]]"] {
            assert_eq!(names(refused), None, "{refused}");
        }
    }

    #[test]
    fn types_compare_without_case_and_prefix() {
        assert!(
            is_type("at+jwt", "at+jwt") && is_type("Application/AT+JWT", "at+jwt") && is_type("JWT", "application/jwt")
        );
        assert!(!is_type("at+jwt", "JWT") && !is_type("application/", "JWT") && !is_type("", "JWT"));
    }
}
