//! Tokens that jwt-compact signs, and `jose`: they verify there, nothing near them does, and what `jose` accepts
//! jwt-compact accepts. So does it accept what `jose` signs. They share no code, down to the generation of `RustCrypto`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use std::sync::LazyLock;

use jose::Algorithm as Own;
use jose::jwk::{Candidates, KeySet, Origin};
use jose::jws::EncodedToken;
use jose::signature::{CheckedBy, Software};
use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs384, Hs512, Rsa};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt as _, UntrustedToken};
use serde_json::{Map, Value, json};
use testbed::keys::{Algorithm as Signing, SigningKey};
use testbed::mint::{mint, mint_text, object, usual_claims};

const ALGORITHMS: [Signing; 13] = [
    Signing::EdDSA,
    Signing::ES256,
    Signing::ES384,
    Signing::ES512,
    Signing::HS256,
    Signing::HS384,
    Signing::HS512,
    Signing::PS256,
    Signing::PS384,
    Signing::PS512,
    Signing::RS256,
    Signing::RS384,
    Signing::RS512,
];

/// A key for each of them; those of RSA take long to find.
static KEYS: LazyLock<[SigningKey; 13]> = LazyLock::new(|| ALGORITHMS.map(SigningKey::generate));

fn claims() -> Map<String, Value> {
    usual_claims("https://idp.example.com", "api", "alice", 1_800_000_000, 600)
}

/// Whether `jwk` makes `token` a verified one.
fn verify_token(token: &str, jwk: &Value, origin: Origin) -> Result<(), String> {
    let set = json!({"keys": [jwk]}).to_string();
    let keys = KeySet::from_json(set.as_bytes(), 100, origin).map_err(|error| error.to_string())?;
    let encoded = EncodedToken::decode(token.as_bytes()).map_err(|error| error.to_string())?;
    let token = encoded.parse().map_err(|error| error.to_string())?;
    if token.has_extensions() {
        return Err("extensions".into());
    }
    let algorithm = token.algorithm().ok_or("unsupported algorithm")?;
    let kid = token.kid().map(ToString::to_string);
    match keys.candidates(kid.as_deref(), algorithm, CheckedBy::Module) {
        Candidates::Keys(keys) => token.verify(&keys, &Software).map(drop).map_err(|error| error.to_string()),
        other => Err(format!("{other:?}")),
    }
}

/// What jwt-compact says; `None` for the algorithms that it does not have.
fn oracle(token: &str, jwk: &Value, algorithm: Signing) -> Option<bool> {
    fn judge<A: Algorithm>(algorithm: &A, token: &str, jwk: &Value) -> bool
    where
        A::VerifyingKey: for<'k> TryFrom<&'k JsonWebKey<'k>>,
    {
        let jwk: JsonWebKey<'_> = serde_json::from_value(jwk.clone()).unwrap();
        let Ok(key) = A::VerifyingKey::try_from(&jwk) else { panic!("the oracle takes no {jwk:?}") };
        UntrustedToken::new(token)
            .is_ok_and(|token| algorithm.validator::<Map<String, Value>>(&key).validate(&token).is_ok())
    }
    let rsa = |algorithm: Rsa| judge(&algorithm, token, jwk);
    Some(match algorithm {
        Signing::EdDSA => judge(&Ed25519, token, jwk),
        Signing::ES256 => judge(&Es256, token, jwk),
        Signing::ES384 | Signing::ES512 => return None,
        Signing::HS256 => judge(&Hs256, token, jwk),
        Signing::HS384 => judge(&Hs384, token, jwk),
        Signing::HS512 => judge(&Hs512, token, jwk),
        Signing::PS256 => rsa(Rsa::ps256()),
        Signing::PS384 => rsa(Rsa::ps384()),
        Signing::PS512 => rsa(Rsa::ps512()),
        Signing::RS256 => rsa(Rsa::rs256()),
        Signing::RS384 => rsa(Rsa::rs384()),
        Signing::RS512 => rsa(Rsa::rs512()),
    })
}

#[test]
fn what_was_signed_verifies_with_its_algorithm_and_no_other() {
    assert_eq!(ALGORITHMS.map(Signing::name), Own::ALL.map(Own::name));
    for key in KEYS.iter() {
        let (jwk, algorithm) = (key.public_jwk(), key.algorithm());
        let token = mint(key, &Map::new(), &claims());
        assert_eq!(verify_token(&token, &jwk, Origin::Configuration), Ok(()), "{algorithm}");
        assert_ne!(oracle(&token, &jwk, algorithm), Some(false), "{algorithm}");
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            let renamed = mint(key, &object(json!({"alg": other.name()})), &claims());
            let mut free = jwk.clone();
            free.as_object_mut().unwrap().remove("alg");
            assert!(verify_token(&renamed, &free, Origin::Configuration).is_err(), "{algorithm} as {other}");
        }
        for other in KEYS.iter().filter(|other| other.algorithm() != algorithm) {
            let mut jwk = other.public_jwk();
            jwk["kid"] = key.kid().into();
            assert!(verify_token(&token, &jwk, Origin::Configuration).is_err(), "{algorithm} with {}", other.kid());
        }
    }
}

/// In each octet one bit, in turn each of the eight; all of them where a part ends, as some bits of base64url have no
/// meaning there.
#[test]
fn a_token_with_one_bit_flipped_is_no_token() {
    for key in KEYS.iter() {
        let (jwk, algorithm) = (key.public_jwk(), key.algorithm());
        let token = mint(key, &Map::new(), &claims()).into_bytes();
        let verify =
            |token: &[u8]| std::str::from_utf8(token).map(|token| verify_token(token, &jwk, Origin::Configuration));
        assert_eq!(verify(&token), Ok(Ok(())), "{algorithm}");
        for place in 0..token.len() {
            let is_end = token.get(place + 1).is_none_or(|next| *next == b'.');
            for bit in (0..8).filter(|bit| is_end || *bit == place % 8) {
                let mut flipped = token.clone();
                flipped[place] ^= 1 << bit;
                // Bytes that are no text are no token either; here is what is text.
                let Ok(found) = verify(&flipped) else { continue };
                assert!(found.is_err(), "{algorithm}: bit {bit} of octet {place}: {flipped:?}");
            }
        }
    }
}

/// Strictness runs one way: there may be tokens that only the oracle accepts.
#[test]
fn what_is_accepted_here_is_accepted_by_the_oracle() {
    let (mut both, mut only_oracle) = (0, Vec::new());
    for key in KEYS.iter() {
        let algorithm = key.algorithm();
        let key = key.clone().with_kid("k");
        let jwk = key.public_jwk();
        let name = algorithm.name();
        let good = mint(&key, &Map::new(), &claims());
        let mut tokens = vec![good.clone(), format!("{good}="), format!(" {good}"), good.replace('.', " .")];
        for header in [
            format!(r#"{{"alg":"{name}"}}"#),
            format!(" {{ \"kid\" : \"k\" , \"alg\" : \"{name}\" }}\n"),
            format!(r#"{{"alg":"\u00{:02x}{}","kid":"k"}}"#, name.as_bytes()[0], name.get(1..).unwrap()),
            format!(r#"{{"alg":"{name}","alg":"{name}"}}"#),
            format!(r#"{{"alg":"none","alg":"{name}"}}"#),
            format!(r#"{{"alg":"{name}","x":1,"x":2}}"#),
            format!(r#"{{"alg":"{name}","crit":["exp"]}}"#),
            format!(r#"{{"alg":"{name}","b64":false}}"#),
            format!(r#"{{"alg":"{name}","jwk":{jwk}}}"#),
            format!(r#"{{"alg":"{name}","x5c":["AA"],"jku":"https://evil.example"}}"#),
            format!(r#"{{"alg":"{}"}}"#, name.to_lowercase()),
            format!(r#"{{"alg":"{name}"}}{{}}"#),
            format!(r#"{{"alg":"{name}","typ":1}}"#),
            r#"{"alg":"none"}"#.into(),
            "{}".into(),
            "[]".into(),
        ] {
            for claims in [r#"{"iss":"i","exp":1800000000}"#, r#"{"iss":"i","iss":"j"}"#, "[]", "{}", "\u{feff}{}", ""]
            {
                tokens.push(mint_text(&key, &header, claims));
            }
        }
        for token in tokens {
            let own = verify_token(&token, &jwk, Origin::Configuration);
            match (own.is_ok(), oracle(&token, &jwk, algorithm)) {
                (true, Some(false)) => panic!("{algorithm}: only accepted here: {token}"),
                (true, Some(true)) => both += 1,
                (false, Some(true)) => only_oracle.push(own),
                _ => {}
            }
        }
    }
    assert!(both > 100, "only {both} tokens were accepted by both");
    // The comparison can fail the other way round: the oracle does accept what is refused here.
    assert!(!only_oracle.is_empty());
}

/// The private keys of RFC 7515 A.3 and RFC 8037 A.1.
#[test]
fn what_is_signed_here_is_accepted_by_the_oracle() {
    for (algorithm, jwk) in [
        (
            Signing::ES256,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
        ),
        (
            Signing::EdDSA,
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#,
        ),
    ] {
        let key = jose::sign::SigningKey::from_json(jwk.as_bytes()).unwrap();
        let public: Value = serde_json::from_str(&key.public_jwk("k")).unwrap();
        // The nonce of ES256 comes from the message: short and long ones, and many of them.
        for length in (0..64).chain([1000, 5000]) {
            let payload = json!({"sub": "a".repeat(length)}).to_string();
            let header = jose::sign::Header { kid: Some("k"), typ: Some("JWT") };
            let token = key.sign_compact(header, payload.as_bytes());
            assert_eq!(oracle(&token, &public, algorithm), Some(true), "{algorithm} {length}");
            assert_eq!(verify_token(&token, &public, Origin::Issuer), Ok(()), "{algorithm} {length}");
        }
    }
}
