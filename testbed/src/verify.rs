//! Tokens of others, as jwt-compact verifies them: with a published key set.

use jwt_compact::alg::{Ed25519, Es256, Rsa};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt as _, UntrustedToken};
use serde_json::{Map, Value};

use crate::clock;

/// The claims of a token that a key of this set has signed; or why it is not good. Dates are checked, nothing else.
pub fn verified_claims(token: &str, key_set: &Value) -> Result<Map<String, Value>, String> {
    let untrusted = UntrustedToken::new(token).map_err(|error| error.to_string())?;
    let kid = untrusted.header().key_id.clone();
    let keys = key_set.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_named = |key: &&Value| kid.is_none() || key.get("kid").and_then(Value::as_str) == kid.as_deref();
    let mut why = "no key of that `kid`".to_owned();
    for key in keys.iter().filter(is_named) {
        match with_key(&untrusted, key) {
            Ok(claims) => return in_time(claims),
            Err(error) => why = error,
        }
    }
    Err(why)
}

fn with_key(token: &UntrustedToken<'_>, key: &Value) -> Result<Map<String, Value>, String> {
    let jwk: JsonWebKey<'_> = serde_json::from_value(key.clone()).map_err(|error| error.to_string())?;
    if key.get("alg").and_then(Value::as_str).is_some_and(|own| own != token.algorithm()) {
        return Err("the key is for another algorithm".into());
    }
    match token.algorithm() {
        "EdDSA" => judge(&Ed25519, token, &jwk),
        "ES256" => judge(&Es256, token, &jwk),
        "PS256" => judge(&Rsa::ps256(), token, &jwk),
        "PS384" => judge(&Rsa::ps384(), token, &jwk),
        "PS512" => judge(&Rsa::ps512(), token, &jwk),
        "RS256" => judge(&Rsa::rs256(), token, &jwk),
        "RS384" => judge(&Rsa::rs384(), token, &jwk),
        "RS512" => judge(&Rsa::rs512(), token, &jwk),
        other => Err(format!("`{other}` is not supported")),
    }
}

fn judge<'k, A: Algorithm>(
    algorithm: &A,
    token: &UntrustedToken<'_>,
    jwk: &'k JsonWebKey<'k>,
) -> Result<Map<String, Value>, String>
where
    A::VerifyingKey: TryFrom<&'k JsonWebKey<'k>>,
{
    let key = A::VerifyingKey::try_from(jwk).map_err(|_| "not a key for that algorithm".to_owned())?;
    let token = algorithm.validator::<Map<String, Value>>(&key).validate(token).map_err(|error| error.to_string())?;
    let claims = serde_json::to_value(token.claims()).map_err(|error| error.to_string())?;
    Ok(crate::mint::object(claims))
}

fn in_time(claims: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let date = |name: &str| claims.get(name).and_then(Value::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "dates have few digits")]
    let now = clock::now() as f64;
    match (date("exp"), date("nbf")) {
        (None, _) => Err("it never expires".into()),
        (Some(end), _) if end <= now => Err("it has expired".into()),
        (_, Some(start)) if start > now + 5.0 => Err("it is not valid yet".into()),
        _ => Ok(claims),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::{Algorithm, SigningKey, jwk_set};
    use crate::mint::{mint, object, usual_claims};

    #[test]
    fn a_good_token_gives_its_claims_and_a_bad_one_none() {
        for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256, Algorithm::PS256] {
            let (key, other) = (SigningKey::generate(algorithm), SigningKey::generate(algorithm));
            let set = jwk_set([&other, &key]);
            let claims = usual_claims("https://i", "a", "alice", clock::now(), 60);
            let verified = verified_claims(&mint(&key, &Map::new(), &claims), &set);
            assert_eq!(verified.as_ref().ok(), Some(&claims), "{verified:?}");
            let foreign = mint(&other.with_kid(key.kid()), &Map::new(), &claims);
            assert!(verified_claims(&foreign, &set).is_err());
            let unknown = mint(&SigningKey::generate(algorithm), &Map::new(), &claims);
            assert_eq!(verified_claims(&unknown, &set), Err("no key of that `kid`".to_owned()));
            for changes in [json!({"exp": 1}), json!({"exp": null}), json!({"nbf": clock::now() + 60})] {
                let mut claims = claims.clone();
                claims.extend(object(changes));
                assert!(verified_claims(&mint(&key, &Map::new(), &claims), &set).is_err(), "{claims:?}");
            }
        }
    }
}
