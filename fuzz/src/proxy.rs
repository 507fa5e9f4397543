//! A proxy around the engine: it holds headers, and edits them as it is told.

use std::fmt;

use gate::HeaderEdit;
use jose::Algorithm;
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;

/// Header lines, each a name and a value.
#[derive(Clone, Eq, PartialEq)]
pub struct Headers(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Headers {
    pub fn new(lines: &[(&str, &str)]) -> Self {
        Self(lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect())
    }

    /// The lines as the engine wants to see them.
    pub fn lines(&self) -> Vec<gate::HeaderLine<'_>> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
    }

    /// What is left after `edits`.
    #[must_use]
    pub fn edited(&self, edits: &[HeaderEdit]) -> Self {
        Self(HeaderEdit::apply(edits, &self.lines()))
    }

    /// The values of the lines called `name`.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        lines.map(|(_, value)| value.as_slice())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        self.0.iter().try_for_each(|(name, value)| write!(formatter, "\n    {}: {}", text(name), text(value)))
    }
}

/// What a server that folds header names (CGI, WSGI and their like) takes a name for.
pub fn folded(name: impl AsRef<[u8]>) -> String {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { char::from(*byte).to_ascii_lowercase() } else { '-' };
    name.as_ref().iter().map(fold).collect()
}

/// A verifier to which each signature is a good one: what then refuses a token is not its signature.
pub struct Gullible;

impl SignatureVerifier for Gullible {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        true
    }
}
