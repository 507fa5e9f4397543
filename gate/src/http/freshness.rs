//! How long an answer says that it stays fresh (RFC 9111 §4.2.1). What is odd is not taken into account.

use std::time::Duration;

use super::response::Response;

/// What an answer says of its own freshness; `None` if it says nothing.
pub(crate) fn lifetime(response: &Response<'_>) -> Option<Duration> {
    response.lines("cache-control").filter_map(cache_control).min().or_else(|| {
        // §5.3: an answer with `max-age` has no use for `Expires`.
        let (expires, date) = (http_date(response.only("expires")?)?, http_date(response.only("date")?)?);
        Some(Duration::from_secs(expires.saturating_sub(date)))
    })
}

/// The shortest that the directives ask for.
fn cache_control(value: &[u8]) -> Option<Duration> {
    let directives = std::str::from_utf8(value).ok()?.split(',').filter_map(|directive| {
        let (name, argument) = match directive.split_once('=') {
            Some((name, argument)) => (name, Some(argument)),
            None => (directive, None),
        };
        let is = |wanted: &str| name.trim_matches([' ', '\t']).eq_ignore_ascii_case(wanted);
        match argument {
            None if is("no-store") || is("no-cache") => Some(Duration::ZERO),
            Some(seconds) if is("max-age") => delta_seconds(seconds.trim_matches([' ', '\t'])),
            _ => None,
        }
    });
    directives.min()
}

fn delta_seconds(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // What does not fit is longer than anybody waits.
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// The seconds since 1970 of an IMF-fixdate (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(value: &[u8]) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = std::str::from_utf8(value).ok()?;
    let (weekday, rest) = text.split_once(", ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    let [day, month, year, time, "GMT"] = fields.as_slice() else { return None };
    let clock: Vec<_> = time.split(':').collect();
    let [hour, minute, second] = clock.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)?;
    let (day, year) = (digits(day, 2)?, digits(year, 4)?);
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    if weekday.len() != 3 || !(1..=31).contains(&day) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((days_before(year, month)? + day - 1) * 24 + hour) * 3600 + minute * 60 + second)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The days from 1970-01-01 to the first of a month, which counts from 0.
fn days_before(year: u64, month: usize) -> Option<u64> {
    const DAYS: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_years = |before: u64| (before - 1) / 4 - (before - 1) / 100 + (before - 1) / 400;
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let leap_day = u64::from(is_leap && month > 1);
    Some((year - 1970) * 365 + leap_years(year) - leap_years(1970) + DAYS.get(month)? + leap_day)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::http::HeaderLine;

    fn seconds(cache_control: &str, expires: &str, date: &str) -> Option<u64> {
        let lines: Vec<HeaderLine<'_>> = [("cache-control", cache_control), ("expires", expires), ("date", date)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let response = Response::new(&lines, b"");
        lifetime(&response).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn the_shortest_directive_counts() {
        for (value, expected) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=60 , must-revalidate", Some(60)),
            ("max-age=\"60\"", Some(60)),
            ("max-age=60, max-age=30", Some(30)),
            ("no-store", Some(0)),
            ("NO-CACHE, max-age=60", Some(0)),
            ("max-age=99999999999999999999999", Some(u64::MAX)),
            ("s-maxage=1, public", None),
            ("max-age", None),
            ("max-age=", None),
            ("max-age=-1", None),
            ("max-age=+1", None),
            ("max-age=1.5", None),
            ("max-age=\"1", None),
            ("no-cache=\"set-cookie\"", None),
            ("xmax-age=1", None),
            ("", None),
            (";max-age=1", None),
        ] {
            assert_eq!(seconds(value, "", ""), expected, "{value}");
        }
        let lines: [HeaderLine<'_>; 1] = [(b"cache-control", b"max-age=1,\xff")];
        assert_eq!(lifetime(&Response::new(&lines, b"")), None);
    }

    #[test]
    fn expires_counts_from_the_date_of_the_answer() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(seconds("", "Sun, 06 Nov 1994 08:50:37 GMT", date), Some(60));
        assert_eq!(seconds("", "Sun, 06 Nov 1994 08:40:37 GMT", date), Some(0), "in the past");
        assert_eq!(seconds("max-age=5", "Sun, 06 Nov 1994 08:50:37 GMT", date), Some(5));
        assert_eq!(seconds("public", "Sun, 06 Nov 1994 08:50:37 GMT", date), Some(60));
        for odd in [
            "0",
            "-1",
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(seconds("", odd, date), None, "{odd}");
            assert_eq!(seconds("", date, odd), None, "{odd}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sun, 28 Feb 2100 00:00:00 GMT", 4_107_456_000),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(http_date(text.as_bytes()), Some(expected), "{text}");
        }
    }
}
