//! Key sets: an entry is imported if, and only if, it is a public key that may verify; a token finds the keys that may
//! have signed it and no others; and no entry, however odd, takes a good key from the set.

#![no_main]

use fuzz::json::{self, Shape, Tree};
use fuzz::signed;
use jose::Algorithm;
use jose::jwk::{Candidates, KeyMaterial, KeySet, KeySetError, Origin, VerificationKey};
use jose::signature::CheckedBy;
use libfuzzer_sys::fuzz_target;

/// The most entries that are read.
const MAX_KEYS: usize = 8;
/// The most keys that are tried for one token.
const MAX_CANDIDATES: usize = 5;

/// What the keys that are tried for one token may cost together, beside one that is tried alone: so many thousand
/// instructions of Wasm.
const MAX_WORK: u64 = 22_000;

/// The y of the points of order 8 on the curve of Ed25519.
const ORDER_8: [&str; 2] =
    ["JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU", "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o"];

fuzz_target!(|text: &[u8]| {
    for origin in [Origin::Configuration, Origin::Issuer, Origin::TrustDomain] {
        check(text, origin);
    }
    if let Ok(tree) = json::read(text) {
        check_beside_good_keys(&tree);
    }
});

fn check(text: &[u8], origin: Origin) {
    let set = KeySet::from_json(text, MAX_KEYS, origin);
    assert_eq!(set, KeySet::from_json(text, MAX_KEYS, origin), "the same text, another set");
    let Ok(tree) = json::read_with_twins(text) else {
        return assert!(matches!(set, Err(KeySetError::Json(_))), "{set:?}");
    };
    match entries(&tree) {
        _ if tree.has_own_twins() => assert_eq!(set, Err(KeySetError::DuplicateMember)),
        None => assert_eq!(set, Err(KeySetError::NoKeys)),
        Some(entries) if entries.len() > MAX_KEYS => {
            assert_eq!(set, Err(KeySetError::TooManyKeys { count: entries.len(), max: MAX_KEYS }));
        }
        Some(entries) => check_set(set, entries, origin),
    }
}

fn entries<'s>(set: &'s Tree<'_>) -> Option<&'s [Tree<'s>]> {
    match &set.get("keys")?.shape {
        Shape::Array(entries) => Some(entries),
        _ => None,
    }
}

fn check_set(set: Result<KeySet, KeySetError>, entries: &[Tree<'_>], origin: Origin) {
    let mut expected: Vec<Expected<'_>> = Vec::new();
    let mut odd = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match Expected::read(entry, origin) {
            Some(key) if expected.contains(&key) => {}
            Some(key) => expected.push(key),
            None => odd.push((index, kid(entry))),
        }
    }
    let skipped = match &set {
        Ok(set) => set.skipped(),
        Err(KeySetError::NoUsableKey { skipped }) => skipped,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(skipped.iter().map(|key| (key.index, key.kid.as_deref())).collect::<Vec<_>>(), odd, "{set:?}");
    assert_eq!(set.is_ok(), !expected.is_empty());
    let Ok(set) = set else { return };
    assert_eq!(set.keys().len(), expected.len());
    for (key, expected) in set.keys().iter().zip(&expected) {
        assert!(expected.is(key), "{key:?} is not {expected:?}");
    }
    let mut kids: Vec<_> = entries.iter().map(|entry| entry.get("kid").and_then(Tree::string)).collect();
    kids.extend([None, Some(""), Some("unheard of")]);
    for kid in kids {
        for algorithm in Algorithm::ALL {
            for checked_by in [CheckedBy::Host, CheckedBy::Module] {
                check_candidates(&set, &expected, kid, algorithm, checked_by);
            }
        }
    }
}

/// `expected` are the keys of `set` by the other reading, in the same order.
fn check_candidates(
    set: &KeySet,
    expected: &[Expected<'_>],
    kid: Option<&str>,
    algorithm: Algorithm,
    checked_by: CheckedBy,
) {
    let all = || set.keys().iter().zip(expected);
    let is_known = kid.is_some()
        && (all().any(|(key, _)| key.kid() == kid) || set.skipped().iter().any(|key| key.kid.as_deref() == kid));
    // A token that names no key is for any; one that names an unknown one is for those without a name.
    let is_named = |found: Option<&str>| kid.is_none() || found == kid || (!is_known && found.is_none());
    let fitting: Vec<_> = all().filter(|(key, _)| is_named(key.kid()) && key.allows(algorithm)).collect();
    let is_tried = |material: &Material| checked_by == CheckedBy::Host || material.rsa_bits() <= 4096;
    let tried: Vec<_> = fitting.iter().filter(|(_, expected)| is_tried(&expected.material)).collect();
    let work: u64 = tried.iter().map(|(_, expected)| expected.material.work(checked_by)).sum();
    let is_guessed = kid.is_some() && !is_known;
    let expected = match tried.len() {
        count if is_guessed && (count == 0 || count > MAX_CANDIDATES || (count > 1 && work > MAX_WORK)) => {
            Candidates::None
        }
        0 if !fitting.is_empty() => Candidates::TooLarge,
        0 if is_known => Candidates::WrongAlgorithm,
        0 => Candidates::None,
        count if count > MAX_CANDIDATES => Candidates::TooMany,
        count if count > 1 && work > MAX_WORK => Candidates::TooMuchWork,
        _ => Candidates::Keys(tried.iter().map(|(key, _)| *key).collect()),
    };
    assert_eq!(set.candidates(kid, algorithm, checked_by), expected, "{kid:?} {algorithm} {checked_by:?}");
}

/// Puts what was sent between good keys: as an entry, and if it is a set its entries.
fn check_beside_good_keys(tree: &Tree<'_>) {
    let read = |text: &str| KeySet::from_json(text.as_bytes(), MAX_KEYS, Origin::Issuer).expect("holds good keys");
    let good = read(signed::KEYS);
    let odd = std::iter::once(tree).chain(tree.get("keys").into_iter().flat_map(Tree::elements));
    for odd in odd.take(MAX_KEYS) {
        let text = signed::KEYS.replacen('[', &format!("[{},", odd.text), 1);
        // In a set it nests two levels deeper.
        let Ok(_) = json::read(text.as_bytes()) else { continue };
        let set = read(&text);
        for key in good.keys() {
            assert!(set.keys().contains(key), "{key:?} is lost beside {}", odd.text);
        }
        assert!(set.keys().len() <= good.keys().len() + 1);
    }
}

/// A key by another reading of its entry.
#[derive(Debug, Eq, PartialEq)]
struct Expected<'e> {
    kid: Option<&'e str>,
    issuer: Option<&'e str>,
    material: Material,
    algorithms: Vec<&'static str>,
}

#[derive(Debug, Eq, PartialEq)]
enum Material {
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed25519 {
        x: [u8; 32],
    },
    Oct {
        k: Vec<u8>,
    },
    /// Without zeros in front.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Curve {
    P256,
    P384,
    P521,
}

impl<'e> Expected<'e> {
    /// The key that an entry holds, if it may verify anything.
    fn read(entry: &'e Tree<'_>, origin: Origin) -> Option<Self> {
        let is_string = |name| present(entry, name).is_none_or(|member| member.string().is_some());
        let string = |name| entry.get(name).and_then(Tree::string);
        let is_private = ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| present(entry, name).is_some());
        let is_odd = entry.has_twins() || !["kid", "issuer", "alg", "use", "crv"].into_iter().all(is_string);
        if is_private || is_odd || !may_verify(entry, origin) {
            return None;
        }
        let octets = |name| octets(entry, name);
        let material = match (string("kty")?, string("crv")) {
            ("OKP", Some("Ed25519")) => Material::ed25519(&octets("x")?)?,
            ("EC", Some("P-256")) => Material::ec(Curve::P256, octets("x")?, octets("y")?)?,
            ("EC", Some("P-384")) => Material::ec(Curve::P384, octets("x")?, octets("y")?)?,
            ("EC", Some("P-521")) => Material::ec(Curve::P521, octets("x")?, octets("y")?)?,
            ("RSA", _) => Material::rsa(&octets("n")?, &octets("e")?)?,
            // What an issuer publishes is no secret.
            ("oct", _) if origin == Origin::Configuration => Material::Oct { k: octets("k")? },
            _ => return None,
        };
        let mut algorithms = material.algorithms();
        algorithms.retain(|name| string("alg").is_none_or(|alg| alg == *name));
        (!algorithms.is_empty()).then_some(Self { kid: kid(entry), issuer: string("issuer"), material, algorithms })
    }

    fn is(&self, key: &VerificationKey) -> bool {
        // RFC 5480 §2.2: the point ends the structure.
        let ends_with = |spki: &[u8], x: &[u8], y: &[u8]| spki.ends_with(&[&[4], x, y].concat());
        let is_same = match (&self.material, key.material()) {
            (Material::Ed25519 { x }, KeyMaterial::Ed25519(key)) => key.to_bytes() == *x,
            (Material::Ec { curve: Curve::P256, x, y }, KeyMaterial::P256(_, spki))
            | (Material::Ec { curve: Curve::P384, x, y }, KeyMaterial::P384(_, spki))
            | (Material::Ec { curve: Curve::P521, x, y }, KeyMaterial::P521(_, spki)) => ends_with(spki, x, y),
            // RFC 8017 §A.1.1: the modulus, then the exponent, which ends the structure.
            (Material::Rsa { n, e }, KeyMaterial::Rsa(key)) => {
                let padding: &[u8] = if e[0] < 0x80 { &[] } else { &[0] };
                let length = u8::try_from(e.len() + padding.len()).expect("is short");
                key.spki().ends_with(&[n.as_slice(), &[2, length], padding, e].concat())
            }
            (Material::Oct { .. }, material) => matches!(material, KeyMaterial::Oct(_)),
            _ => false,
        };
        let is_bound = |algorithm: Algorithm| key.allows(algorithm) == self.algorithms.contains(&algorithm.name());
        key.kid() == self.kid && key.issuer() == self.issuer && is_same && Algorithm::ALL.into_iter().all(is_bound)
    }
}

impl Material {
    fn algorithms(&self) -> Vec<&'static str> {
        match self {
            Self::Ec { curve: Curve::P256, .. } => vec!["ES256"],
            Self::Ec { curve: Curve::P384, .. } => vec!["ES384"],
            Self::Ec { curve: Curve::P521, .. } => vec!["ES512"],
            Self::Ed25519 { .. } => vec!["EdDSA"],
            // RFC 7518 §3.2: a secret is as long as the hash value at least.
            Self::Oct { k } => {
                let sizes = [(32, "HS256"), (48, "HS384"), (64, "HS512")];
                sizes.into_iter().filter(|(octets, _)| k.len() >= *octets).map(|(_, name)| name).collect()
            }
            Self::Rsa { .. } => vec!["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
        }
    }

    /// How many bits an RSA key has.
    fn rsa_bits(&self) -> u64 {
        match self {
            // The first octet is not zero.
            Self::Rsa { n, .. } => n.len() as u64 * 8 - u64::from(n[0].leading_zeros()),
            _ => 0,
        }
    }

    /// What a signature costs, in thousands of instructions of Wasm.
    fn work(&self, checked_by: CheckedBy) -> u64 {
        match (self, checked_by) {
            (Self::Ec { curve: Curve::P256, .. }, CheckedBy::Host) => 2_500,
            (Self::Ec { curve: Curve::P256, .. }, CheckedBy::Module) => 11_000,
            (Self::Ec { curve: Curve::P384, .. }, CheckedBy::Host) => 10_500,
            (Self::Ec { curve: Curve::P384, .. }, CheckedBy::Module) => 52_000,
            (Self::Ec { curve: Curve::P521, .. }, CheckedBy::Host) => 20_000,
            (Self::Ec { curve: Curve::P521, .. }, CheckedBy::Module) => 56_000,
            (Self::Ed25519 { .. }, _) => 2_100,
            (Self::Oct { .. }, _) => 50,
            (Self::Rsa { e, .. }, _) => {
                let exponent = e.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
                let bits: Vec<_> = (0..64).filter(|bit| exponent >> bit & 1 == 1).collect();
                let highest = bits.iter().max().copied().unwrap_or_default();
                // A squaring takes three quarters of a multiplication, which takes two products for each two limbs.
                let halves = 3 * highest + 4 * (bits.len() as u64 + 1);
                let limbs = self.rsa_bits().div_ceil(32);
                let products = limbs * limbs * halves / 2;
                if checked_by == CheckedBy::Host { products / 240 } else { products / 33 }
            }
        }
    }

    fn ed25519(x: &[u8]) -> Option<Self> {
        let x: [u8; 32] = x.try_into().ok()?;
        let is_point = ed25519_dalek::VerifyingKey::from_bytes(&x).is_ok();
        // RFC 8032 §5.1.2: the last bit is the sign of x, the others are y, little end first.
        let mut y = x;
        y[31] &= 0x7f;
        let is_of_order_8 = ORDER_8.iter().any(|text| fuzz::base64url::decode(text.as_bytes()).as_deref() == Some(&y));
        y.reverse();
        // 2^255 - 19
        let mut prime = [0xff; 32];
        (prime[0], prime[31]) = (0x7f, 0xed);
        // Of order 1, 2 and 4: y is 1, -1 or 0.
        let near = |low, rest| y[31] == low && y[1..31].iter().all(|byte| *byte == rest) && y[0] == rest & 0x7f;
        let is_of_small_order = is_of_order_8 || near(0, 0) || near(1, 0) || near(0xec, 0xff);
        (is_point && y < prime && !is_of_small_order).then_some(Self::Ed25519 { x })
    }

    fn ec(curve: Curve, x: Vec<u8>, y: Vec<u8>) -> Option<Self> {
        let point = [&[4], x.as_slice(), &y].concat();
        let (size, is_point) = match curve {
            Curve::P256 => (32, p256::PublicKey::from_sec1_bytes(&point).is_ok()),
            Curve::P384 => (48, p384::PublicKey::from_sec1_bytes(&point).is_ok()),
            Curve::P521 => (66, p521::PublicKey::from_sec1_bytes(&point).is_ok()),
        };
        (x.len() == size && y.len() == size && is_point).then_some(Self::Ec { curve, x, y })
    }

    fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let [n, e] = [n, e].map(|octets| octets.iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<u8>>());
        let bits = n.len() * 8 - n.first().map_or(0, |octet| octet.leading_zeros() as usize);
        let is_odd = |octets: &[u8]| octets.last().is_some_and(|octet| octet % 2 == 1);
        let exponent = e.iter().fold(0_u64, |value, octet| value.saturating_mul(256).saturating_add(u64::from(*octet)));
        let is_usable =
            is_odd(&n) && (2048..=8192).contains(&bits) && is_odd(&e) && (65537..=131_072).contains(&exponent);
        is_usable.then_some(Self::Rsa { n, e })
    }
}

/// Null is absent.
fn present<'e>(entry: &'e Tree<'_>, name: &str) -> Option<&'e Tree<'e>> {
    entry.get(name).filter(|member| member.text != "null")
}

/// An empty one is ignored.
fn kid<'e>(entry: &'e Tree<'_>) -> Option<&'e str> {
    entry.get("kid").and_then(Tree::string).filter(|kid| !kid.is_empty())
}

fn may_verify(entry: &Tree<'_>, origin: Origin) -> bool {
    let is_purpose = |name| name == Some("sig") || (origin == Origin::TrustDomain && name == Some("jwt-svid"));
    let is_for_signatures = present(entry, "use").is_none_or(|purpose| is_purpose(purpose.string()));
    let may_verify = |operations: &Tree<'_>| {
        let operations: Option<Vec<_>> = operations.elements().iter().map(Tree::string).collect();
        operations.is_some_and(|operations| operations.contains(&"verify"))
    };
    is_for_signatures && present(entry, "key_ops").is_none_or(may_verify)
}

fn octets(entry: &Tree<'_>, name: &str) -> Option<Vec<u8>> {
    fuzz::base64url::decode(entry.get(name)?.string()?.as_bytes()).filter(|octets| !octets.is_empty())
}
