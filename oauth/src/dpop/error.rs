//! Why a proof does not hold.

use std::fmt;

/// The check that a proof failed (RFC 9449 §4.3). Nothing of its text is the client's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProofError {
    /// `alg` is none of [`super::ALGORITHMS`], or not one for the key.
    Algorithm,
    /// The header asks for an extension, or for trust in something else than its key.
    Extension,
    /// It is no JWS whose payload is a set of claims.
    Form,
    /// `iat` is missing, too long ago, or in the future; or another date of the proof has passed, or is to come.
    Instant,
    /// `jti` is missing, empty or too long.
    Identifier,
    /// `jwk` is missing, or no public key.
    Key,
    /// `htm` is not the request's method.
    Method,
    /// `nonce` is missing, or not one that is accepted now.
    Nonce,
    /// It was made with another key than the token is bound to.
    OtherKey,
    /// The signature was not made with its key.
    Signature,
    /// `htu` is not the request's URI.
    Target,
    /// `ath` is not the digest of the token.
    Token,
    /// It is longer than any proof.
    TooLarge,
    /// `typ` is not `dpop+jwt`.
    Type,
}

impl std::error::Error for ProofError {}

impl fmt::Display for ProofError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl ProofError {
    /// What is wrong, in the characters of an `error_description` (RFC 6750 §3).
    pub const fn text(self) -> &'static str {
        match self {
            Self::Algorithm => "the DPoP proof uses an algorithm that is not accepted, or not one for its key",
            Self::Extension => "the header of the DPoP proof has a member that is not accepted",
            Self::Form => "the DPoP proof is not a well-formed JWT",
            Self::Instant => "the DPoP proof is too old, or from the future",
            Self::Identifier => "the DPoP proof has no jti of 1 to 128 octets",
            Self::Key => "the DPoP proof has no public key in its header",
            Self::Method => "the DPoP proof is for another method",
            Self::Nonce => "the DPoP proof needs the nonce of this answer",
            Self::OtherKey => "the DPoP proof was made with another key than the token is bound to",
            Self::Signature => "the signature of the DPoP proof is not valid",
            Self::Target => "the DPoP proof is for another URI",
            Self::Token => "the DPoP proof is for another token",
            Self::TooLarge => "the DPoP proof is too large",
            Self::Type => "the DPoP proof is not of the type dpop+jwt",
        }
    }
}
