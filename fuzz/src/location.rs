//! Where a token may stand, as the most lenient server would read it.

use crate::base64url;
use driver::memory::HeaderLines;

/// One location where a token may stand.
#[derive(Debug)]
pub enum Location {
    /// `Authorization: Basic`: the user name, or the password of `x-oauth-basic`.
    Basic,
    Cookie {
        name: &'static str,
        scheme: Option<&'static str>,
    },
    Header {
        name: &'static str,
        scheme: Option<&'static str>,
    },
    Query(&'static str),
    /// Behind this prefix in an offer of `Sec-WebSocket-Protocol`.
    WebSocketProtocol(&'static str),
    /// In the offer behind this one.
    WebSocketPair(&'static str),
}

/// What some server may take for a credential.
#[derive(Debug)]
pub struct Found {
    /// The token, unless what stands there is malformed.
    pub token: Token,
    /// Whether it stands alone among plain characters, so that every server reads the same.
    pub is_plain: bool,
}

type Token = Option<Vec<u8>>;

impl Location {
    /// The entry of `credentials`.
    pub fn configuration(&self) -> String {
        match self {
            Self::Basic => String::from(r#"{"basic":true}"#),
            Self::Cookie { name, scheme: Some(scheme) } => format!(r#"{{"cookie":"{name}","scheme":"{scheme}"}}"#),
            Self::Cookie { name, scheme: None } => format!(r#"{{"cookie":"{name}"}}"#),
            Self::Header { name, scheme: Some(scheme) } => format!(r#"{{"header":"{name}","scheme":"{scheme}"}}"#),
            Self::Header { name, scheme: None } => format!(r#"{{"header":"{name}"}}"#),
            Self::Query(name) => format!(r#"{{"query":"{name}"}}"#),
            Self::WebSocketProtocol(prefix) => format!(r#"{{"websocketProtocol":"{prefix}"}}"#),
            Self::WebSocketPair(name) => format!(r#"{{"websocketProtocol":"{name}, "}}"#),
        }
    }

    /// The header that it is a part of.
    pub fn header(&self) -> &'static str {
        match self {
            Self::Basic => "authorization",
            Self::Cookie { .. } => "cookie",
            Self::Header { name, .. } => name,
            Self::Query(_) => ":path",
            Self::WebSocketProtocol(_) | Self::WebSocketPair(_) => "sec-websocket-protocol",
        }
    }

    /// Whether no server, however it reads, could find something here.
    pub fn is_bare(&self, headers: &HeaderLines) -> bool {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" -._/=&?;,".contains(byte);
        headers.values(self.header()).all(|line| {
            let is_empty = line.is_empty() || self.key().is_empty();
            !is_empty && line.iter().all(is_plain) && self.mentions_in(line) == 0
        })
    }

    /// What every spelling of a credential here has in it; nothing where the whole header is one.
    fn key(&self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Cookie { name: key, .. }
            | Self::Header { scheme: Some(key), .. }
            | Self::Query(key)
            | Self::WebSocketProtocol(key)
            | Self::WebSocketPair(key) => key,
            Self::Header { scheme: None, .. } => "",
        }
    }

    /// How often the key stands in a line; servers differ in what they read for case, dots, dashes and the like.
    fn mentions_in(&self, line: &[u8]) -> usize {
        let key = self.key().as_bytes();
        let folded = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
        line.windows(key.len().max(1)).filter(|part| part.iter().map(folded).eq(key.iter().map(folded))).count()
    }

    /// Everything that stands here.
    pub fn find(&self, headers: &HeaderLines) -> Vec<Found> {
        headers.values(self.header()).flat_map(|line| self.find_in(line)).collect()
    }

    fn find_in(&self, line: &[u8]) -> Vec<Found> {
        let (marks, tokens): (&[u8], Vec<Token>) = match self {
            Self::Basic => (b" +/=", with_scheme(line, "Basic").into_iter().map(|pair| user(&pair?)).collect()),
            Self::Cookie { name, scheme } => {
                // A name without a value is no pair.
                let values = named(line, b";,", |found| found.trim_ascii() == name.as_bytes());
                let values = values.into_iter().flatten().map(unquoted);
                let token = |value: Vec<u8>| match scheme {
                    Some(scheme) => behind(&unquoted(unescaped(&value)), scheme).flatten(),
                    None => Some(value),
                };
                (b"; =", values.map(token).collect())
            }
            Self::Header { scheme: Some(scheme), .. } => (b" ", with_scheme(line, scheme)),
            Self::Header { scheme: None, .. } => (b" ", vec![Some(line.trim_ascii().to_vec())]),
            Self::Query(name) => (b"/?&=", named(query(line), b"&;", |found| unescaped(found) == name.as_bytes())),
            Self::WebSocketProtocol(prefix) => {
                let behind = offers(line).filter_map(|offer| offer.strip_prefix(prefix.as_bytes()));
                (b", ", behind.map(|token| Some(token.to_vec())).collect())
            }
            Self::WebSocketPair(name) => {
                let is_name = |offer: &[u8]| offer.eq_ignore_ascii_case(name.as_bytes());
                let pairs = offers(line).zip(offers(line).skip(1)).filter(|(offer, _)| is_name(offer));
                (b", ", pairs.map(|(_, token)| Some(token.to_vec())).collect())
            }
        };
        let is_mark = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte) || marks.contains(byte);
        let is_padded = line.windows(2).any(|pair| pair == b"= " || pair == b" =");
        let is_plain = line.iter().all(is_mark) && !is_padded && self.mentions_in(line) <= 1;
        tokens.into_iter().map(|token| Found { token, is_plain }).collect()
    }
}

/// What stands behind a scheme. Lines that were joined have several, and an empty one should have one.
fn with_scheme(line: &[u8], scheme: &str) -> Vec<Token> {
    if line.trim_ascii().is_empty() {
        return vec![None];
    }
    // Some trim more than blanks.
    let trimmed = |element: &'_ [u8]| element.iter().position(u8::is_ascii_graphic).unwrap_or(0);
    let elements: Vec<_> = offers(line).map(|element| behind(&element[trimmed(element)..], scheme)).collect();
    let is_alone = elements.len() == 1;
    elements.into_iter().flatten().map(|token| token.filter(|_| is_alone)).collect()
}

/// The elements of a list in a header.
fn offers(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn behind(element: &[u8], scheme: &str) -> Option<Token> {
    let (found, rest) = element.split_at_checked(scheme.len())?;
    let is_scheme = found.eq_ignore_ascii_case(scheme.as_bytes());
    let goes_on = rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte));
    if !is_scheme || goes_on {
        return None;
    }
    let token = rest.trim_ascii();
    let is_behind_blanks = rest.first().is_some_and(u8::is_ascii_whitespace);
    let is_token = is_behind_blanks && !token.is_empty() && !token.iter().any(u8::is_ascii_whitespace);
    Some(is_token.then(|| token.to_vec()))
}

/// The values of the pairs whose name fits.
fn named(text: &[u8], separators: &[u8], fits: impl Fn(&[u8]) -> bool) -> Vec<Token> {
    let pairs = text.split(|byte| separators.contains(byte)).map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (&pair[..end], pair.get(end + 1..))
    });
    pairs.filter(|(name, _)| fits(name)).map(|(_, value)| value.map(|value| value.trim_ascii().to_vec())).collect()
}

fn query(path: &[u8]) -> &[u8] {
    path.iter().position(|byte| *byte == b'?').map_or(&[], |at| &path[at + 1..])
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let [first, others @ ..] = rest {
        let digits = others.get(..2).and_then(|digits| str::from_utf8(digits).ok());
        let escape = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escape.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if escape.is_some() { &others[2..] } else { others };
    }
    bytes
}

fn unquoted(value: Vec<u8>) -> Vec<u8> {
    match value.as_slice() {
        [b'"', inner @ .., b'"'] => inner.to_vec(),
        _ => value,
    }
}

/// The token in the credentials of `Basic` (RFC 7617), which have their padding (RFC 4648 §4).
fn user(text: &[u8]) -> Token {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if !text.len().is_multiple_of(4) || padding > 2 || text.iter().any(|byte| b"-_".contains(byte)) {
        return None;
    }
    let url_safe = |byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => *byte,
    };
    let text: Vec<_> = text[..text.len() - padding].iter().map(url_safe).collect();
    let pair = base64url::decode(&text).filter(|pair| !pair.iter().any(u8::is_ascii_control))?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let (user, password) = (&pair[..colon], &pair[colon + 1..]);
    Some(if user == b"x-oauth-basic" { password.to_vec() } else { user.to_vec() })
}
