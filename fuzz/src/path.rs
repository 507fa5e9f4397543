//! Paths and patterns, read character by character.

/// A character of a path, or an escape that stays one.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Unit {
    Escape(u8),
    Plain(u8),
}

/// The canonical form of a request target; `None` if parsers may read it differently.
pub fn strict(target: &[u8]) -> Option<String> {
    let path = text(&units(target)?);
    let is_ambiguous = path.contains([';']) || path.contains("//") || dots(&path).next().is_some();
    (!is_ambiguous).then_some(path)
}

/// What is left of a request target that may hold parameters, empty segments and dot segments.
pub fn lenient(target: &[u8]) -> Option<String> {
    Some(reduced(&text(&units(target)?)))
}

/// What servers see in a canonical path that decode whatever is printable: taken apart afterwards, in whole or in part,
/// and as it is.
pub fn decoded(path: &str) -> Vec<String> {
    let mut left = String::new();
    for unit in units(path.as_bytes()).unwrap_or_default() {
        match unit {
            Unit::Escape(byte @ 0x21..=0x7e) if byte != b'%' => left.push(char::from(byte)),
            unit => left.push_str(&text(&[unit])),
        }
    }
    if left == path {
        return Vec::new();
    }
    let end = left.find(['?', '#']).unwrap_or(left.len());
    let mut seen: Vec<String> = Vec::new();
    for reading in [reduced(&left[..end]), left[..end].to_string(), reduced(&left), left] {
        if !seen.contains(&reading) {
            seen.push(reading);
        }
    }
    seen
}

fn text(units: &[Unit]) -> String {
    let text = |unit: &Unit| match unit {
        Unit::Escape(byte) => format!("%{byte:02X}"),
        Unit::Plain(byte) => char::from(*byte).to_string(),
    };
    units.iter().map(text).collect()
}

/// The path of a target, unless something in it is refused in any mode.
fn units(target: &[u8]) -> Option<Vec<Unit>> {
    if target.contains(&b'#') {
        return None;
    }
    let path = &target[..target.iter().position(|byte| *byte == b'?').unwrap_or(target.len())];
    let mut units = Vec::new();
    let mut rest = path.iter().copied();
    while let Some(byte) = rest.next() {
        units.push(match byte {
            b'%' => escape(rest.next()?, rest.next()?)?,
            b'!' | b'$' | b'&'..=b';' | b'=' | b'@'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' => Unit::Plain(byte),
            _ => return None,
        });
    }
    let is_fine = units.first() == Some(&Unit::Plain(b'/')) && !is_misread(&units);
    is_fine.then_some(units)
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

/// Whether servers that decode twice, or badly, see more than there is.
fn is_misread(units: &[Unit]) -> bool {
    let is_hex = |unit: &Unit| matches!(unit, Unit::Plain(byte) if byte.is_ascii_hexdigit());
    let is_double = |three: &[Unit]| three[0] == Unit::Escape(b'%') && is_hex(&three[1]) && is_hex(&three[2]);
    let is_double_by_code =
        |two: &[Unit]| two[0] == Unit::Escape(b'%') && [b'u', b'U'].map(Unit::Plain).contains(&two[1]);
    let bytes = units.iter().map(|unit| match unit {
        Unit::Escape(byte) | Unit::Plain(byte) => *byte,
    });
    let is_text = String::from_utf8(bytes.collect()).is_ok_and(|text| !text.contains(char::is_control));
    let ends_a_name = |unit: &Unit| [b' ', b'#', b';', b'?'].iter().any(|byte| *unit == Unit::Escape(*byte));
    let is_cut_to_dots = |segment: &[Unit]| {
        let dots = segment.iter().take_while(|unit| **unit == Unit::Plain(b'.')).count();
        matches!(dots, 1 | 2) && segment.get(dots).is_some_and(ends_a_name)
    };
    units.windows(3).any(is_double)
        || units.windows(2).any(is_double_by_code)
        || !is_text
        || units.split(|unit| *unit == Unit::Plain(b'/')).any(is_cut_to_dots)
}

fn dots(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| matches!(*segment, "." | ".."))
}

/// Without parameters, then without `//`, then without dot segments.
fn reduced(path: &str) -> String {
    let mut left = String::new();
    let mut is_cut = false;
    for character in path.chars() {
        is_cut = character == ';' || (is_cut && character != '/');
        if !is_cut {
            left.push(character);
        }
    }
    while left.contains("//") {
        left = left.replace("//", "/");
    }
    without_dots(left)
}

/// RFC 3986 §5.2.4, step by step.
fn without_dots(mut input: String) -> String {
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") || input == "/." {
            input = format!("/{}", &input[input.len().min(3)..]);
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", &input[input.len().min(4)..]);
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |end| end + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

/// A pattern as a row of steps.
pub struct Pattern {
    steps: Vec<Step>,
    is_open: bool,
}

enum Step {
    Byte(u8),
    /// One or more that are no `/`.
    Some,
}

impl Pattern {
    /// `None` if it is invalid.
    pub fn read(text: &str) -> Option<Self> {
        let is_open = text.ends_with("/**");
        let body = if is_open { &text[..text.len() - 3] } else { text };
        if !text.starts_with('/') {
            return None;
        }
        let mut steps = Vec::new();
        for segment in body.split('/').skip(1) {
            steps.push(Step::Byte(b'/'));
            if segment.contains(['{', '}']) {
                let name = segment.strip_prefix('{')?.strip_suffix('}')?;
                let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
                if name.is_empty() || !name.chars().all(is_letter) {
                    return None;
                }
                steps.push(Step::Some);
            } else {
                let mut was_star = false;
                for byte in segment.bytes() {
                    let is_star = byte == b'*';
                    if is_star && was_star {
                        return None;
                    }
                    steps.push(if is_star { Step::Some } else { Step::Byte(byte) });
                    was_star = is_star;
                }
            }
        }
        let pattern = Self { steps, is_open };
        let example = pattern.example();
        (strict(&example)?.as_bytes() == example).then_some(pattern)
    }

    /// A path that it matches, if any is.
    fn example(&self) -> Vec<u8> {
        let step = |step: &Step| if let Step::Byte(byte) = step { *byte } else { b'x' };
        let below: &[u8] = if self.is_open { b"/x" } else { b"" };
        self.steps.iter().map(step).chain(below.iter().copied()).collect()
    }

    pub fn matches(&self, path: &str) -> bool {
        let path = path.as_bytes();
        // Everywhere one can be after so many steps.
        let mut indices = vec![0];
        for step in &self.steps {
            let mut next = Vec::new();
            for index in indices {
                let rest = &path[index..];
                match step {
                    Step::Byte(byte) => next.extend((rest.first() == Some(byte)).then_some(index + 1)),
                    Step::Some => {
                        let run = rest.iter().take_while(|byte| **byte != b'/').count();
                        next.extend((1..=run).map(|length| index + length));
                    }
                }
            }
            next.sort_unstable();
            next.dedup();
            indices = next;
        }
        indices.iter().any(|index| *index == path.len() || (self.is_open && path[*index] == b'/'))
    }

    /// The same as a regular expression.
    pub fn to_regex(&self) -> String {
        let step = |step: &Step| match step {
            // An escape is written as it stands in paths.
            Step::Byte(byte) if *byte == b'%' || byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            Step::Byte(byte) => format!("\\x{byte:02X}"),
            Step::Some => String::from("[^/]+"),
        };
        let steps: String = self.steps.iter().map(step).collect();
        format!("{steps}{}", if self.is_open { "(?:/.*)?" } else { "" })
    }
}
