//! Taking the credential from a request (RFC 6750 §2.1, RFC 9110 §11.6.2).

use crate::edit::HeaderEdit;
use crate::reason::Reason;
use crate::request::{Request, is_token_byte};

/// The places where a token may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sources(Vec<Source>);

/// A header that may hold a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// Its name, in lower case.
    pub header: String,
    /// The authentication scheme in front of the token; without one, the whole value is the token.
    pub scheme: Option<String>,
}

impl Default for Sources {
    fn default() -> Self {
        Self(vec![Source { header: String::from("authorization"), scheme: Some(String::from("Bearer")) }])
    }
}

/// What a header line is to the gate.
enum Line<'r> {
    /// It holds a token, or what should be one.
    Credential(Result<&'r [u8], Reason>),
    /// It is somebody else's.
    Foreign,
}

impl Sources {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        Self(sources)
    }

    /// The places, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// The one token that the request carries.
    pub(crate) fn take<'r>(&self, request: &Request<'r>) -> Result<Option<&'r [u8]>, Reason> {
        let mut found = None;
        for (header, lines) in self.headers(request) {
            let mut credentials = lines.iter().filter_map(|line| self.read(header, line));
            let Some(credential) = credentials.next() else { continue };
            // A second line leaves open which of them a server behind the gate would read.
            if lines.len() > 1 || found.is_some() {
                return Err(Reason::AmbiguousCredentials);
            }
            found = Some(credential);
        }
        found.transpose()
    }

    /// The removal of every credential: the upstream has no use for one that it did not ask for.
    pub(crate) fn removals(&self, request: &Request<'_>) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        for (header, lines) in self.headers(request) {
            if lines.iter().any(|line| self.read(header, line).is_some()) {
                HeaderEdit::remove_once(&mut edits, header.as_bytes());
            }
        }
        edits
    }

    /// Each header that is a place, once, with its lines.
    fn headers<'r>(&self, request: &Request<'r>) -> Vec<(&str, Vec<&'r [u8]>)> {
        let mut headers: Vec<(&str, Vec<&[u8]>)> = Vec::new();
        for source in &self.0 {
            if !headers.iter().any(|(name, _)| *name == source.header) {
                headers.push((&source.header, request.lines(&source.header).collect()));
            }
        }
        headers
    }

    /// What a line of `header` holds, by the sources that stand there.
    fn read<'r>(&self, header: &str, line: &'r [u8]) -> Option<Result<&'r [u8], Reason>> {
        let sources = self.0.iter().filter(|source| source.header == header);
        let mut lines = sources.map(|source| source.read(line));
        lines.find_map(|line| match line {
            Line::Credential(credential) => Some(credential),
            Line::Foreign => None,
        })
    }
}

impl Source {
    fn read<'r>(&self, line: &'r [u8]) -> Line<'r> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Line::Credential(Err(Reason::MalformedCredentials));
        }
        match &self.scheme {
            None => Line::Credential(check(line)),
            Some(scheme) => match after_scheme(line, scheme) {
                Some(token) => Line::Credential(token.and_then(check)),
                // Lines that a proxy joined: the scheme may stand behind a comma.
                None if line
                    .split(|&byte| byte == b',')
                    .skip(1)
                    .any(|rest| after_scheme(rest.trim_ascii(), scheme).is_some()) =>
                {
                    Line::Credential(Err(Reason::MalformedCredentials))
                }
                None => Line::Foreign,
            },
        }
    }
}

fn check(token: &[u8]) -> Result<&[u8], Reason> {
    let is_separator = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'\x0b');
    match token.is_empty() || token.iter().any(is_separator) {
        true => Err(Reason::MalformedCredentials),
        false => Ok(token),
    }
}

/// What stands behind `scheme`, which compares without case; `None` for another scheme.
///
/// Behind it should be blanks. Whatever else cannot go on a scheme's name (RFC 9110 §5.6.2) may end it for some
/// parser, so it is the same scheme, malformed.
fn after_scheme<'r>(line: &'r [u8], scheme: &str) -> Option<Result<&'r [u8], Reason>> {
    let (found, rest) = line.split_at_checked(scheme.len())?;
    if !found.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest.first() {
        Some(&byte) if is_token_byte(byte) => None,
        Some(b' ' | b'\t') | None => Some(Ok(rest.trim_ascii())),
        Some(_) => Some(Err(Reason::MalformedCredentials)),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn take(sources: &Sources, lines: &[(&str, &str)]) -> (Result<Option<String>, Reason>, usize) {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request = Request::new(&lines);
        let token = sources.take(&request).map(|token| token.map(|token| String::from_utf8_lossy(token).into_owned()));
        (token, sources.removals(&request).len())
    }

    fn authorization(value: &str) -> (Result<Option<String>, Reason>, usize) {
        take(&Sources::default(), &[("authorization", value)])
    }

    #[test]
    fn the_scheme_compares_without_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c", " Bearer a.b.c "] {
            assert_eq!(authorization(value), (Ok(Some("a.b.c".into())), 1), "{value}");
        }
    }

    #[test]
    fn another_scheme_is_no_credential_and_passes_on() {
        for value in ["Basic abc", "Bearerx abc", "a.b.c", "Token Bearer", "Digest username=\"Bearer\", realm=\"x\""] {
            assert_eq!(authorization(value), (Ok(None), 0), "{value}");
        }
        assert_eq!(take(&Sources::default(), &[]), (Ok(None), 0));
    }

    #[test]
    fn empty_joined_and_broken_credentials_are_malformed() {
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a,b",
            "Bearer a,Bearer b",
            "Bearer a, Basic b",
            "Bearer,a",
            "Basic a, Bearer b",
            "Basic a,bearer",
            "Bearer:a.b.c",
            "Bearer\u{a0}a.b.c",
            "Bearer=a.b.c",
            "Bearer Bearer a",
            "Bearer\ta\tb",
        ] {
            assert_eq!(authorization(value), (Err(Reason::MalformedCredentials), 1), "{value}");
        }
    }

    #[test]
    fn more_than_one_credential_is_ambiguous() {
        let both = |one, other| take(&Sources::default(), &[("authorization", one), ("authorization", other)]);
        assert_eq!(both("Bearer a", "Bearer a"), (Err(Reason::AmbiguousCredentials), 1));
        assert_eq!(both("Basic a", "Bearer a"), (Err(Reason::AmbiguousCredentials), 1));
        assert_eq!(both("Basic a", "Basic a"), (Ok(None), 0));
        let sources = Sources::new(vec![
            Source { header: "authorization".into(), scheme: Some("Bearer".into()) },
            Source { header: "x-api-token".into(), scheme: None },
        ]);
        assert_eq!(
            take(&sources, &[("authorization", "Bearer a"), ("x-api-token", "b")]),
            (Err(Reason::AmbiguousCredentials), 2)
        );
        assert_eq!(take(&sources, &[("authorization", "Basic a"), ("x-api-token", "b")]), (Ok(Some("b".into())), 1));
        assert_eq!(take(&sources, &[("x-api-token", "")]), (Err(Reason::MalformedCredentials), 1));
    }
}
