//! A proof that holds, and what became of it.

use std::time::Duration;

use jose::Hash;

/// A proof that holds, unless it was used before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FreshProof {
    /// The token and the proof, as they came, and the key that they are for.
    pub(crate) came_as: [u8; 32],
    /// What distinguishes it from all others: its key and its `jti`.
    pub(crate) id: [u8; 32],
    /// From then on it is refused as too old, since the epoch.
    pub(crate) ends: Duration,
    /// Whether its nonce will not be good for long: its client is to have another.
    pub(crate) has_old_nonce: bool,
}

/// What became of a proof.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProofUse {
    /// It is used for the first time.
    First,
    /// It was used before.
    Again,
    /// There is no room to remember it.
    NoRoom,
}

/// A proof of a request that was checked: the same request is not asked for another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct UsedProof {
    pub(crate) came_as: [u8; 32],
    pub(crate) outcome: ProofUse,
    pub(crate) has_old_nonce: bool,
}

impl FreshProof {
    /// `key` is the thumbprint of the key that it was made with.
    pub(crate) fn new(came_as: [u8; 32], key: &[u8; 32], jti: &str, ends: Duration) -> Self {
        Self { came_as, id: digest(&[key, jti.as_bytes()]), ends, has_old_nonce: false }
    }

    /// The digest of a key, a token and a proof. No token has a blank.
    pub(crate) fn came_as(key: &[u8; 32], token: &[u8], proof: &[u8]) -> [u8; 32] {
        digest(&[key, token, b" ", proof])
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 32] {
    // INVARIANT: a SHA-256 has 32 octets.
    Hash::Sha256.digest(parts).try_into().unwrap_or_default()
}
