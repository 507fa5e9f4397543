//! Nonces that only the gate can have made, and that nothing is kept of (RFC 9449 §9): an instant, with a code.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jose::base64url;
use oauth::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::octets::{Fields, put_instant};
use crate::sessions::Keyring;
use crate::time::Timestamp;

/// How long a nonce is good.
const GOOD_FOR: Duration = Duration::from_mins(5);
/// How far the clock of another replica may be ahead.
const SKEW: Duration = Duration::from_secs(30);
const CODE: usize = 16;
/// What the keys are for.
const LABEL: &[u8] = b"jotgate.dpop.nonce.1";

/// The keys of nonces: the first makes them, all are accepted. `Debug` hides them.
#[derive(Clone)]
pub(crate) struct Nonces(Arc<[Zeroizing<[u8; 32]>]>);

impl Nonces {
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        let key = |secret: &Secret| Zeroizing::new(code(secret.reveal().as_bytes(), LABEL));
        Self(secrets.iter().map(key).collect())
    }

    /// Likewise from what sessions are sealed with.
    pub(crate) fn of_sessions(keyring: &Keyring) -> Self {
        let key = |secret| keyring.derive(0, secret, "dpop nonce", &[]);
        Self((0..).map_while(key).collect())
    }

    /// A new one.
    pub(crate) fn make(&self, now: Timestamp) -> Option<String> {
        let key = self.0.first()?;
        let mut octets = Vec::new();
        put_instant(&mut octets, now);
        let code = code(&**key, &octets);
        octets.extend(code.iter().take(CODE));
        Some(base64url::encode(&octets))
    }

    /// Whether it is the gate's own, and not too old.
    pub(crate) fn accepts(&self, nonce: &str, now: Timestamp) -> bool {
        self.made_at(nonce).is_some_and(|made| made <= now.after(SKEW) && now < made.after(GOOD_FOR))
    }

    /// Whether less than half of its life is left.
    pub(crate) fn is_old(&self, nonce: &str, now: Timestamp) -> bool {
        self.made_at(nonce).is_none_or(|made| made.after(GOOD_FOR / 2) <= now)
    }

    fn made_at(&self, nonce: &str) -> Option<Timestamp> {
        let octets = base64url::decode(nonce.as_bytes())?;
        let (instant, code) = octets.split_last_chunk::<CODE>()?;
        let is_own =
            |key: &Zeroizing<[u8; 32]>| keyed(&**key).chain_update(instant).verify_truncated_left(code).is_ok();
        let mut fields = Fields::new(instant);
        let made = fields.instant().filter(|_| fields.is_empty())?;
        self.0.iter().any(is_own).then_some(made)
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Nonces({} keys)", self.0.len())
    }
}

fn code(key: &[u8], text: &[u8]) -> [u8; 32] {
    keyed(key).chain_update(text).finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("takes any key")
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn nonces(secrets: &[&str]) -> Nonces {
        Nonces::new(&secrets.iter().map(|secret| Secret::new(*secret)).collect::<Vec<_>>())
    }

    #[test]
    fn a_nonce_is_good_for_a_while_with_any_of_the_secrets() {
        let nonce = nonces(&["old"]).make(NOW).expect("has a key");
        let rotated = nonces(&["new", "old"]);
        assert!(rotated.accepts(&nonce, NOW));
        assert!(rotated.accepts(&nonce, NOW.after(Duration::from_secs(299))));
        assert!(!rotated.accepts(&nonce, NOW.after(GOOD_FOR)));
        assert!(rotated.accepts(&nonce, NOW.before(SKEW)));
        assert!(!rotated.accepts(&nonce, NOW.before(Duration::from_secs(31))));
        assert!(!nonces(&["new"]).accepts(&nonce, NOW));
        assert!(!nonces(&[]).accepts(&nonce, NOW));
        assert_eq!(nonces(&[]).make(NOW), None);
        assert!(!rotated.is_old(&nonce, NOW.after(Duration::from_secs(149))));
        assert!(rotated.is_old(&nonce, NOW.after(GOOD_FOR / 2)));
    }

    #[test]
    fn what_others_make_is_none() {
        let nonces = nonces(&["secret"]);
        let nonce = nonces.make(NOW).expect("has a key");
        for at in 0..nonce.len() {
            let mut other = nonce.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(!nonces.accepts(&String::from_utf8(other).expect("is text"), NOW), "{at}");
        }
        for other in ["", "a", "AAAA", &[&nonce, "AAAA"].concat(), &nonce[4..]] {
            assert!(!nonces.accepts(other, NOW), "{other}");
        }
    }

    #[test]
    fn they_are_texts_that_a_header_carries() {
        let nonce = nonces(&["secret"]).make(NOW).expect("has a key");
        assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    }
}
