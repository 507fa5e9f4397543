//! Durations: a whole number and a unit.

use std::time::Duration;

use super::reader::Node;

/// Reads `500ms`, `30s`, `5m` or `24h`.
fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(unit)?;
    let number: u64 = digits.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

/// A century: far beyond use, and far from overflow.
const MAX: Duration = Duration::from_hours(24 * 365 * 100);

/// A duration of at least `min`.
pub(super) fn at_least(node: &Node<'_, '_>, min: Duration) -> Option<Duration> {
    let Some(duration) = node.value.as_str().and_then(parse).filter(|duration| *duration <= MAX) else {
        return node.expected("a duration such as `30s`, `5m` or `24h`");
    };
    match duration < min {
        true => node.expected(&format!("a duration of at least {}s", min.as_secs())),
        false => Some(duration),
    }
}

/// A duration in whole seconds, of at least one.
pub(super) fn whole_seconds(node: &Node<'_, '_>) -> Option<Duration> {
    in_whole_seconds(node, Duration::from_secs(1))
}

/// A duration in whole seconds, of at least `min`.
pub(super) fn in_whole_seconds(node: &Node<'_, '_>, min: Duration) -> Option<Duration> {
    let duration = at_least(node, min)?;
    match duration.subsec_nanos() {
        0 => Some(duration),
        _ => node.expected("a duration in whole seconds"),
    }
}

/// A duration in the life cycle of keys, where less than a second makes no sense.
pub(super) fn of_keys(node: &Node<'_, '_>) -> Option<Duration> {
    at_least(node, Duration::from_secs(1))
}

/// A duration of at most `max`.
pub(super) fn at_most(node: &Node<'_, '_>, max: Duration) -> Option<Duration> {
    let duration = any(node)?;
    match duration > max {
        true => node.expected(&format!("a duration of at most {}m", max.as_secs() / 60)),
        false => Some(duration),
    }
}

/// Any duration.
pub(super) fn any(node: &Node<'_, '_>) -> Option<Duration> {
    at_least(node, Duration::ZERO)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(parse("90m"), Some(Duration::from_mins(90)));
        assert_eq!(parse("0s"), Some(Duration::ZERO));
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        for refused in
            ["", "s", "5", "5 s", "-5s", "5S", "1.5h", "5s5", "99999999999999999999s", "9999999999999999999h", "1d"]
        {
            assert_eq!(parse(refused), None, "{refused}");
        }
    }
}
