//! Paths: what `CanonicalPath::strict` accepts is canonical, and is what another reading of it gives.

#![no_main]

use gate::request::CanonicalPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|target: &[u8]| {
    let ours = CanonicalPath::strict(target);
    assert_eq!(ours.as_ref().ok().map(|path| path.as_str().to_string()), canonical(target), "{ours:?}");
    let Ok(path) = ours else { return };
    let path = path.as_str();
    assert_eq!(CanonicalPath::strict(path.as_bytes()).as_ref().map(CanonicalPath::as_str), Ok(path), "is canonical");
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    for query in ["", "?", "?/../%2e%2E//;\\%"] {
        let other = [&target[..end], query.as_bytes()].concat();
        assert_eq!(CanonicalPath::strict(&other).as_ref().map(CanonicalPath::as_str), Ok(path), "the query counts");
    }
});

/// A character of a path, or an escape that stays one.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Unit {
    Escape(u8),
    Plain(u8),
}

/// The canonical form of a request target, unit by unit; `None` if parsers may read it differently.
fn canonical(target: &[u8]) -> Option<String> {
    if target.contains(&b'#') {
        return None;
    }
    let path = &target[..target.iter().position(|byte| *byte == b'?').unwrap_or(target.len())];
    let mut units = Vec::new();
    let mut rest = path.iter().copied();
    while let Some(byte) = rest.next() {
        units.push(match byte {
            b'%' => escape(rest.next()?, rest.next()?)?,
            b'!' | b'$' | b'&'..=b':' | b'='..=b'@' | b'A'..=b'[' | b']' | b'^'..=b'~' | b'"' | b'<' => {
                Unit::Plain(byte)
            }
            _ => return None,
        });
    }
    if !is_unambiguous(&units) {
        return None;
    }
    let text = |unit: &Unit| match unit {
        Unit::Escape(byte) => format!("%{byte:02X}"),
        Unit::Plain(byte) => char::from(*byte).to_string(),
    };
    Some(units.iter().map(text).collect())
}

fn escape(high: u8, low: u8) -> Option<Unit> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    match byte {
        0..=0x1f | 0x7f | b'/' | b'\\' => None,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => Some(Unit::Plain(byte)),
        _ => Some(Unit::Escape(byte)),
    }
}

fn is_unambiguous(units: &[Unit]) -> bool {
    let is_hex = |unit: &Unit| matches!(unit, Unit::Plain(byte) if byte.is_ascii_hexdigit());
    let is_double = |three: &[Unit]| three[0] == Unit::Escape(b'%') && is_hex(&three[1]) && is_hex(&three[2]);
    let slash = Unit::Plain(b'/');
    let dot = Unit::Plain(b'.');
    let is_dots = |segment: &[Unit]| matches!(segment.len(), 1 | 2) && segment.iter().all(|unit| *unit == dot);
    units.first() == Some(&slash)
        && !units.windows(3).any(is_double)
        && !units.windows(2).any(|pair| pair == [slash, slash])
        && !units.split(|unit| *unit == slash).any(is_dots)
}
