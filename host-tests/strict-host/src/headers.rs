//! Header maps as Envoy keeps them, and their form on the ABI.

use std::fmt;

/// An ordered list of header lines: duplicates stay, names are lower case, values are bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderMap {
    lines: Vec<(Vec<u8>, Vec<u8>)>,
}

impl HeaderMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The first line of that name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.all(name).into_iter().next()
    }

    /// The first line of that name as text; bytes that are no UTF-8 show as `\u{fffd}`.
    pub fn text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Every line of that name, in order.
    pub fn all(&self, name: impl AsRef<[u8]>) -> Vec<&[u8]> {
        let name = name.as_ref().to_ascii_lowercase();
        self.iter().filter(|(other, _)| *other == name).map(|(_, value)| value).collect()
    }

    /// Whether there is a line of that name.
    pub fn contains(&self, name: impl AsRef<[u8]>) -> bool {
        self.get(name).is_some()
    }

    /// Adds a line. Pseudo-headers stay in front of the others, as in Envoy.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let name = name.as_ref().to_ascii_lowercase();
        let at = if name.starts_with(b":") {
            self.lines.iter().take_while(|(other, _)| other.starts_with(b":")).count()
        } else {
            self.lines.len()
        };
        self.lines.insert(at, (name, value.as_ref().to_vec()));
    }

    /// Removes every line of that name.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let name = name.as_ref().to_ascii_lowercase();
        self.lines.retain(|(other, _)| *other != name);
    }

    /// Replaces every line of that name by one.
    pub fn replace(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(&name);
        self.add(name, value);
    }

    /// The bytes of all names and values, which is what `proxy_get_header_map_size` answers.
    pub fn byte_size(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// A request's headers as Envoy keeps them: the lines of a name that it knows become one, with commas.
    pub(crate) fn joined(self) -> Self {
        let mut joined = Self::new();
        for (name, value) in self.lines {
            let known = JOINED.contains(&name.escape_ascii().to_string().as_str());
            match joined.lines.iter_mut().find(|(other, _)| known && *other == name) {
                Some((_, joined)) => {
                    joined.push(b',');
                    joined.extend(value);
                }
                None => joined.lines.push((name, value)),
            }
        }
        joined
    }

    /// The map in the ABI's form: the count, the lengths, then NUL-terminated names and values.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut bytes = word(self.len()).to_vec();
        for (name, value) in self.iter() {
            bytes.extend(word(name.len()));
            bytes.extend(word(value.len()));
        }
        for (name, value) in self.iter() {
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(value);
            bytes.push(0);
        }
        bytes
    }
}

/// The request headers whose lines Envoy 1.40 joins, as far as a client can send them.
const JOINED: &[&str] = &[
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-none-match",
    "origin",
    "pragma",
    "referer",
    "te",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        let mut map = Self::new();
        for (name, value) in lines {
            map.add(name, value);
        }
        map
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const COUNT: usize> From<[(N, V); COUNT]> for HeaderMap {
    fn from(lines: [(N, V); COUNT]) -> Self {
        lines.into_iter().collect()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> From<&[(N, V)]> for HeaderMap {
    fn from(lines: &[(N, V)]) -> Self {
        lines.iter().map(|(name, value)| (name, value)).collect()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> From<Vec<(N, V)>> for HeaderMap {
    fn from(lines: Vec<(N, V)>) -> Self {
        lines.into_iter().collect()
    }
}

impl From<&HeaderMap> for HeaderMap {
    fn from(map: &HeaderMap) -> Self {
        map.clone()
    }
}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        f.debug_list().entries(self.iter().map(|(name, value)| (text(name), text(value)))).finish()
    }
}

/// Pairs in the ABI's form, names as the plugin wrote them. `None`: the form is broken.
pub(crate) fn decode_pairs(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, mut lengths) = split_word(bytes)?;
    let mut data = lengths.get(count.checked_mul(8)?..)?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let (name, rest) = split_word(lengths)?;
        let (value, rest) = split_word(rest)?;
        lengths = rest;
        pairs.push((split_text(&mut data, name)?, split_text(&mut data, value)?));
    }
    data.is_empty().then_some(pairs)
}

/// What is wrong with a header line that a plugin writes, in the words of a violation.
pub(crate) fn complaint(name: &[u8], value: &[u8]) -> Option<String> {
    let shown = name.escape_ascii();
    let plain = name.strip_prefix(b":").unwrap_or(name);
    if plain.is_empty() || !plain.iter().all(|byte| is_name_byte(*byte)) {
        return Some(format!("`{shown}` is not a header name: expected lower-case token characters"));
    }
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Some(format!("the value of `{shown}` holds CR, LF or NUL"));
    }
    None
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("a header map has less than 4 GiB").to_le_bytes()
}

fn split_word(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*word) as usize, rest))
}

fn split_text(data: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (text, rest) = data.split_at_checked(length)?;
    let (end, rest) = rest.split_first()?;
    *data = rest;
    (*end == 0).then(|| text.to_vec())
}
