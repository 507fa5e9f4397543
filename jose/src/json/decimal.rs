//! Numbers by their exact value.

use alloc::format;
use alloc::string::String;
use core::cmp::Ordering;

/// A JSON number (RFC 8259 §6), exact whatever its size.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'t> {
    text: &'t str,
    negative: bool,
    /// The significant digits, in two runs: `whole` then `part`, without zeros at either end.
    whole: &'t str,
    part: &'t str,
    /// The value is 0.`whole``part` × 10^`point`.
    point: i64,
}

impl<'t> Decimal<'t> {
    /// Reads what the parser has found to be a number.
    pub(super) fn new(text: &'t str) -> Self {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        // Most are whole: dates, above all.
        let is_whole = unsigned.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, part, exponent) = if is_whole {
            (unsigned, "", "0")
        } else {
            let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
            let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            (whole, part, exponent)
        };
        let mut point = length(whole).saturating_add(exponent_value(exponent));

        let trimmed = whole.trim_start_matches('0');
        point = point.saturating_sub(length(whole) - length(trimmed));
        let (mut whole, mut part) = (trimmed, part.trim_end_matches('0'));
        if whole.is_empty() {
            let trimmed = part.trim_start_matches('0');
            point = point.saturating_sub(length(part) - length(trimmed));
            part = trimmed;
        }
        if part.is_empty() {
            whole = whole.trim_end_matches('0');
        }
        let is_zero = whole.is_empty() && part.is_empty();
        Self { text, negative: negative && !is_zero, whole, part, point: if is_zero { 0 } else { point } }
    }

    /// The number as it was written.
    pub fn text(self) -> &'t str {
        self.text
    }

    /// Whether this is less than zero.
    pub fn is_negative(self) -> bool {
        self.negative
    }

    /// Whether readers that pass numbers through doubles take this for the same one (RFC 7493 §2.2): it lies from
    /// -(2^53-1) to 2^53-1.
    pub fn is_interoperable(self) -> bool {
        const MOST: u64 = (1 << 53) - 1;
        let magnitude = Self { negative: false, ..self };
        magnitude.split().is_some_and(|(whole, rest)| whole < MOST || (whole == MOST && rest.is_zero()))
    }

    /// The value in one spelling: two numbers are equal if these texts are.
    pub fn canonical(self) -> String {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0.{}{}e{}", self.whole, self.part, self.point)
    }

    /// The value, where it is a whole number that fits.
    pub fn to_u64(self) -> Option<u64> {
        let (seconds, rest) = self.split()?;
        rest.is_zero().then_some(seconds)
    }

    /// The whole part and what is left of it; `None` below zero or where the whole part does not fit.
    pub(crate) fn split(self) -> Option<(u64, Fraction<'t>)> {
        if self.negative || self.point > 20 {
            return None;
        }
        let mut digits = self.digits();
        let mut whole = 0_u64;
        for _ in 0..self.point {
            let digit = digits.next().unwrap_or(0);
            whole = whole.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        Some((whole, Fraction { decimal: self }))
    }

    fn digits(self) -> impl Iterator<Item = u8> + use<'t> {
        self.whole.bytes().chain(self.part.bytes()).map(|byte| byte.wrapping_sub(b'0'))
    }
}

/// Two numbers are equal when their values are: `1`, `1.0` and `10e-1` are.
impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.negative == other.negative && self.point == other.point && self.digits().eq(other.digits())
    }
}

impl Eq for Decimal<'_> {}

/// The part of a number behind its decimal point, with all its digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fraction<'t> {
    /// INVARIANT: not negative.
    decimal: Decimal<'t>,
}

impl<'t> Fraction<'t> {
    pub(crate) fn is_zero(self) -> bool {
        self.digits().next().is_none()
    }

    /// The digits behind the point; the last one is not zero.
    fn digits(self) -> impl Iterator<Item = u8> + use<'t> {
        core::iter::repeat_n(0, self.leading_zeros()).chain(self.significant())
    }

    /// Zeros that stand between the point and the first digit without being written: as many as an exponent says.
    fn leading_zeros(self) -> usize {
        let is_zero = self.significant().next().is_none();
        if is_zero { 0 } else { leading(self.decimal.point) }
    }

    fn significant(self) -> impl Iterator<Item = u8> + use<'t> {
        self.decimal.digits().skip(usize::try_from(self.decimal.point).unwrap_or(0))
    }

    /// Compares with `nanoseconds` (below 10^9) as a fraction of a second.
    pub(crate) fn cmp_nanoseconds(self, nanoseconds: u32) -> Ordering {
        let mut digits = self.digits();
        let mut weight = 100_000_000;
        let mut own = 0_u32;
        while weight > 0 {
            own += u32::from(digits.next().unwrap_or(0)) * weight;
            weight /= 10;
        }
        own.cmp(&nanoseconds).then_with(|| if digits.next().is_some() { Ordering::Greater } else { Ordering::Equal })
    }

    /// Compares with another fraction, digit by digit.
    pub(crate) fn cmp_fraction(self, other: Fraction<'_>) -> Ordering {
        let (own, others) = (self.leading_zeros(), other.leading_zeros());
        // Zeros that both have are not counted out one by one: an exponent may ask for any number of them.
        let common = own.min(others);
        let zeros = |count: usize| core::iter::repeat_n(0, count - common);
        zeros(own).chain(self.significant()).cmp(zeros(others).chain(other.significant()))
    }
}

/// How many zeros a point that lies before the digits asks for.
fn leading(point: i64) -> usize {
    usize::try_from(point.min(0).unsigned_abs()).unwrap_or(usize::MAX)
}

fn length(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

/// An exponent too large to represent is as good as infinite: no text is long enough to make up for it.
fn exponent_value(digits: &str) -> i64 {
    const FAR: i64 = i64::MAX / 4;
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits.strip_prefix('+').unwrap_or(digits)),
    };
    let value = digits.bytes().fold(0_i64, |value, byte| {
        value.saturating_mul(10).saturating_add(i64::from(byte.wrapping_sub(b'0'))).min(FAR)
    });
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        for (one, other) in [
            ("1", "1.0"),
            ("10e-1", "1"),
            ("-0", "0"),
            ("0e99999999999999999999", "0"),
            ("0.10", "1E-1"),
            ("120", "1.2e2"),
        ] {
            assert_eq!(Decimal::new(one), Decimal::new(other), "{one} {other}");
            assert_eq!(Decimal::new(one).canonical(), Decimal::new(other).canonical(), "{one} {other}");
        }
        for (one, other) in [("1", "10"), ("1", "-1"), ("0.1", "0.01"), ("9007199254740993", "9007199254740992")] {
            assert_ne!(Decimal::new(one), Decimal::new(other), "{one} {other}");
            assert_ne!(Decimal::new(one).canonical(), Decimal::new(other).canonical(), "{one} {other}");
        }
    }

    #[test]
    fn numbers_beyond_doubles_are_distinguished() {
        for text in ["0", "-1", "1.5", "9007199254740991", "-9007199254740991.0", "9.007199254740991e15", "1e-400"] {
            assert!(Decimal::new(text).is_interoperable(), "{text}");
        }
        for text in ["9007199254740992", "-9007199254740992", "9007199254740991.1", "1e16", "1e99999999999999999999"] {
            assert!(!Decimal::new(text).is_interoperable(), "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_exact() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("60.0", Some(60)),
            ("6e1", Some(60)),
            ("600e-1", Some(60)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("1e400", None),
            ("1e99999999999999999999", None),
            ("1.5", None),
            ("-1", None),
            ("1e-99999999999999999999", None),
            ("0.5e1", Some(5)),
            ("100000000000000000000000e-22", Some(10)),
        ] {
            assert_eq!(Decimal::new(text).to_u64(), value, "{text}");
        }
    }

    #[test]
    fn fractions_compare_to_the_last_digit() {
        let fraction = |text| Decimal::new(text).split().expect("fits").1;
        assert_eq!(fraction("7.5").cmp_nanoseconds(500_000_000), Ordering::Equal);
        assert_eq!(fraction("7.5000000000000000001").cmp_nanoseconds(500_000_000), Ordering::Greater);
        assert_eq!(fraction("0.000000001").cmp_nanoseconds(1), Ordering::Equal);
        assert_eq!(fraction("1e-10").cmp_nanoseconds(0), Ordering::Greater);
        assert_eq!(fraction("12").cmp_nanoseconds(0), Ordering::Equal);
        assert_eq!(fraction("1.05").cmp_fraction(fraction("2.5")), Ordering::Less);
        assert_eq!(fraction("1.50").cmp_fraction(fraction("2.5")), Ordering::Equal);
        assert_eq!(fraction("1.51").cmp_fraction(fraction("2.5")), Ordering::Greater);
        assert_eq!(fraction("1e-3").cmp_fraction(fraction("2.002")), Ordering::Less);
        assert_eq!(fraction("2e-999999999999").cmp_fraction(fraction("1e-999999999999")), Ordering::Greater);
        assert_eq!(fraction("2e-999999999999").cmp_fraction(fraction("1.5")), Ordering::Less);
    }
}
