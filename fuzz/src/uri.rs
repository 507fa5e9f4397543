//! URIs of requests (RFC 3986), character by character: when two are one.

/// A character of a URI: as it is, or escaped for good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Character {
    Escaped(u8),
    Plain(u8),
}

use Character::{Escaped, Plain};

/// A URI in the one spelling that all of its spellings have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Uri {
    host: Vec<Character>,
    port: Vec<Character>,
    path: Vec<Character>,
}

impl Uri {
    /// From an authority, and a path with whatever follows it; `None` for what is no URI.
    pub fn new(is_https: bool, authority: &[u8], path: &[u8]) -> Option<Self> {
        let mut authority = characters(authority, b"[]:")?;
        for character in &mut authority {
            if let Plain(letter) = character {
                letter.make_ascii_lowercase();
            }
        }
        let colon = authority.iter().rposition(|character| *character == Plain(b':'));
        let colon = colon.filter(|at| !authority[*at..].contains(&Plain(b']'))).unwrap_or(authority.len());
        let (host, port) = (authority[..colon].to_vec(), authority.get(colon + 1..).unwrap_or_default().to_vec());
        let default: Vec<_> = if is_https { "443" } else { "80" }.bytes().map(Plain).collect();
        let port = if port == default { Vec::new() } else { port };
        let end = path.iter().position(|byte| b"?#".contains(byte)).unwrap_or(path.len());
        let mut path = characters(&path[..end], b"/:@")?;
        if path.is_empty() {
            path.push(Plain(b'/'));
        }
        (!host.is_empty() && path[0] == Plain(b'/')).then(|| Self { host, port, path: without_dots(path) })
    }
}

/// Whether the URI that a proof names is that of a request.
pub fn is_same(named: &str, is_https: bool, authority: &[u8], path: &[u8]) -> bool {
    let lower = named.to_ascii_lowercase();
    let is_named_https = lower.starts_with("https://");
    if !is_named_https && (is_https || !lower.starts_with("http://")) {
        return false;
    }
    let scheme = if is_named_https { "https://" } else { "http://" };
    let rest = &named.as_bytes()[scheme.len()..];
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let named = Uri::new(is_named_https, &rest[..end], &rest[end..]);
    named.is_some() && named == Uri::new(is_named_https, authority, path)
}

fn characters(text: &[u8], also: &[u8]) -> Option<Vec<Character>> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        if byte == b'%' {
            let digits = str::from_utf8(text.get(at..at + 2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            let octet = u8::from_str_radix(digits, 16).ok()?;
            found.push(if is_unreserved(octet) { Plain(octet) } else { Escaped(octet) });
            at += 2;
        } else if is_unreserved(byte) || b"!$&'()*+,;=".contains(&byte) || also.contains(&byte) {
            found.push(Plain(byte));
        } else {
            return None;
        }
    }
    Some(found)
}

/// The algorithm of RFC 3986 §5.2.4, as it is written there.
fn without_dots(mut input: Vec<Character>) -> Vec<Character> {
    let starts = |input: &[Character], text: &str| {
        input.len() >= text.len() && input.iter().zip(text.bytes()).all(|(found, byte)| *found == Plain(byte))
    };
    let is = |input: &[Character], text: &str| input.len() == text.len() && starts(input, text);
    let mut output: Vec<Character> = Vec::new();
    while !input.is_empty() {
        if starts(&input, "/./") {
            input.drain(..2);
        } else if is(&input, "/.") {
            input.pop();
        } else if starts(&input, "/../") || is(&input, "/..") {
            if is(&input, "/..") {
                input.drain(1..)
            } else {
                input.drain(..3)
            };
            let last = output.iter().rposition(|character| *character == Plain(b'/')).unwrap_or(0);
            output.truncate(last);
        } else {
            let end = input.iter().skip(1).position(|character| *character == Plain(b'/'));
            output.extend(input.drain(..end.map_or(input.len(), |end| end + 1)));
        }
    }
    output
}
