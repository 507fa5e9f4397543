//! The public half of RSA (RFC 8017): keys, and the two kinds of signatures that JWS has.
//!
//! Libraries spend most of a verification in arithmetic that is made for private keys and for machines with wide
//! multiplication. Here are only the pieces that a verifier needs, made for Wasm, and tested against a library.

mod montgomery;
#[cfg(test)]
mod tests;

use alloc::vec;
use alloc::vec::Vec;

use p256::pkcs8::der::asn1::{BitString, UintRef};
use p256::pkcs8::der::{self, Encode as _};
use p256::pkcs8::spki::SubjectPublicKeyInfo;

use self::montgomery::Modulus;
use crate::hash::Hash;

/// The shortest modulus that is accepted, in bits (RFC 7518 §3.3).
pub(crate) const MIN_BITS: usize = 2048;
/// The longest one: what is longer costs too much to check, even for a host.
pub(crate) const MAX_BITS: usize = 8192;
/// The longest one where no host checks signatures: it takes Wasm as long as hosts take for [`MAX_BITS`], or longer.
pub(crate) const MAX_BITS_IN_MODULE: usize = 4096;
/// Smaller exponents make forgeries cheaper wherever a padding check has a flaw.
pub(crate) const MIN_EXPONENT: u32 = 65537;
/// Larger ones only cost more.
pub(crate) const MAX_EXPONENT: u32 = 1 << 17;

/// What comes before the key in a `SubjectPublicKeyInfo`: the head of the sequence, the algorithm, the head of the bit
/// string.
const SPKI_PREFIX: usize = 4 + 15 + 5;

/// An RSA public key of an acceptable size.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RsaPublicKey {
    modulus: Modulus,
    /// INVARIANT: odd, and from [`MIN_EXPONENT`] to [`MAX_EXPONENT`].
    exponent: u32,
    spki: Vec<u8>,
}

/// Why two numbers make no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RsaKeyError {
    /// An exponent that is even, below 65537 or above 2^17.
    Exponent,
    /// An even modulus.
    Even,
    /// A modulus outside 2048 to 8192 bits.
    Size {
        /// How many bits it has.
        bits: usize,
    },
}

impl RsaPublicKey {
    /// A key of `modulus` and `exponent`, most significant octet first. Zeros in front change no number.
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, RsaKeyError> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        let leading = modulus.first().map_or(8, |octet| octet.leading_zeros());
        let bits = (modulus.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or(0));
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(RsaKeyError::Size { bits });
        }
        let number = exponent.iter().fold(0, |number, &octet| number << 8 | u32::from(octet));
        if exponent.len() > 4 || number % 2 == 0 || !(MIN_EXPONENT..=MAX_EXPONENT).contains(&number) {
            return Err(RsaKeyError::Exponent);
        }
        let spki = spki(modulus, exponent).map_err(|_| RsaKeyError::Size { bits })?;
        let modulus = Modulus::from_octets(modulus).ok_or(RsaKeyError::Even)?;
        Ok(Self { modulus, exponent: number, spki })
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1, RFC 8017 A.1.1).
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The key as a DER `RSAPublicKey` (RFC 8017 A.1.1): what the bit string of [`Self::spki`] holds.
    pub fn pkcs1(&self) -> &[u8] {
        // Moduli of 2048 bits and more have lengths of two octets everywhere, and so what comes first is always as long.
        self.spki.get(SPKI_PREFIX..).unwrap_or_default()
    }

    /// How many bits the modulus has.
    pub fn bits(&self) -> usize {
        self.modulus.bits()
    }

    /// How many products of two limbs a verification takes.
    pub(crate) fn products(&self) -> u64 {
        self.modulus.products(self.exponent)
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2): the encoded message is made again and compared whole, so that there is
    /// no padding to parse.
    pub(crate) fn verify_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.recover(signature) else { return false };
        let tail = [&[0], digest_info(hash), &hash.digest(&[message])].concat();
        let Some(padding) = encoded.len().checked_sub(tail.len() + 2) else { return false };
        encoded == [&[0, 1], vec![0xff; padding].as_slice(), &tail].concat()
    }

    /// RSASSA-PSS (RFC 8017 §8.1.2) with MGF1 over the same hash, and a salt as long as its values (RFC 7518 §3.5).
    pub(crate) fn verify_pss(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let Some(encoded) = self.recover(signature) else { return false };
        is_pss_encoding(hash, message, &encoded, self.modulus.bits() - 1).unwrap_or(false)
    }

    /// RSAVP1 (RFC 8017 §5.2.2): the encoded message, as long as the modulus. A signature is exactly as long, too.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if signature.len() != self.modulus.octets() {
            return None;
        }
        self.modulus.power(signature, self.exponent)
    }
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2), for an encoded message of `bits` bits. `None` where it is too short for the hash.
fn is_pss_encoding(hash: Hash, message: &[u8], encoded: &[u8], bits: usize) -> Option<bool> {
    // The modulus may have one octet more than the encoded message, if that has a multiple of 8 bits.
    let (above, encoded) = encoded.split_at_checked(encoded.len().checked_sub(bits.div_ceil(8))?)?;
    let (encoded, trailer) = encoded.split_at_checked(encoded.len().checked_sub(1)?)?;
    let (masked, digest) = encoded.split_at_checked(encoded.len().checked_sub(hash.octets())?)?;
    let used = u8::MAX >> (bits.div_ceil(8) * 8 - bits);
    let unused_is_zero = masked.first()? & !used == 0;
    let mut block: Vec<u8> =
        masked.iter().zip(mask(hash, digest, masked.len())).map(|(one, other)| one ^ other).collect();
    *block.first_mut()? &= used;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash.octets())?)?;
    let (one, zeros) = padding.split_last()?;
    let expected = hash.digest(&[&[0; 8], &hash.digest(&[message]), salt]);
    let is_padded = *one == 1 && zeros.iter().all(|&zero| zero == 0);
    Some(above.iter().all(|&zero| zero == 0) && trailer == [0xbc] && unused_is_zero && is_padded && digest == expected)
}

/// MGF1 (RFC 8017 B.2.1).
fn mask(hash: Hash, seed: &[u8], length: usize) -> impl Iterator<Item = u8> {
    (0_u32..).flat_map(move |counter| hash.digest(&[seed, &counter.to_be_bytes()])).take(length)
}

/// `DigestInfo` up to the hash's value (RFC 8017 §9.2, note 1).
const fn digest_info(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
        Hash::Sha384 => b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
        Hash::Sha512 => b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
    }
}

fn spki(modulus: &[u8], exponent: &[u8]) -> der::Result<Vec<u8>> {
    let key = pkcs1::RsaPublicKeyRef { modulus: UintRef::new(modulus)?, public_exponent: UintRef::new(exponent)? };
    let subject_public_key = BitString::from_bytes(&key.to_der()?)?;
    SubjectPublicKeyInfo { algorithm: pkcs1::ALGORITHM_ID, subject_public_key }.to_der()
}

fn without_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}
