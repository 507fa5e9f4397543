//! What checking a signature costs, and how much of it is done for one token.
//!
//! Anybody can send tokens whose signature fits no key. What each of them costs is not for key sets to decide.

use super::material::KeyMaterial;
use crate::rsa::MAX_BITS_IN_MODULE;
use crate::signature::CheckedBy;

/// How much work the keys that are tried for one token may take together, in thousands of instructions of Wasm.
///
/// It is a little more than what one RSA key of 4096 bits takes in Wasm (13,400): enough there for five keys of 2048
/// bits, five of Ed25519 or two of P-256, and where a host does it for two keys of any kind but P-521.
pub(super) const MAX_WORK: u64 = 22_000;

impl KeyMaterial {
    /// Whether only a host may verify with this key: in Wasm it takes too long.
    pub fn is_for_hosts_alone(&self) -> bool {
        matches!(self, Self::Rsa(key) if key.bits() > MAX_BITS_IN_MODULE)
    }

    /// What it takes to check a signature, in thousands of instructions of Wasm. A host's work counts as what Wasm
    /// does in the same time.
    pub(super) fn work(&self, checked_by: CheckedBy) -> u64 {
        let is_by_host = checked_by == CheckedBy::Host;
        match self {
            Self::Ed25519(_) => 2_100,
            Self::Oct(_) => 50,
            Self::P256(..) if is_by_host => 2_500,
            Self::P256(..) => 11_000,
            Self::P384(..) if is_by_host => 10_500,
            Self::P384(..) => 52_000,
            Self::P521(..) if is_by_host => 20_000,
            Self::P521(..) => 56_000,
            // Hosts are some seven times as fast.
            Self::Rsa(key) if is_by_host => key.products() / 240,
            Self::Rsa(key) => key.products() / 33,
        }
    }
}
