//! What stands for a caller: another text for each token, for each answer about one, and for each refresh of a session.

use jose::Hash;

use crate::policy::Policy;
use crate::sessions::Session;

/// That of a token; zeros where nothing is remembered by it.
pub(crate) fn digest_of_token(policy: &Policy, token: &[u8]) -> [u8; 32] {
    digest(policy, &[b"token", token])
}

/// That of a token that only its issuer can read: another one for each answer of the issuer's.
pub(crate) fn digest_of_answer(policy: &Policy, token: &[u8], claims: &[u8]) -> [u8; 32] {
    digest(policy, &[b"answer", &digest_of_token(policy, token), claims])
}

/// That of a session. Its cookie may be another one each time.
pub(crate) fn digest_of_session(policy: &Policy, session: &Session) -> [u8; 32] {
    let tokens =
        [&session.id_token, &session.access_token].map(|token| token.as_ref().map_or("", |token| token.reveal()));
    let tokens = tokens.map(|token| Hash::Sha256.digest(&[token.as_bytes()]));
    let login = session.login.to_be_bytes();
    let [id_token, access_token] = &tokens;
    digest(
        policy,
        &[
            b"session",
            &login,
            &session.id,
            &session.generation.to_be_bytes(),
            id_token,
            access_token,
            &Hash::Sha256.digest(&[session.role.as_deref().unwrap_or_default().as_bytes()]),
            session.claims.as_bytes(),
        ],
    )
}

fn digest(policy: &Policy, parts: &[&[u8]]) -> [u8; 32] {
    match policy.upstream.credentials.is_empty() {
        true => [0; 32],
        false => Hash::Sha256.digest(parts).first_chunk().copied().unwrap_or_default(),
    }
}
