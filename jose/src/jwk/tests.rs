//! Which JWKs are keys, and which keys fit a token.

use alloc::format;
use alloc::string::{String, ToString};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::Algorithm;
use crate::json::Document;
use crate::signature::CheckedBy;

const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const X384: &str = "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT";
const Y384: &str = "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg";
const X521: &str = "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk";
const Y521: &str = "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2";
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn rsa(more: &str) -> String {
    format!(r#"{{"kty":"RSA","n":"{N}","e":"AQAB"{more}}}"#)
}

fn p256(more: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#)
}

fn ec(curve: &str, x: &str, y: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#)
}

fn oct(octets: usize) -> String {
    format!(r#"{{"kty":"oct","k":"{}"}}"#, crate::base64url::encode(&vec![7; octets]))
}

fn ed25519(x: &str) -> String {
    format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)
}

fn import(jwk: &str) -> Result<VerificationKey, KeyError> {
    VerificationKey::from_jwk(Document::parse_keeping_duplicates(jwk.as_bytes()).expect(jwk).root(), Origin::Issuer)
}

#[test]
fn keys_verify_what_their_type_and_alg_allow() {
    for (jwk, expected) in [
        (rsa(""), "PS256 PS384 PS512 RS256 RS384 RS512"),
        (rsa(r#","alg":"PS384""#), "PS384"),
        (p256(""), "ES256"),
        (ec("P-384", X384, Y384), "ES384"),
        (ec("P-521", X521, Y521), "ES512"),
        (ed25519(ED), "EdDSA"),
        (oct(32), "HS256"),
        (oct(47), "HS256"),
        (oct(48), "HS256 HS384"),
        (oct(64), "HS256 HS384 HS512"),
        (oct(1000), "HS256 HS384 HS512"),
    ] {
        let document = Document::parse(jwk.as_bytes()).expect(&jwk);
        let key = VerificationKey::from_jwk(document.root(), Origin::Configuration).expect("is a key");
        let allowed: Vec<_> =
            Algorithm::ALL.into_iter().filter(|other| key.allows(*other)).map(Algorithm::name).collect();
        assert_eq!(allowed.join(" "), expected);
    }
    assert!(import(&rsa(r#","alg":"RS256","use":"sig","key_ops":["verify"],"x5c":["x"],"ext":true"#)).is_ok());
}

#[test]
fn purpose_and_algorithm_must_fit() {
    for (more, error) in [
        (r#","use":"enc""#, KeyError::Use),
        (r#","use":1"#, KeyError::Type("use")),
        (r#","key_ops":["encrypt"]"#, KeyError::Use),
        (r#","key_ops":[]"#, KeyError::Use),
        (r#","key_ops":"verify""#, KeyError::Type("key_ops")),
        (r#","key_ops":["verify",1]"#, KeyError::Type("key_ops")),
        (r#","alg":"ES256""#, KeyError::Algorithm),
        (r#","alg":"RSA-OAEP""#, KeyError::Algorithm),
        (r#","alg":7"#, KeyError::Type("alg")),
        (r#","kid":7"#, KeyError::Type("kid")),
        (r#","d":"AA""#, KeyError::Private),
        (r#","p":"AA""#, KeyError::Private),
    ] {
        assert_eq!(import(&rsa(more)), Err(error), "{more}");
    }
}

#[test]
fn rsa_numbers_must_be_of_use() {
    let with = |n: &str, e: &str| import(&format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#));
    let padded = with(&format!("{}{N}", "AAAA".repeat(50_000)), "AAEAAQ");
    assert_eq!(padded, with(N, "AQAB"), "leading zeros change no number, nor what it costs to count with it");
    for exponent in ["AQ", "Ag", "Aw", "EQ", "__8", "AQAC", "AgAA", "AgAB", "_____w", "AQAAAAAB", "AA"] {
        assert_eq!(with(N, exponent), Err(KeyError::RsaExponent), "{exponent}");
    }
    assert!(with(N, "AQAD").is_ok() && with(N, "Af__").is_ok(), "odd, and from 65537 to 131072");
    assert_eq!(with(&N[..171], "AQAB"), Err(KeyError::Encoding("n")), "bits behind the last octet");
    assert_eq!(with(&N[..340], "AQAB"), Err(KeyError::RsaSize(2040)));
    assert_eq!(with(&N.repeat(5), "AQAB").map_err(|error| error.to_string().contains("bits")), Err(true));
    let even = format!("{}g", &N[..N.len() - 1]);
    assert!(with(&even, "AQAB").is_err());
    assert_eq!(with("", "AQAB"), Err(KeyError::Encoding("n")));
    assert_eq!(with(&format!("{N}="), "AQAB"), Err(KeyError::Encoding("n")));
}

#[test]
fn points_must_lie_on_their_curve_and_be_of_full_order() {
    let with = |x: &str, y: &str| import(&ec("P-256", x, y));
    assert_eq!(with(X, X), Err(KeyError::Invalid));
    let zero = "A".repeat(43);
    assert_eq!(with(&zero, &zero), Err(KeyError::Invalid));
    for (curve, x, y) in [("P-384", X384, X384), ("P-521", X521, X521)] {
        assert_eq!(import(&ec(curve, x, y)), Err(KeyError::Invalid), "{curve}");
    }
    let size = |member, octets, expected| Err(KeyError::CoordinateSize { member, octets, expected });
    assert_eq!(with(&format!("AAAA{X}"), Y), size("x", 35, 32), "a coordinate has its full size and no more");
    assert_eq!(with(X, "AAAA"), size("y", 3, 32));
    assert_eq!(import(&ec("P-384", X, Y)), size("x", 32, 48));
    assert_eq!(import(&ec("P-521", X384, Y384)), size("x", 48, 66));
    // Leading zeros are part of a coordinate: without them it is too short.
    assert_eq!(import(&ec("P-521", &X521[2..], &Y521[2..])), Err(KeyError::Encoding("x")));
    // Points of small order, and encodings of numbers beyond the field's.
    for refused in [
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "7P___________________________________________w".get(..43).unwrap_or_default(),
        "7v________________________________________38",
        "",
    ] {
        assert!(import(&ed25519(refused)).is_err(), "{refused}");
    }
}

#[test]
fn unknown_types_and_curves_are_no_keys() {
    assert_eq!(import(r#"{"kty":"AKP"}"#), Err(KeyError::UnknownType));
    assert_eq!(import(r#"{"kty":1}"#), Err(KeyError::Type("kty")));
    assert_eq!(import("{}"), Err(KeyError::Missing("kty")));
    assert_eq!(import("[]"), Err(KeyError::NotAnObject));
    assert_eq!(import(r#"{"kty":"EC","crv":"secp256k1"}"#), Err(KeyError::UnknownCurve));
    assert_eq!(import(r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#), Err(KeyError::UnknownCurve));
    assert_eq!(import(r#"{"kty":"OKP","x":"AA"}"#), Err(KeyError::Missing("crv")));
}

#[test]
fn secrets_come_from_the_configuration_alone_and_are_long_enough() {
    let configured = |jwk: &str| {
        VerificationKey::from_jwk(Document::parse(jwk.as_bytes()).expect(jwk).root(), Origin::Configuration)
    };
    assert_eq!(import(&oct(64)), Err(KeyError::Symmetric));
    assert_eq!(configured(&oct(31)), Err(KeyError::SecretSize(248)));
    assert_eq!(configured(r#"{"kty":"oct","k":""}"#), Err(KeyError::Encoding("k")));
    assert_eq!(configured(r#"{"kty":"oct"}"#), Err(KeyError::Missing("k")));
    let named = |alg: &str, octets| configured(&oct(octets).replace('}', &format!(r#","alg":"{alg}"}}"#)));
    assert!(named("HS512", 64).is_ok_and(|key| key.allows(Algorithm::Hs512) && !key.allows(Algorithm::Hs256)));
    assert_eq!(named("HS512", 63), Err(KeyError::Algorithm), "the secret is too short for it");
    assert_eq!(named("A256GCM", 64), Err(KeyError::Algorithm));
    let key = configured(&oct(64)).expect("is a key");
    assert!(!format!("{key:?}").contains("7, 7"), "secrets are not for logs: {key:?}");
}

#[test]
fn members_that_occur_twice_spoil_their_key_and_no_other() {
    let twice = rsa(r#","kid":"twice","kid":"other""#);
    assert_eq!(import(&twice), Err(KeyError::DuplicateMember));
    assert_eq!(import(&rsa(r#","odd":[{"a":1,"a":1}]"#)), Err(KeyError::DuplicateMember), "however deep");
    let set = |text: &str| KeySet::from_json(text.as_bytes(), 10, Origin::Issuer);
    let found = set(&format!(r#"{{"keys":[{twice},{}],"other":{{"a":1,"a":2}}}}"#, p256(""))).expect("holds a key");
    assert_eq!((found.keys().len(), &found.skipped()[0].error), (1, &KeyError::DuplicateMember));
    let twice = format!(r#"{{"keys":[{}],"keys":[{}]}}"#, p256(""), rsa(""));
    assert_eq!(set(&twice), Err(KeySetError::DuplicateMember));
}

#[test]
fn one_odd_key_never_spoils_its_set() {
    let text = format!(
        r#"{{"keys":[null,1,"x",[],{{}},{{"kty":"RSA","n":1,"e":"AQAB","kid":"w"}},{},{}]}}"#,
        p256(""),
        p256("")
    );
    let set = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds a key");
    assert_eq!((set.keys().len(), set.skipped().len()), (1, 6), "exact duplicates count once");
    assert_eq!(set.skipped()[5].kid.as_deref(), Some("w"));
    assert!(matches!(
        KeySet::from_json(text.as_bytes(), 7, Origin::Issuer),
        Err(KeySetError::TooManyKeys { count: 8, max: 7 })
    ));
    for refused in
        ["", "{}", "[]", "null", r#"{"keys":null}"#, r#"{"keys":{}}"#, r#"{"Keys":[]}"#, r#"{"keys":[]}"#, &p256("")]
    {
        assert!(KeySet::from_json(refused.as_bytes(), 10, Origin::Issuer).is_err(), "{refused}");
    }
}

#[test]
fn candidates_fit_kid_and_algorithm() {
    let text = format!(r#"{{"keys":[{},{},{}]}}"#, rsa(r#","kid":"r""#), p256(r#","kid":"e""#), p256(""));
    let set = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds keys");
    let count = |kid, algorithm| match set.candidates(kid, algorithm, CheckedBy::Module) {
        Candidates::Keys(keys) => Ok(keys.len()),
        other => Err(format!("{other:?}")),
    };
    assert_eq!(count(Some("r"), Algorithm::Rs256), Ok(1));
    assert_eq!(count(None, Algorithm::Es256), Ok(2));
    assert_eq!(count(Some("r"), Algorithm::Es256), Err("WrongAlgorithm".into()));
    assert_eq!(count(Some(""), Algorithm::Es256), Ok(1), "an empty `kid` names no key");
    assert_eq!(count(Some("other"), Algorithm::Es256), Ok(1), "the key without `kid`");
    assert_eq!(count(Some("other"), Algorithm::Rs256), Err("None".into()), "there is no such key without `kid`");
    assert_eq!(count(None, Algorithm::EdDsa), Err("None".into()));

    let text = format!(r#"{{"keys":[{},{}]}}"#, rsa(r#","kid":"r","use":"enc""#), p256(r#","kid":"e""#));
    let odd = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds a key");
    assert_eq!(
        odd.candidates(Some("r"), Algorithm::Rs256, CheckedBy::Module),
        Candidates::WrongAlgorithm,
        "it is known, and unusable"
    );

    let many: String = (0..6).map(|index| p256(&format!(r#","kid":"{index}""#)) + ",").collect();
    let text = format!(r#"{{"keys":[{}]}}"#, many.trim_end_matches(','));
    let set = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds keys");
    assert_eq!(set.candidates(None, Algorithm::Es256, CheckedBy::Module), Candidates::TooMany);
    assert!(matches!(set.candidates(Some("3"), Algorithm::Es256, CheckedBy::Module), Candidates::Keys(_)));
}

/// A number of that many bits whose factors are unknown; `number` makes it another one.
fn rsa_of(bits: usize, exponent: &str, number: u8) -> String {
    let mut modulus = vec![0xff; bits / 8];
    modulus[8] = number;
    format!(r#"{{"kty":"RSA","n":"{}","e":"{exponent}"}}"#, crate::base64url::encode(&modulus))
}

#[test]
fn the_keys_that_are_tried_for_one_token_take_bounded_work() {
    use Candidates::{Keys, TooLarge, TooMany, TooMuchWork};
    use CheckedBy::{Host, Module};
    let usual = "AQAB";
    for (checked_by, bits, exponent, count, expected) in [
        (Module, 2048, usual, 5, Keys(Vec::new())),
        (Module, 2048, usual, 6, TooMany),
        (Module, 2048, "Af__", 2, Keys(Vec::new())),
        (Module, 2048, "Af__", 3, TooMuchWork),
        (Module, 3072, usual, 2, Keys(Vec::new())),
        (Module, 3072, usual, 3, TooMuchWork),
        (Module, 4096, usual, 1, Keys(Vec::new())),
        (Module, 4096, "Af__", 1, Keys(Vec::new())),
        (Module, 4096, usual, 2, TooMuchWork),
        (Module, 4104, usual, 1, TooLarge),
        (Module, 8192, usual, 6, TooLarge),
        (Host, 2048, "Af__", 5, Keys(Vec::new())),
        (Host, 4096, usual, 5, Keys(Vec::new())),
        (Host, 4096, usual, 6, TooMany),
        (Host, 8192, "Af__", 1, Keys(Vec::new())),
        (Host, 8192, usual, 2, Keys(Vec::new())),
        (Host, 8192, usual, 3, TooMuchWork),
    ] {
        let keys: Vec<_> = (0..count).map(|number| rsa_of(bits, exponent, number)).collect();
        let text = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let set = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds keys");
        let found = match set.candidates(None, Algorithm::Rs256, checked_by) {
            Keys(keys) => {
                assert_eq!(keys.len(), usize::from(count));
                Keys(Vec::new())
            }
            other => other,
        };
        assert_eq!(found, expected, "{count} of {bits} bits, {exponent}, {checked_by:?}");
    }
}

#[test]
fn a_kid_picks_its_key_from_any_others() {
    let named = |kid: &str, jwk: String| jwk.replace(r#"{"kty""#, &format!(r#"{{"kid":"{kid}","kty""#));
    let large = (0..4).map(|number| named(&number.to_string(), rsa_of(4096, "Af__", number)));
    let keys: Vec<_> = large.chain([named("huge", rsa_of(8192, "AQAB", 0)), named("ed", ed25519(ED))]).collect();
    let set = KeySet::from_json(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes(), 10, Origin::Issuer);
    let set = set.expect("holds keys");
    let found = |kid, algorithm, checked_by| match set.candidates(Some(kid), algorithm, checked_by) {
        Candidates::Keys(keys) => Ok(keys.len()),
        other => Err(format!("{other:?}")),
    };
    for kid in ["0", "1", "2", "3"] {
        assert_eq!(found(kid, Algorithm::Ps256, CheckedBy::Module), Ok(1));
    }
    assert_eq!(found("ed", Algorithm::EdDsa, CheckedBy::Module), Ok(1));
    assert_eq!(found("huge", Algorithm::Rs256, CheckedBy::Host), Ok(1));
    assert_eq!(found("huge", Algorithm::Rs256, CheckedBy::Module), Err("TooLarge".into()));
    assert_eq!(found("huge", Algorithm::Es256, CheckedBy::Module), Err("WrongAlgorithm".into()));
    assert_eq!(set.large_keys().map(VerificationKey::kid).collect::<Vec<_>>(), [Some("huge")]);
}

#[test]
fn null_is_absent_for_every_optional_member() {
    let optional = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "kid", "use", "alg", "key_ops", "issuer"];
    let optional = optional.iter().chain(&["x5c", "x5t", "x5t#S256", "x5u", "ext"]);
    let nulls = optional.map(|member| format!(r#","{member}":null"#)).collect::<Vec<_>>().concat();
    for (plain, with_nulls) in [
        (rsa(""), rsa(&format!(r#"{nulls},"crv":null,"x":null,"y":null"#))),
        (p256(""), p256(&format!(r#"{nulls},"n":null,"e":null"#))),
        (ed25519(ED), ed25519(ED).replace('}', &format!("{nulls}}}"))),
    ] {
        assert_eq!(import(&with_nulls), import(&plain));
        assert!(import(&plain).is_ok());
    }
    assert_eq!(import(r#"{"kty":null}"#), Err(KeyError::Missing("kty")));
    assert_eq!(import(r#"{"kty":"EC","crv":null}"#), Err(KeyError::Missing("crv")));
    assert_eq!(import(r#"{"kty":"RSA","n":null,"e":"AQAB"}"#), Err(KeyError::Missing("n")));
    assert_eq!(import(&rsa(r#","d":"""#)), Err(KeyError::Private), "what is no null is there");
    assert_eq!(import(&rsa(r#","key_ops":["verify",null]"#)), Err(KeyError::Type("key_ops")));
}

#[test]
fn an_empty_kid_is_ignored() {
    assert_eq!(import(&rsa(r#","kid":"""#)), import(&rsa("")));
    let text = format!(r#"{{"keys":[{},{}]}}"#, rsa(r#","kid":"","use":"enc""#), p256(r#","kid":"e""#));
    let set = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds a key");
    assert_eq!(set.skipped()[0].kid, None);
    assert_eq!(set.candidates(Some(""), Algorithm::Rs256, CheckedBy::Module), Candidates::None);
}

#[test]
fn keys_without_kid_serve_tokens_whose_kid_no_key_has() {
    let set = |keys: &[String]| {
        let text = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds keys")
    };
    let found = |set: &KeySet, kid, algorithm| match set.candidates(Some(kid), algorithm, CheckedBy::Module) {
        Candidates::Keys(keys) => keys.iter().map(|key| key.kid().unwrap_or("none").to_string()).collect(),
        other => format!("{other:?}"),
    };
    let mixed = set(&[p256(r#","kid":"e""#), rsa(""), rsa(r#","kid":"odd","use":"enc""#)]);
    assert_eq!(found(&mixed, "new", Algorithm::Rs256), "none");
    assert_eq!(found(&mixed, "new", Algorithm::Es256), "None", "no key without `kid` is for that algorithm");
    assert_eq!(found(&mixed, "e", Algorithm::Rs256), "WrongAlgorithm", "a key has that `kid`");
    assert_eq!(found(&mixed, "odd", Algorithm::Rs256), "WrongAlgorithm", "an unusable key has that `kid`");
    let many: Vec<_> = (0..6).map(|number| rsa_of(2048, "AQAB", number)).collect();
    assert_eq!(found(&set(&many), "new", Algorithm::Rs256), "None", "more than are tried: there may be a newer set");
    assert_eq!(found(&set(&many[..5]), "new", Algorithm::Rs256), "none".repeat(5));
    let costly: Vec<_> = (0..2).map(|number| rsa_of(4096, "AQAB", number)).collect();
    assert_eq!(found(&set(&costly), "new", Algorithm::Rs256), "None");
}

#[test]
fn keys_of_other_issuers_are_not_there_but_their_kid_is_taken() {
    let named = |issuer: &str, kid: &str| p256(&format!(r#","kid":"{kid}","issuer":"{issuer}""#));
    let text = format!(r#"{{"keys":[{},{},{}]}}"#, named("a", "1"), named("b", "2"), p256(""));
    let set = KeySet::from_json(text.as_bytes(), 10, Origin::Issuer).expect("holds keys");
    let count = |kid| match set.candidates_among(kid, Algorithm::Es256, CheckedBy::Module, |key| {
        key.issuer().is_none_or(|issuer| issuer == "a")
    }) {
        Candidates::Keys(keys) => keys.len(),
        _ => 0,
    };
    assert_eq!((count(Some("1")), count(Some("2")), count(Some("3")), count(None)), (1, 0, 1, 2));
    assert_eq!(import(&p256(r#","issuer":["a"]"#)), Err(KeyError::Type("issuer")));
}

#[test]
fn jwt_svid_is_a_purpose_in_the_bundle_of_a_trust_domain_alone() {
    let import = |jwk: &str, origin| {
        VerificationKey::from_jwk(Document::parse(jwk.as_bytes()).expect(jwk).root(), origin).map(drop)
    };
    let svid = rsa(r#","use":"jwt-svid""#);
    assert_eq!(import(&svid, Origin::TrustDomain), Ok(()));
    assert_eq!(import(&svid, Origin::Issuer), Err(KeyError::Use));
    assert_eq!(import(&svid, Origin::Configuration), Err(KeyError::Use));
    for (purpose, expected) in [("sig", Ok(())), ("enc", Err(KeyError::Use)), ("x509-svid", Err(KeyError::Use))] {
        assert_eq!(import(&rsa(&format!(r#","use":"{purpose}""#)), Origin::TrustDomain), expected, "{purpose}");
    }
    assert_eq!(import(&oct(64), Origin::TrustDomain), Err(KeyError::Symmetric));
}
