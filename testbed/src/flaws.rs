//! Tokens that must be refused, each for one reason.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::BadRequest;
use crate::keys::SigningKey;
use crate::mint::{base64url, full_header, merge, mint, mint_text, object, to_text};

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// `alg: none` and an empty signature.
    AlgNone,
    /// One bit of the signature is flipped.
    BadSignature,
    /// An ECDSA signature in DER rather than `r || s`; other algorithms: a signature wrapped in a DER sequence.
    DerSignature,
    /// Signed with an unpublished key, which is in the header (`jwk`), the `kid` being that of a real key.
    EmbeddedJwk,
    /// The signature is left out.
    EmptySignature,
    /// The `kid` is that of a real key, the signature that of an unpublished key for the same algorithm.
    ForeignKey,
    /// HS256 with the public key's JWK text as the secret.
    Hs256PublicJwk,
    /// HS256 with the public key's PEM as the secret.
    Hs256PublicKey,
    /// A duplicate `sub` member in the claims.
    DuplicateMember,
    /// Nothing is wrong.
    #[default]
    None,
    /// Each part is padded with `=` to a multiple of four characters.
    Padded,
    /// The claims were changed after signing: `sub` is `mallory`.
    Tampered,
    /// The signature is right, but the `kid` names no published key.
    UnknownKid,
    /// Signed by a key that is not published, under a `kid` of its own.
    UnpublishedKey,
}

/// A token with the flaw; `header` as in [`mint()`].
pub fn mint_flawed(
    flaw: Flaw,
    key: &SigningKey,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<String, BadRequest> {
    let with_header = |members: Value| merge(object(members), header);
    Ok(match flaw {
        Flaw::None => mint(key, header, claims),
        Flaw::AlgNone => without_signature(&mint(key, &with_header(json!({"alg": "none"})), claims)),
        Flaw::BadSignature => change_signature(key, header, claims, flip_a_bit),
        Flaw::DerSignature => change_signature(key, header, claims, der_integers),
        Flaw::EmbeddedJwk => {
            let unpublished = SigningKey::generate(key.algorithm()).with_kid(key.kid());
            mint(&unpublished, &with_header(json!({"jwk": unpublished.public_jwk()})), claims)
        }
        Flaw::EmptySignature => without_signature(&mint(key, header, claims)),
        Flaw::ForeignKey => mint(&SigningKey::generate(key.algorithm()).with_kid(key.kid()), header, claims),
        Flaw::Hs256PublicJwk => mint(&confused(key, key.public_jwk().to_string()), header, claims),
        Flaw::Hs256PublicKey => {
            let pem = key.public_pem().ok_or_else(|| BadRequest::new("an HS256 key has no public key"))?;
            mint(&confused(key, pem), header, claims)
        }
        Flaw::DuplicateMember => {
            let claims = to_text(claims);
            let rest = claims.strip_prefix('{').unwrap_or_default();
            let comma = if rest == "}" { "" } else { "," };
            let twice = format!(r#"{{"sub":"a","sub":"b"{comma}{rest}"#);
            mint_text(key, &to_text(&full_header(key, header)), &twice)
        }
        Flaw::Padded => mint(key, header, claims).split('.').map(pad).collect::<Vec<_>>().join("."),
        Flaw::Tampered => {
            let signed = mint(key, header, claims);
            let changed = base64url(to_text(&merge(claims.clone(), &object(json!({"sub": "mallory"})))));
            let mut parts = signed.split('.');
            let (head, signature) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
            format!("{head}.{changed}.{signature}")
        }
        Flaw::UnknownKid => mint(&key.clone().with_kid(format!("{}-unknown", key.kid())), header, claims),
        Flaw::UnpublishedKey => mint(&SigningKey::generate(key.algorithm()), header, claims),
    })
}

fn confused(key: &SigningKey, secret: String) -> SigningKey {
    SigningKey::hs256(secret).with_kid(key.kid())
}

fn without_signature(token: &str) -> String {
    token.rsplit_once('.').map_or_else(String::new, |(input, _)| format!("{input}."))
}

fn change_signature(
    key: &SigningKey,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    change: fn(Vec<u8>) -> Vec<u8>,
) -> String {
    let input = format!("{}.{}", base64url(to_text(&full_header(key, header))), base64url(to_text(claims)));
    let signature = change(key.sign(input.as_bytes()));
    format!("{input}.{}", base64url(signature))
}

fn flip_a_bit(mut signature: Vec<u8>) -> Vec<u8> {
    let middle = signature.len() / 2;
    if let Some(byte) = signature.get_mut(middle) {
        *byte ^= 1;
    }
    signature
}

/// Both halves as DER integers in a sequence.
#[expect(clippy::needless_pass_by_value, reason = "one shape for all changes to a signature")]
fn der_integers(signature: Vec<u8>) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let content = [der(0x02, &positive(r)), der(0x02, &positive(s))].concat();
    der(0x30, &content)
}

/// The shortest big-endian form that is not read as negative.
fn positive(bytes: &[u8]) -> Vec<u8> {
    let mut shortest: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if shortest.first().is_none_or(|first| *first >= 0x80) {
        shortest.insert(0, 0);
    }
    shortest
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let mut encoded = vec![tag];
    match (high, low) {
        (0, 0..=0x7F) => encoded.push(low),
        (0, _) => encoded.extend([0x81, low]),
        _ => encoded.extend([0x82, high, low]),
    }
    encoded.extend_from_slice(content);
    encoded
}

fn pad(part: &str) -> String {
    let missing = part.len().next_multiple_of(4) - part.len();
    format!("{part}{}", "=".repeat(missing))
}

#[cfg(test)]
#[path = "flaws_tests.rs"]
mod tests;
