//! What was found, where the reason alone does not say it: the same for answers and `explain`.

use std::borrow::Cow;
use std::sync::Arc;

use super::reason::Reason;

/// Why something is refused: the reason, and what was found where that says more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cause {
    /// The reason in metrics and logs.
    pub reason: Reason,
    /// What was found.
    pub detail: Option<Detail>,
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

impl Cause {
    pub(crate) fn new(reason: Reason, detail: impl Into<Option<Detail>>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// What the client reads: see [`Reason::detail`].
    pub fn text(&self) -> Cow<'static, str> {
        self.detail.as_ref().map_or(Cow::Borrowed(self.reason.detail()), Detail::text)
    }
}

/// What was found, beside the reason. Like [`Reason::detail`], nothing of its text is the client's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Detail {
    /// What is wrong with what a token is bound to, or with its proof.
    Binding(&'static str),
    /// A location, or what follows its scheme, is empty.
    EmptyCredential,
    /// Five parts, as a JWE has (RFC 7516 §7.1).
    EncryptedToken,
    /// A token without the scheme that belongs before it.
    NoScheme,
    /// There is no subprotocol for the upstream to pick.
    NoSubprotocol,
    /// Neither the three parts of a JWS nor the five of a JWE.
    OpaqueToken,
    /// Base64 with padding, which no JWT has (RFC 7515 §2).
    PaddedToken,
    /// What JavaScript and others make of a missing value.
    Placeholder,
    /// Quotes around the token.
    QuotedToken,
    /// The scheme, twice.
    RepeatedScheme,
    /// A blank or comma inside of the token.
    SeveralParts,
    /// A scheme where none belongs.
    UnexpectedScheme,
    /// The identity header that cannot carry its claim; its name is the configuration's.
    UnrepresentableHeader(Arc<str>),
}

impl Detail {
    /// Its characters are those of an `error_description` (RFC 6750 §3).
    pub(crate) fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Binding(text) => text,
            Self::EmptyCredential => "the credential is empty: there is no token in it",
            Self::EncryptedToken => {
                "the token has the five parts of an encrypted token (JWE): expected a signed one (JWS)"
            }
            Self::NoScheme => "the token has no authentication scheme before it",
            Self::NoSubprotocol => "a WebSocket client has to offer another subprotocol beside the token",
            Self::OpaqueToken => "the token is opaque: expected a JWT, which has three parts",
            Self::PaddedToken => "a part of the token is padded base64: a JWT has no padding",
            Self::Placeholder => {
                "the token is the text of a missing value, such as null or undefined: the client had no token to send"
            }
            Self::QuotedToken => "the token is in quotes",
            Self::RepeatedScheme => "the authentication scheme is there twice before the token",
            Self::SeveralParts => "the credential has a blank or a comma in it: expected one token",
            Self::UnexpectedScheme => "the token has an authentication scheme before it where none is expected",
            Self::UnrepresentableHeader(name) => {
                // INVARIANT: a header name is a token (RFC 9110 §5.6.2), without quotes and backslashes.
                return Cow::Owned(format!("a claim of the token cannot be passed on in the header {name}"));
            }
        })
    }

    /// What a token is that is no well-formed JWT.
    pub(crate) fn of_token(text: &[u8]) -> Option<Self> {
        let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
        match text.split(|&byte| byte == b'.').count() {
            _ if is_placeholder(text) => Some(Self::Placeholder),
            _ if text.first().is_some_and(is_quote) || text.last().is_some_and(is_quote) => Some(Self::QuotedToken),
            3 if text.contains(&b'=') => Some(Self::PaddedToken),
            3 => None,
            5 => Some(Self::EncryptedToken),
            _ => Some(Self::OpaqueToken),
        }
    }

    /// What a credential is that is empty, or has a blank or comma in it; `scheme` is the one before it.
    pub(crate) fn of_credential(text: &[u8], scheme: Option<&str>) -> Self {
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (first, has_more) = (words.next(), words.next().is_some());
        let is = |name: &str| first.is_some_and(|first| first.eq_ignore_ascii_case(name.as_bytes()));
        match first {
            None => Self::EmptyCredential,
            _ if is_placeholder(text) => Self::Placeholder,
            _ if has_more && scheme.is_some_and(is) => Self::RepeatedScheme,
            _ if has_more && scheme.is_none() && ["Basic", "Bearer", "JWT", "Token"].into_iter().any(is) => {
                Self::UnexpectedScheme
            }
            _ => Self::SeveralParts,
        }
    }

    /// What a header holds that should hold a scheme and a token, and holds one word.
    pub(crate) fn of_word(text: &[u8]) -> Option<Self> {
        let is_word = !text.is_empty() && text.iter().all(u8::is_ascii_graphic) && !text.contains(&b',');
        let detail = if is_placeholder(text) { Self::Placeholder } else { Self::NoScheme };
        is_word.then_some(detail)
    }
}

/// Whether clients write this where they have nothing.
fn is_placeholder(text: &[u8]) -> bool {
    const TEXTS: [&str; 7] = ["null", "undefined", "none", "nil", "nan", "false", "[object object]"];
    let inner = text.trim_ascii();
    let inner = inner.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(inner);
    TEXTS.iter().any(|known| inner.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_token_that_is_no_jwt_is_named() {
        for (token, detail) in [
            ("a.b.c.d.e", Some(Detail::EncryptedToken)),
            ("gt-0123456789", Some(Detail::OpaqueToken)),
            ("ya29.abc", Some(Detail::OpaqueToken)),
            ("a.b.c.d", Some(Detail::OpaqueToken)),
            ("a.b.c", None),
            ("YQ==.Yg==.Yw==", Some(Detail::PaddedToken)),
            ("null", Some(Detail::Placeholder)),
            ("Undefined", Some(Detail::Placeholder)),
            ("\"null\"", Some(Detail::Placeholder)),
            ("\"a.b.c\"", Some(Detail::QuotedToken)),
            ("nullable", Some(Detail::OpaqueToken)),
        ] {
            assert_eq!(Detail::of_token(token.as_bytes()), detail, "{token}");
        }
    }

    #[test]
    fn a_malformed_credential_is_named() {
        for (text, scheme, detail) in [
            ("", Some("Bearer"), Detail::EmptyCredential),
            (" ", None, Detail::EmptyCredential),
            ("Bearer x", Some("Bearer"), Detail::RepeatedScheme),
            ("bearer x", Some("Bearer"), Detail::RepeatedScheme),
            ("JWT x", Some("Bearer"), Detail::SeveralParts),
            ("Bearer", Some("Bearer"), Detail::SeveralParts),
            ("Bearer x", None, Detail::UnexpectedScheme),
            ("a b", None, Detail::SeveralParts),
            ("a,b", Some("Bearer"), Detail::SeveralParts),
            ("[object Object]", Some("Bearer"), Detail::Placeholder),
        ] {
            assert_eq!(Detail::of_credential(text.as_bytes(), scheme), detail, "{text}");
        }
    }

    #[test]
    fn details_fit_an_error_description() {
        let all = [
            Detail::EmptyCredential,
            Detail::EncryptedToken,
            Detail::NoScheme,
            Detail::NoSubprotocol,
            Detail::OpaqueToken,
            Detail::PaddedToken,
            Detail::Placeholder,
            Detail::QuotedToken,
            Detail::RepeatedScheme,
            Detail::SeveralParts,
            Detail::UnexpectedScheme,
            Detail::UnrepresentableHeader("x-a!#$%&'*+-.^_`|~9".into()),
        ];
        let fits = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        for detail in all {
            assert!(detail.text().bytes().all(fits), "{detail:?}");
        }
    }
}
