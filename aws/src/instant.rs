//! Instants as text: RFC 3339 §5.6, and the basic format of ISO 8601 that signatures have.

use std::time::Duration;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reads `2026-11-29T09:00:00Z`, `2026-11-29T10:00:00.5+01:00`. Seconds that leap do not count, as in Unix time.
pub fn parse(text: &str) -> Option<Duration> {
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
    rest.is_empty().then(|| since_epoch.saturating_add(Duration::from_nanos(nanoseconds)))
}

/// Writes `20261129T090000Z` (ISO 8601, basic format): fractions of a second are left out.
pub fn basic(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
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

/// Year, month and day, so many days after 1970-01-01. Years start in March here, so that leap days end them.
fn date(days: u64) -> (u64, u64, u64) {
    // From 0000-03-01 on; 400 years have 146,097 days.
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
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
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("1970-01-01T00:00:01.5Z"), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn dates_are_written_as_they_are_read() {
        assert_eq!(basic(Duration::ZERO), "19700101T000000Z");
        assert_eq!(basic(Duration::from_millis(1_440_938_160_999)), "20150830T123600Z");
        let of = |text: &str| basic(parse(text).expect("is an instant"));
        for year in [1970, 1972, 1999, 2000, 2001, 2023, 2024, 2100, 2400, 9999] {
            for month in 1..=12 {
                for day in [1, 2, 28, days_in(year, month)] {
                    let text = format!("{year:04}-{month:02}-{day:02}T23:59:58Z");
                    assert_eq!(of(&text), text.replace(['-', ':'], ""));
                }
            }
        }
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
