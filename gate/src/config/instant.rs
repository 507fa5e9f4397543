//! Instants (RFC 3339 §5.6).

use std::time::Duration;

use super::reader::Node;
use crate::time::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

pub(super) fn read(node: &Node<'_, '_>) -> Option<Timestamp> {
    match parse(node.string()?) {
        Some(instant) => Some(instant),
        None => node.expected("an instant such as `2026-11-29T09:00:00Z` (RFC 3339 §5.6)"),
    }
}

/// Reads `2026-11-29T09:00:00Z`, `2026-11-29T10:00:00.5+01:00`. Seconds that leap do not count, as in Unix time.
fn parse(text: &str) -> Option<Timestamp> {
    let mut rest = text;
    let year = take_number(&mut rest, 4, 1970..=9999)?;
    let month = after(&mut rest, '-').and_then(|()| take_number(&mut rest, 2, 1..=12))?;
    let day = after(&mut rest, '-').and_then(|()| take_number(&mut rest, 2, 1..=days_in(year, month)))?;
    let hour = after(&mut rest, 'T').and_then(|()| take_number(&mut rest, 2, 0..=23))?;
    let minute = after(&mut rest, ':').and_then(|()| take_number(&mut rest, 2, 0..=59))?;
    let second = after(&mut rest, ':').and_then(|()| take_number(&mut rest, 2, 0..=59))?;
    let nanoseconds = take_fraction(&mut rest)?;
    let offset = take_offset(&mut rest)?;
    let seconds = days_since_epoch(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second - offset;
    let since_epoch = Duration::from_secs(u64::try_from(seconds).ok()?);
    let instant = Timestamp::default().after(since_epoch).after(Duration::from_nanos(nanoseconds));
    rest.is_empty().then_some(instant)
}

fn after(rest: &mut &str, separator: char) -> Option<()> {
    *rest = rest.strip_prefix(separator)?;
    Some(())
}

/// A number of exactly `digits` digits.
fn take_number(rest: &mut &str, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let (number, behind) = rest.split_at_checked(digits)?;
    *rest = behind;
    let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()?;
    range.contains(&number).then_some(number)
}

/// `.5`, in nanoseconds; zero where there is none.
fn take_fraction(rest: &mut &str) -> Option<u64> {
    let Some(behind) = rest.strip_prefix('.') else { return Some(0) };
    let end = behind.find(|character: char| !character.is_ascii_digit()).unwrap_or(behind.len());
    let (digits, behind) = behind.split_at_checked(end)?;
    *rest = behind;
    let is_known = (1..=9).contains(&digits.len());
    is_known.then(|| format!("{digits:0<9}").parse().ok()).flatten()
}

/// `Z` or `+01:00`, in seconds.
fn take_offset(rest: &mut &str) -> Option<i64> {
    if after(rest, 'Z').is_some() {
        return Some(0);
    }
    let sign = if after(rest, '+').is_some() { 1 } else { after(rest, '-').map(|()| -1)? };
    let hours = take_number(rest, 2, 0..=23)?;
    let minutes = after(rest, ':').and_then(|()| take_number(rest, 2, 0..=59))?;
    Some(sign * (hours * HOUR + minutes * MINUTE))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// From 1970-01-01 on.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn instants_are_seconds_since_1970() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1972-03-01T00:00:00Z", 68_256_000),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-11-29T09:00:00Z", 1_795_942_800),
            ("2026-11-29T10:00:00+01:00", 1_795_942_800),
            ("2026-11-29T03:30:00-05:30", 1_795_942_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Some(Timestamp::from_secs(seconds)), "{text}");
        }
        let half = Timestamp::from_secs(1).after(Duration::from_millis(500));
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Some(half));
    }

    #[test]
    fn other_texts_are_no_instants() {
        for text in [
            "",
            "2026-11-29",
            "2026-11-29T09:00:00",
            "2026-11-29 09:00:00Z",
            "2026-11-29t09:00:00z",
            "2026-11-29T09:00Z",
            "2026-11-29T24:00:00Z",
            "2026-11-29T09:60:00Z",
            "2026-11-29T09:00:60Z",
            "2026-11-29T09:00:00.Z",
            "2026-11-29T09:00:00.1234567890Z",
            "2026-11-29T09:00:00+0100",
            "2026-11-29T09:00:00+24:00",
            "2026-11-29T09:00:00ZZ",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "+026-11-29T09:00:00Z",
            "2026-11-29T09:00:0éZ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
