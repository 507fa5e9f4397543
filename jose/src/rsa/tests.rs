//! The arithmetic against a library's, and the paddings against another library's and against forgeries.

use alloc::vec;
use alloc::vec::Vec;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, NonZero, Odd};
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::{Pkcs1v15Sign, Pss};
use sha2::{Sha256, Sha384, Sha512};
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// Pseudo-random numbers, the same in each run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).expect("fits")).expect("fits")
    }

    /// A number of which many limbs are the ones where carries go wrong.
    fn number(&mut self, octets: usize) -> Vec<u8> {
        let limb = |random: &mut Self| match random.below(8) {
            0 => [0; 4],
            1 => [0xff; 4],
            2 => [0, 0, 0, 1],
            3 => [0xff, 0xff, 0xff, 0xfe],
            4 => [0x80, 0, 0, 0],
            _ => u32::try_from(random.next() & 0xffff_ffff).expect("fits").to_be_bytes(),
        };
        let mut number: Vec<u8> = (0..octets.div_ceil(4)).flat_map(|_| limb(self)).collect();
        number.truncate(octets);
        number
    }
}

/// How many random cases are tried: `JOTGATE_DIFFERENTIAL`, or a number that is quick enough for every run.
fn cases() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how much is tested is not for the product to know")]
    let given = std::env::var("JOTGATE_DIFFERENTIAL").ok();
    given.map_or(20_000, |given| given.parse().expect("JOTGATE_DIFFERENTIAL is a number"))
}

/// What the library makes of `base` to the power of `exponent`, as long as the modulus.
fn library_power(modulus: &[u8], base: &[u8], exponent: u32) -> Vec<u8> {
    let number = |octets| BoxedUint::from_be_slice_vartime(octets);
    let modulus = number(without_zeros(modulus));
    let length = usize::try_from(modulus.bits_vartime().div_ceil(8)).expect("fits");
    let nonzero = NonZero::new(modulus.clone()).expect("is not zero");
    let base = number(base).rem_vartime(&nonzero);
    let params = BoxedMontyParams::new_vartime(Odd::new(modulus).expect("is odd"));
    let bits = params.bits_precision();
    let power = BoxedMontyForm::new(crypto_bigint::Resize::resize(base, bits), &params);
    let octets = power.pow(&BoxedUint::from(exponent)).retrieve().to_be_bytes();
    octets[octets.len() - length..].to_vec()
}

#[test]
fn powers_are_those_of_a_library() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut compared = 0;
    let cases = cases();
    for case in 0..cases {
        // Mostly small numbers, for their number; now and then of the sizes that keys have.
        let octets = match case % 512 {
            0 => 256 + random.below(8),
            1 => 384 + random.below(130),
            index if index < 64 => 1 + random.below(64),
            _ => 1 + random.below(16),
        };
        let mut modulus = random.number(octets);
        if let Some(last) = modulus.last_mut() {
            *last |= 1;
        }
        let exponent = match random.below(8) {
            0 => 1,
            1 => 2,
            2 => 3,
            3 => u32::MAX,
            4 | 5 => 65537,
            _ => u32::try_from(random.next() & 0xffff_ffff).expect("fits").max(1),
        };
        let Some(made) = Modulus::from_octets(&modulus) else {
            assert_eq!(without_zeros(&modulus), [1], "only one is too small");
            continue;
        };
        let base = match random.below(16) {
            0 => vec![0],
            1 => vec![1],
            // The modulus less one, and the modulus itself.
            2 => [&modulus[..octets - 1], &[modulus[octets - 1] - 1]].concat(),
            3 => modulus.clone(),
            _ => random.number(octets),
        };
        let power = made.power(&base, exponent);
        let is_less = BoxedUint::from_be_slice_vartime(&base) < BoxedUint::from_be_slice_vartime(&modulus);
        let expected = is_less.then(|| library_power(&modulus, &base, exponent));
        assert_eq!(power, expected, "{base:02x?} ^ {exponent} mod {modulus:02x?}");
        compared += usize::from(is_less);
    }
    assert!(compared > cases / 4, "only {compared} of {cases} were compared");
}

#[test]
fn sizes_are_those_of_the_number() {
    for (octets, bits) in [
        (&[3][..], 2_usize),
        (&[0xff], 8),
        (&[1, 1], 9),
        (&[0, 0, 1, 1], 9),
        (&[1, 0, 0, 0, 1], 33),
        (&[0x80, 0, 0, 1], 32),
    ] {
        let modulus = Modulus::from_octets(octets).expect("is odd");
        assert_eq!((modulus.bits(), modulus.octets()), (bits, bits.div_ceil(8)));
    }
    for refused in [&[][..], &[0], &[0, 0], &[1], &[0, 0, 0, 0, 1], &[2], &[1, 0]] {
        assert_eq!(Modulus::from_octets(refused), None, "{refused:?}");
    }
}

/// The key of RFC 7515 A.2, whose private half is published, too.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const PRIVATE_EXPONENT: &str = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";

/// With it any encoded message can be signed, whatever its padding.
struct Signer {
    modulus: Vec<u8>,
    params: BoxedMontyParams,
    exponent: BoxedUint,
    key: RsaPublicKey,
    library: rsa::RsaPublicKey,
}

impl Signer {
    fn new() -> Self {
        let octets = |text: &str| crate::base64url::decode(text.as_bytes()).expect("is base64url");
        let modulus = octets(MODULUS);
        let number = BoxedUint::from_be_slice_vartime(&modulus);
        Self {
            params: BoxedMontyParams::new_vartime(Odd::new(number.clone()).expect("is odd")),
            exponent: BoxedUint::from_be_slice_vartime(&octets(PRIVATE_EXPONENT)),
            key: RsaPublicKey::new(&modulus, &[1, 0, 1]).expect("is a key"),
            library: rsa::RsaPublicKey::new(number, BoxedUint::from(65537_u32)).expect("is a key"),
            modulus,
        }
    }

    fn sign(&self, encoded: &[u8]) -> Vec<u8> {
        let number = BoxedUint::from_be_slice_vartime(encoded);
        BoxedMontyForm::new(number, &self.params).pow(&self.exponent).retrieve().to_be_bytes().to_vec()
    }

    /// Whether both judges take `encoded`, signed, for an encoding of [`MESSAGE`]; they may not differ.
    fn takes_pkcs1(&self, hash: Hash, encoded: &[u8]) -> bool {
        let signature = self.sign(encoded);
        let scheme = match hash {
            Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
            Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
            Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
        };
        let by_library = self.library.verify(scheme, &hash.digest(&[MESSAGE]), &signature).is_ok();
        let own = self.key.verify_pkcs1(hash, MESSAGE, &signature);
        assert_eq!(own, by_library, "{hash:?} {encoded:02x?}");
        own
    }

    /// Likewise for PSS.
    fn takes_pss(&self, hash: Hash, encoded: &[u8]) -> bool {
        let signature = self.sign(encoded);
        let digest = hash.digest(&[MESSAGE]);
        let by_library = match hash {
            Hash::Sha256 => self.library.verify(Pss::<Sha256>::new(), &digest, &signature),
            Hash::Sha384 => self.library.verify(Pss::<Sha384>::new(), &digest, &signature),
            Hash::Sha512 => self.library.verify(Pss::<Sha512>::new(), &digest, &signature),
        };
        let own = self.key.verify_pss(hash, MESSAGE, &signature);
        assert_eq!(own, by_library.is_ok(), "{hash:?} {encoded:02x?}");
        own
    }
}

const MESSAGE: &[u8] = b"what is signed";
/// Every octet is tried; signing takes its time as Wasm without optimisation, so there some are.
const STEP: usize = if cfg!(target_family = "wasm") { 61 } else { 1 };
const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

/// 00 01 FF … FF 00 and `tail`, of 256 octets.
fn pkcs1(tail: &[u8]) -> Vec<u8> {
    [&[0, 1], vec![0xff; 253 - tail.len()].as_slice(), &[0], tail].concat()
}

#[test]
fn a_pkcs1_encoding_is_the_one_that_the_message_has() {
    let signer = Signer::new();
    for hash in HASHES {
        let (info, digest) = (digest_info(hash), hash.digest(&[MESSAGE]));
        let good = pkcs1(&[info, &digest].concat());
        assert!(signer.takes_pkcs1(hash, &good));
        // Each octet counts: the padding, the name of the hash, its value.
        for index in (0..good.len()).step_by(STEP) {
            let mut bad = good.clone();
            bad[index] ^= if index == 0 { 0x20 } else { 1 << (index % 8) };
            assert!(!signer.takes_pkcs1(hash, &bad), "{index}");
        }
        // A short padding with room behind the value (CVE-2006-4339).
        let short = [&[0, 1], [0xff; 8].as_slice(), &[0], info, &digest].concat();
        let short = [&short[..], &vec![0; 256 - short.len()]].concat();
        // The value without its parameters, or with none at all to name the hash.
        let without_null = [&[0x30, info[1] - 2, 0x30, info[3] - 2], &info[4..15], &info[17..], &digest].concat();
        for bad in [short, pkcs1(&without_null), pkcs1(&digest), pkcs1(info), vec![0; 256]] {
            assert!(!signer.takes_pkcs1(hash, &bad));
        }
        for other in HASHES.into_iter().filter(|&other| other != hash) {
            assert!(!signer.takes_pkcs1(other, &good));
        }
        assert!(!signer.takes_pss(hash, &good));
    }
}

/// EMSA-PSS-ENCODE (RFC 8017 §9.1.1) for 2,047 bits, with `padding` in front of the salt.
fn pss(hash: Hash, mask_hash: Hash, padding: u8, salt: &[u8], trailer: u8) -> Vec<u8> {
    let digest = hash.digest(&[&[0; 8], &hash.digest(&[MESSAGE]), salt]);
    let length = 255 - digest.len();
    let block = [vec![0; length - 1 - salt.len()].as_slice(), &[padding], salt].concat();
    let mut masked: Vec<u8> =
        block.iter().zip(mask(mask_hash, &digest, length)).map(|(one, other)| one ^ other).collect();
    masked[0] &= 0x7f;
    [masked, digest, vec![trailer]].concat()
}

#[test]
fn a_pss_encoding_has_a_salt_as_long_as_its_hash_and_nothing_else() {
    let signer = Signer::new();
    for hash in HASHES {
        let salt = vec![7; hash.octets()];
        let good = pss(hash, hash, 1, &salt, 0xbc);
        assert!(signer.takes_pss(hash, &good));
        for index in (0..good.len()).step_by(STEP) {
            let mut bad = good.clone();
            // The highest bit is not part of the encoding, and has to be zero.
            bad[index] ^= if index == 0 { 0x80 } else { 1 << (index % 8) };
            if BoxedUint::from_be_slice_vartime(&bad) < BoxedUint::from_be_slice_vartime(&signer.modulus) {
                assert!(!signer.takes_pss(hash, &bad), "{index}");
            }
        }
        for length in [0, 1, 20, hash.octets() - 1, hash.octets() + 1, 254 - hash.octets()] {
            assert!(!signer.takes_pss(hash, &pss(hash, hash, 1, &vec![7; length], 0xbc)), "{length}");
        }
        for (padding, trailer) in [(0, 0xbc), (2, 0xbc), (1, 0xcc), (1, 0xbd)] {
            assert!(!signer.takes_pss(hash, &pss(hash, hash, padding, &salt, trailer)));
        }
        for other in HASHES.into_iter().filter(|&other| other != hash) {
            assert!(!signer.takes_pss(hash, &pss(hash, other, 1, &salt, 0xbc)), "the mask is of another hash");
            assert!(!signer.takes_pss(other, &good));
        }
        assert!(!signer.takes_pkcs1(hash, &good));
    }
}

/// Where the modulus has one bit more than a multiple of 8, the encoded message has one octet less.
#[test]
fn a_pss_encoding_may_be_shorter_than_the_modulus() {
    let hash = Hash::Sha256;
    let encode = |bits: usize| {
        let salt = [7; 32];
        let digest = hash.digest(&[&[0; 8], &hash.digest(&[MESSAGE]), &salt]);
        let length = bits.div_ceil(8) - 33;
        let block = [vec![0; length - 33].as_slice(), &[1], &salt].concat();
        let mut masked: Vec<u8> =
            block.iter().zip(mask(hash, &digest, length)).map(|(one, other)| one ^ other).collect();
        masked[0] &= u8::MAX >> (bits.div_ceil(8) * 8 - bits);
        [masked, digest, vec![0xbc]].concat()
    };
    for bits in 2041..2056 {
        let octets = (bits + 1_usize).div_ceil(8);
        let encoded = encode(bits);
        let padded = [vec![0; octets - encoded.len()], encoded].concat();
        assert_eq!(is_pss_encoding(hash, MESSAGE, &padded, bits), Some(true), "{bits}");
        let mut bad = padded.clone();
        bad[0] |= 0x80 >> (octets * 8 - bits - 1);
        assert_eq!(is_pss_encoding(hash, MESSAGE, &bad, bits), Some(false), "{bits}: the bit above");
    }
    for bits in [8, 255, 512, 527] {
        assert_ne!(is_pss_encoding(hash, MESSAGE, &vec![0; bits / 8 + 1], bits), Some(true), "{bits}: too short");
    }
}

#[test]
fn signatures_are_as_long_as_the_modulus_and_less_than_it() {
    let signer = Signer::new();
    let hash = Hash::Sha256;
    let signature = signer.sign(&pkcs1(&[digest_info(hash), &hash.digest(&[MESSAGE])].concat()));
    let takes = |signature: &[u8]| signer.key.verify_pkcs1(hash, MESSAGE, signature);
    assert!(takes(&signature));
    // The same number modulo n.
    let number = |octets| BoxedUint::from_be_slice_vartime(octets);
    let sum = number(&signature).concatenating_add(number(&signer.modulus)).to_be_bytes();
    assert!(!takes(without_zeros(&sum)) && !takes(&sum));
    for bad in [
        [&[0][..], &signature].concat(),
        [&signature[..], &[0]].concat(),
        signature[1..].to_vec(),
        signer.modulus.clone(),
        vec![0; 256],
        vec![0xff; 256],
        Vec::new(),
    ] {
        assert!(!takes(&bad) && !signer.key.verify_pss(hash, MESSAGE, &bad));
    }
}

#[test]
fn keys_are_of_an_acceptable_size_and_know_their_forms_in_der() {
    let signer = Signer::new();
    let library = rsa::pkcs8::EncodePublicKey::to_public_key_der(&signer.library).expect("has a form");
    assert_eq!(signer.key.spki(), library.as_bytes());
    let library = signer.library.to_pkcs1_der().expect("has a form");
    assert_eq!(signer.key.pkcs1(), library.as_bytes());
    let of_bits = |bits: usize| {
        let mut modulus = vec![0; bits.div_ceil(8)];
        modulus[0] |= 1 << ((bits - 1) % 8);
        modulus[bits.div_ceil(8) - 1] |= 1;
        let key = RsaPublicKey::new(&modulus, &[1, 0, 1])?;
        let numbers = pkcs1::RsaPublicKeyRef::try_from(key.pkcs1()).expect("is DER");
        assert_eq!(numbers.modulus.as_bytes(), modulus, "{bits}");
        Ok(())
    };
    for bits in [2048, 2049, 3072, 4096, 8191, 8192] {
        assert_eq!(of_bits(bits), Ok(()), "{bits}");
    }
    for bits in [512, 1024, 2040, 2047, 8193, 16384, 100_000] {
        assert_eq!(of_bits(bits), Err(RsaKeyError::Size { bits }));
    }
    let mut even = signer.modulus.clone();
    even[255] &= 0xfe;
    assert_eq!(RsaPublicKey::new(&even, &[1, 0, 1]), Err(RsaKeyError::Even));
    for exponent in [
        &[][..],
        &[0],
        &[1],
        &[3],
        &[0xff, 0xff],
        &[1, 0, 0],
        &[1, 0, 2],
        &[2, 0, 0],
        &[2, 0, 1],
        &[0xff; 4],
        &[1, 0, 0, 0, 1],
    ] {
        assert_eq!(RsaPublicKey::new(&signer.modulus, exponent), Err(RsaKeyError::Exponent), "{exponent:?}");
    }
    for exponent in [[1, 0, 1], [1, 0, 3], [1, 0xff, 0xff]] {
        assert!(RsaPublicKey::new(&signer.modulus, &exponent).is_ok(), "{exponent:?}");
    }
}
