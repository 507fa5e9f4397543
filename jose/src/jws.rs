//! Tokens: JWS in the compact serialisation (RFC 7515 §7.1) whose payload is a claims set (RFC 7519 §3).
//!
//! ```text
//! text ──EncodedToken::decode──▶ octets ──parse──▶ UntrustedToken ──verify──▶ Token
//! ```

use alloc::vec::Vec;
use core::fmt;

use crate::json::{Document, Kind, Value};
use crate::jwk::VerificationKey;
use crate::signature::SignatureVerifier;
use crate::{Algorithm, base64url, swar};

/// The three parts of a token, decoded.
#[derive(Clone, Debug)]
pub struct EncodedToken<'t> {
    signing_input: &'t [u8],
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> EncodedToken<'t> {
    /// Splits and decodes `text`.
    pub fn decode(text: &'t [u8]) -> Result<Self, ParseError> {
        let dot = |text: &[u8]| swar::position(text, |word| swar::equal_to(word, b'.'));
        let part =
            |text: &'t [u8]| dot(text).and_then(|dot| Some((text.get(..dot)?, text.get(dot.checked_add(1)?..)?)));
        let (header, rest) = part(text).ok_or(ParseError::Parts)?;
        let (payload, signature) = part(rest).ok_or(ParseError::Parts)?;
        if dot(signature).is_some() {
            return Err(ParseError::Parts);
        }
        let signing_input = header.len().saturating_add(1).saturating_add(payload.len());
        Ok(Self {
            signing_input: text.get(..signing_input).unwrap_or_default(),
            header: base64url::decode(header).ok_or(ParseError::Base64("header"))?,
            payload: base64url::decode(payload).ok_or(ParseError::Base64("payload"))?,
            signature: base64url::decode(signature).ok_or(ParseError::Base64("signature"))?,
        })
    }

    /// Reads header and payload.
    pub fn parse(&self) -> Result<UntrustedToken<'_>, ParseError> {
        let header = Document::parse(&self.header).map_err(|_| ParseError::Json("header"))?;
        let payload = Document::parse(&self.payload).map_err(|_| ParseError::Json("payload"))?;
        for (part, document) in [("header", &header), ("payload", &payload)] {
            if document.root().kind() != Kind::Object {
                return Err(ParseError::NotAnObject(part));
            }
        }
        for member in ["alg", "kid", "typ"] {
            if header.root().get(member).is_some_and(|value| value.as_str().is_none()) {
                return Err(ParseError::Member(member));
            }
        }
        if header.root().get("alg").is_none() {
            return Err(ParseError::Member("alg"));
        }
        Ok(UntrustedToken { encoded: self, header, payload })
    }
}

/// A token that is well formed, and nothing more: every value in it is untrusted input.
#[derive(Debug)]
pub struct UntrustedToken<'e> {
    encoded: &'e EncodedToken<'e>,
    header: Document<'e>,
    payload: Document<'e>,
}

impl<'e> UntrustedToken<'e> {
    /// The algorithm that the header names, where it is one of [`Algorithm::ALL`].
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.header_string("alg").and_then(Algorithm::from_name)
    }

    /// Whether the header asks for an extension that changes what the token means: `crit` (RFC 7515 §4.1.11), or
    /// an unencoded payload (RFC 7797). None is supported.
    pub fn has_extensions(&self) -> bool {
        let header = self.header.root();
        header.get("crit").is_some() || header.get("b64").is_some_and(|b64| b64.as_bool() != Some(true))
    }

    /// The `kid` by which the header names a key. An empty one is a name that no key has: a token that has it is never
    /// tried with keys of other names.
    pub fn kid(&self) -> Option<&str> {
        self.header_string("kid")
    }

    /// The `typ` that the header claims.
    pub fn typ(&self) -> Option<&str> {
        self.header_string("typ")
    }

    /// A member of the header, unverified. A key that a header brings vouches for nothing but who has it.
    pub fn header_member(&self, name: &str) -> Option<Value<'_>> {
        self.header.root().get(name)
    }

    /// The claim `iss`, unverified: good for choosing whose keys are asked, and nothing else. Null is absent.
    pub fn issuer(&self) -> Option<Value<'_>> {
        self.claim("iss")
    }

    /// The claim `sub`, unverified, for tokens that name their issuer by it (SPIFFE JWT-SVID §3.1). Null is absent.
    pub fn subject(&self) -> Option<Value<'_>> {
        self.claim("sub")
    }

    /// A claim, unverified. Null is absent.
    pub fn claim(&self, name: &str) -> Option<Value<'_>> {
        self.payload.root().get(name).filter(|claim| !claim.is_null())
    }

    /// Turns this into a [`Token`] if the signature fits one of `keys` under the algorithm that the header names
    /// and the key allows.
    pub fn verify(
        self,
        keys: &[&VerificationKey],
        verifier: &dyn SignatureVerifier,
    ) -> Result<Token<'e>, BadSignature> {
        let algorithm = self.algorithm().ok_or(BadSignature)?;
        let encoded = self.encoded;
        let fits = keys.iter().any(|key| {
            key.allows(algorithm)
                && verifier.verify(key.material(), algorithm, encoded.signing_input, &encoded.signature)
        });
        if !fits {
            return Err(BadSignature);
        }
        Ok(Token { header: self.header, payload: self.payload })
    }

    fn header_string(&self, member: &str) -> Option<&str> {
        self.header.root().get(member)?.as_str()
    }
}

/// A token whose signature was made with a key of its issuer. Its dates and audience are still to be checked.
#[derive(Debug)]
pub struct Token<'e> {
    header: Document<'e>,
    payload: Document<'e>,
}

impl Token<'_> {
    /// The algorithm that the token was signed with.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.header.root().get("alg")?.as_str().and_then(Algorithm::from_name)
    }

    /// The `typ` of the header.
    pub fn typ(&self) -> Option<&str> {
        self.header.root().get("typ")?.as_str()
    }

    /// The claims set, an object.
    pub fn claims(&self) -> Value<'_> {
        self.payload.root()
    }
}

/// No key that was tried made the signature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadSignature;

impl core::error::Error for BadSignature {}

impl fmt::Display for BadSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the signature fits no key that may have made it")
    }
}

/// Why a text is no token. Carries nothing of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParseError {
    /// A part is not strict base64url.
    Base64(&'static str),
    /// A part is not strict JSON.
    Json(&'static str),
    /// A header member is absent or of the wrong type.
    Member(&'static str),
    /// A part is JSON, but no object.
    NotAnObject(&'static str),
    /// There are not three parts.
    Parts,
}

impl core::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base64(part) => write!(formatter, "the {part} is not strict base64url"),
            Self::Json(part) => write!(formatter, "the {part} is not strict JSON"),
            Self::Member(member) => write!(formatter, "the header member {member} is missing or not a string"),
            Self::NotAnObject(part) => write!(formatter, "the {part} is not a JSON object"),
            Self::Parts => formatter.write_str("there are not three parts between dots"),
        }
    }
}
