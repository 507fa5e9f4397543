//! The time since 1970.

use std::time::{Duration, SystemTime};

pub(crate) fn elapsed() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// The same in whole seconds, as tokens count them.
pub(crate) fn now() -> i64 {
    i64::try_from(elapsed().as_secs()).unwrap_or(i64::MAX)
}

/// A time in seconds since 1970 as RFC 3339 writes it.
pub(crate) fn utc(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A time in the basic form of ISO 8601 (`20261129T124500Z`), as requests to AWS have it.
pub(crate) fn from_basic(text: &str) -> Option<i64> {
    let digits: String = text.strip_suffix('Z')?.chars().filter(char::is_ascii_digit).collect();
    if text.len() != 16 || digits.len() != 14 || text.find('T') != Some(8) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let day = days(number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let seconds = day * 86_400 + number(8, 10)? * 3600 + number(10, 12)? * 60 + number(12, 14)?;
    // Whatever does not come back as it was, such as a 31st of June, is not a date.
    let written: String = utc(seconds).chars().filter(char::is_ascii_digit).collect();
    (written == digits).then_some(seconds)
}

/// Year, month and day of a day since 1970 (Howard Hinnant, `civil_from_days`).
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month, day)
}

/// The reverse (`days_from_civil`).
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (seconds, written) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_413_658_823, "2014-10-18T19:00:23Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds), written);
            assert_eq!(from_basic(&written.replace(['-', ':'], "")), Some(seconds));
        }
        for bad in ["20140631T000000Z", "20141018T240000Z", "20141018T190023", "2014-1018T19002Z", ""] {
            assert_eq!(from_basic(bad), None, "{bad}");
        }
    }
}
