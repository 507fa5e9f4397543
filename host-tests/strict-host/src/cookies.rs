//! What is wrong with the cookies that a response sets.

use crate::headers::HeaderMap;

/// A cookie that is set twice, in the words of a violation: browsers differ in which one they keep.
pub(crate) fn repeated(headers: &HeaderMap) -> Option<String> {
    let mut seen = Vec::new();
    for line in headers.all("set-cookie") {
        let cookie = identity(line);
        if seen.contains(&cookie) {
            return Some(format!("the cookie `{}` is set twice in one response", cookie.0.escape_ascii()));
        }
        seen.push(cookie);
    }
    None
}

/// What tells one cookie from another (RFC 6265 §5.3): its name, and the attributes `Domain` and `Path`.
fn identity(line: &[u8]) -> (&[u8], Option<Vec<u8>>, Option<Vec<u8>>) {
    let mut parts = line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().and_then(|pair| pair.split(|byte| *byte == b'=').next()).unwrap_or_default();
    let attributes: Vec<_> = parts.map(<[u8]>::to_ascii_lowercase).collect();
    let attribute =
        |name: &[u8]| attributes.iter().find_map(|attribute| attribute.strip_prefix(name)).map(<[u8]>::to_vec);
    (name.trim_ascii(), attribute(b"domain="), attribute(b"path="))
}
