//! What the tests ask: does this key, or this set, verify this token?

use jose::Algorithm;
use jose::json::Document;
use jose::jwk::{Candidates, KeySet, Origin};
use jose::jws::EncodedToken;
use jose::signature::{CheckedBy, SignatureVerifier as _, Software};
use serde_json::{Value, json};

/// What a key's owner keeps to himself.
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// The set of one key, or the set that `jwk` is; without private members.
pub(crate) fn public_set(jwk: &Value) -> Value {
    let mut set = if jwk.get("keys").is_some() { jwk.clone() } else { json!({"keys": [jwk]}) };
    for key in set["keys"].as_array_mut().unwrap() {
        for member in PRIVATE {
            key.as_object_mut().unwrap().remove(member);
        }
    }
    set
}

pub(crate) fn key_set(jwk: &Value, origin: Origin) -> Result<KeySet, String> {
    KeySet::from_json(public_set(jwk).to_string().as_bytes(), 100, origin).map_err(|error| error.to_string())
}

/// Whether `jwk` makes `token` a verified one.
pub(crate) fn verify_token(token: &str, jwk: &Value, origin: Origin) -> Result<(), String> {
    let keys = key_set(jwk, origin)?;
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

/// Like [`verify_token`], for payloads that need not be claims, as the RFCs' examples have them.
pub(crate) fn verify_jws(jws: &str, jwk: &Value, origin: Origin) -> Result<(), String> {
    let keys = key_set(jwk, origin)?;
    let parts: Vec<_> = jws.split('.').collect();
    let [header, payload, signature] = parts[..] else { return Err("parts".into()) };
    let decode = |part: &str| jose::base64url::decode(part.as_bytes()).ok_or_else(|| String::from("base64url"));
    let (header_octets, _, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
    let document = Document::parse(&header_octets).map_err(|error| error.to_string())?;
    let header_json = document.root();
    if header_json.get("crit").is_some() || header_json.get("b64").is_some() {
        return Err("extensions".into());
    }
    let algorithm = header_json.get("alg").and_then(jose::json::Value::as_str).and_then(Algorithm::from_name);
    let algorithm = algorithm.ok_or("unsupported algorithm")?;
    let kid = header_json.get("kid").and_then(jose::json::Value::as_str);
    let input = format!("{header}.{payload}");
    match keys.candidates(kid, algorithm, CheckedBy::Module) {
        Candidates::Keys(keys) => {
            let fits = keys.iter().any(|key| Software.verify(key.material(), algorithm, input.as_bytes(), &signature));
            if fits { Ok(()) } else { Err("signature".into()) }
        }
        other => Err(format!("{other:?}")),
    }
}
