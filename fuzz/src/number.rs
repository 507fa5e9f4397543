//! Numbers written out: as many digits as it takes, no exponent.

use std::cmp::Ordering;

/// Where exponents are cut off: so far out that no mantissa in a text of a few thousand bytes makes up for it.
const FAR: i64 = 10_000;

/// A number in plain digits, without zeros that say nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plain {
    pub negative: bool,
    pub whole: String,
    pub fraction: String,
    /// Whether its exponent was cut off, so that only its order is right.
    pub is_cut: bool,
}

/// A date: whole seconds, and the digits behind the point. Compares as it should, since no fraction ends in a zero.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Date<'p> {
    pub seconds: u64,
    pub fraction: &'p str,
}

impl Plain {
    /// Writes out a JSON number.
    pub fn read(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let text = text.to_ascii_lowercase();
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let endless = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
        let written = exponent.parse().unwrap_or(endless);
        let exponent = written.clamp(-FAR, FAR);

        let (mut whole, mut fraction) = (whole.to_string(), fraction.to_string());
        let shift = usize::try_from(exponent.unsigned_abs()).expect("is small");
        if exponent > 0 {
            fraction.extend(std::iter::repeat_n('0', shift.saturating_sub(fraction.len())));
            let rest = fraction.split_off(shift);
            whole.push_str(&std::mem::replace(&mut fraction, rest));
        } else {
            whole.insert_str(0, &"0".repeat((shift + 1).saturating_sub(whole.len())));
            let moved = whole.split_off(whole.len() - shift);
            fraction.insert_str(0, &moved);
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_zero = whole.is_empty() && fraction.is_empty();
        Self {
            negative: negative && !is_zero,
            whole: whole.to_string(),
            fraction: fraction.to_string(),
            is_cut: written != exponent && !is_zero,
        }
    }

    /// The whole number that this is, if it fits.
    pub fn to_u64(&self) -> Option<u64> {
        let digits = if self.whole.is_empty() { "0" } else { &self.whole };
        if self.negative || !self.fraction.is_empty() { None } else { digits.parse().ok() }
    }

    /// This as a date (RFC 7519 §2) between 0 and 2^53.
    pub fn to_date(&self) -> Option<Date<'_>> {
        let digits = if self.whole.is_empty() { "0" } else { &self.whole };
        let date = Date { seconds: digits.parse().ok()?, fraction: &self.fraction };
        let latest = Date { seconds: 1 << 53, fraction: "" };
        (!self.negative && date <= latest).then_some(date)
    }
}

impl Date<'_> {
    /// Compares with an instant.
    pub fn cmp_instant(&self, seconds: u64, nanoseconds: u32) -> Ordering {
        let fraction = format!("{nanoseconds:09}");
        self.cmp(&Date { seconds, fraction: fraction.trim_end_matches('0') })
    }
}
