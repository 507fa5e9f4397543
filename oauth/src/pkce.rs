//! Proof Key for Code Exchange (RFC 7636), with the method S256 alone.

use jose::{Hash, base64url};

use crate::Secret;

/// The one method that is used (RFC 7636 §4.3).
pub const METHOD: &str = "S256";

/// A code verifier (RFC 7636 §4.1).
#[derive(Clone, Debug)]
pub struct Verifier(Secret);

impl Verifier {
    /// Makes a verifier of 32 octets that nobody can guess, as RFC 7636 §4.1 recommends.
    pub fn from_octets(octets: &[u8; 32]) -> Self {
        Self(Secret::new(base64url::encode(octets)))
    }

    /// The verifier itself: it is sent with the code, and nowhere else.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The code challenge (RFC 7636 §4.2).
    pub fn challenge(&self) -> String {
        base64url::encode(&Hash::Sha256.digest(&[self.reveal().as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// RFC 7636 App. B.
    #[test]
    fn the_example_of_rfc_7636_is_reproduced() {
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = Verifier::from_octets(&octets);
        assert_eq!(verifier.reveal(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(format!("{verifier:?}"), "Verifier(Secret(43 octets))");
    }
}
