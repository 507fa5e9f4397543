//! `Authorization: Basic` (RFC 7617), for clients that can send a name and a password only.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::found::{Found, check, malformed};
use super::header;
use crate::http::Request;
use crate::report::Cause;

pub(super) const HEADER: &str = "authorization";
pub(super) const SCHEME: &str = "Basic";

/// Stands for the half of the pair that is not the token.
const FILLER: &[u8] = b"x-oauth-basic";

/// One pair has one encoding (RFC 4648 §3.2, §3.5), so that no other parser decodes another one.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(false),
);

pub(super) fn find(request: &Request<'_>) -> Found<Vec<u8>> {
    pair(request).map(|pair| pair.and_then(|pair| token_in(&pair)))
}

/// The decoded `user:password`.
pub(super) fn pair(request: &Request<'_>) -> Found<Vec<u8>> {
    let encoded = header::find(request, HEADER, Some(SCHEME), &std::iter::empty())?;
    Some(encoded.and_then(|encoded| STRICT.decode(encoded).map_err(|_| malformed(None))))
}

/// The token in `user:password`: the user name, or the password where the user name is [`FILLER`].
fn token_in(pair: &[u8]) -> Result<Vec<u8>, Cause> {
    let mut halves = pair.splitn(2, |&byte| byte == b':');
    let (Some(user), Some(password)) = (halves.next(), halves.next()) else {
        return Err(malformed(None));
    };
    let token = if user == FILLER { password } else { user };
    match pair.iter().any(u8::is_ascii_control) {
        true => Err(malformed(None)),
        false => check(token, None).map(<[u8]>::to_vec),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::report::Reason;

    fn decode(encoded: &[u8]) -> Result<Vec<u8>, Reason> {
        let value = [b"Basic ", encoded].concat();
        let lines = [(&b"authorization"[..], &value[..])];
        find(&Request::new(&lines)).expect("is there").map_err(|cause| cause.reason)
    }

    fn of(pair: &str) -> Result<String, Reason> {
        decode(STRICT.encode(pair).as_bytes()).map(|token| String::from_utf8_lossy(&token).into_owned())
    }

    #[test]
    fn the_token_is_the_user_name_or_the_password_beside_the_filler() {
        for (pair, token) in [
            ("a.b.c:x-oauth-basic", "a.b.c"),
            ("x-oauth-basic:a.b.c", "a.b.c"),
            ("a.b.c:", "a.b.c"),
            ("a.b.c:secret", "a.b.c"),
            ("a.b.c:x:y", "a.b.c"),
            ("x-oauth-basic:a:b", "a:b"),
            ("X-OAuth-Basic:a.b.c", "X-OAuth-Basic"),
            ("x-oauth-basic:x-oauth-basic", "x-oauth-basic"),
        ] {
            assert_eq!(of(pair).as_deref(), Ok(token), "{pair}");
        }
    }

    #[test]
    fn what_is_no_pair_is_malformed() {
        for pair in [
            "",
            ":",
            "a.b.c",
            ":a.b.c",
            "x-oauth-basic:",
            ":x-oauth-basic",
            "a b:",
            "a,b:",
            "a:\u{0}",
            "a\n:",
            "a:\u{7f}",
        ] {
            assert_eq!(of(pair), Err(Reason::MalformedCredentials), "{pair}");
        }
    }

    #[test]
    fn one_pair_has_one_encoding() {
        assert_eq!(decode(b"YTo=").as_deref(), Ok(&b"a"[..]));
        for encoded in ["YTo", "YTo==", "YTp=", "YT o=", "YTo=YTo=", "_zo=", "YTo=\u{0}", "Y", "="] {
            assert_eq!(decode(encoded.as_bytes()), Err(Reason::MalformedCredentials), "{encoded}");
        }
    }
}
