//! Token exchange (RFC 8693): a token for another audience. Every parameter is checked.

use serde_json::{Value, json};

use super::introspect;
use super::parameters::Parameters;
use super::refusal::Refusal;
use crate::issuer::request::TokenRequest;
use crate::issuer::shared::Shared;
use crate::locked::locked;
use crate::mint::{merge, object};
use crate::verify::verified_claims;

/// The grant type (RFC 8693 §2.1).
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What token types begin with (RFC 8693 §3).
const TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:";

/// The parameters that there are; those of an actor are not among them.
const PARAMETERS: [&str; 11] = [
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "requested_token_type",
    "resource",
    "scope",
    "subject_token",
    "subject_token_type",
];

pub(super) fn response(shared: &Shared, client: &str, parameters: &Parameters) -> Result<Value, Refusal> {
    let invalid = Refusal::new(400, "invalid_request");
    if parameters.iter().any(|(name, _)| !PARAMETERS.contains(&name)) {
        return Err(invalid);
    }
    let requested = token_type(parameters.get("requested_token_type").unwrap_or(ACCESS_TOKEN))?;
    let subject = subject(shared, parameters).ok_or(invalid)?;
    let (audiences, resources) = (parameters.all("audience"), parameters.all("resource"));
    if resources.iter().any(|resource| !resource.contains("://") || resource.contains('#')) {
        return Err(Refusal::new(400, "invalid_target"));
    }
    let behaviour = shared.provider.behaviour();
    let targets = if audiences.is_empty() { resources } else { audiences };
    let request = TokenRequest {
        sub: Some(subject),
        scope: parameters.get("scope").map(str::to_owned),
        aud: (!targets.is_empty()).then(|| targets.to_vec()),
        lifetime: Some(behaviour.lifetime),
        claims: object(json!({"act": {"sub": client}})),
        ..TokenRequest::default()
    };
    let token = shared.token(&request).map_err(|_| invalid)?;
    locked(&shared.provider.ledger).note_secret("access_token", &token);
    let usual = object(json!({
        "access_token": token,
        "issued_token_type": format!("{TOKEN_TYPE}{requested}"),
        "token_type": if requested == "access_token" { "Bearer" } else { "N_A" },
        "expires_in": behaviour.lifetime,
    }));
    Ok(Value::Object(merge(usual, &behaviour.flaws.exchange)))
}

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// One of the types that are JWTs here.
fn token_type(uri: &str) -> Result<&str, Refusal> {
    let name = uri.strip_prefix(TOKEN_TYPE).filter(|name| matches!(*name, "access_token" | "id_token" | "jwt"));
    name.ok_or_else(|| Refusal::new(400, "invalid_request"))
}

/// Whose token it is, if it is one of this issuer.
fn subject(shared: &Shared, parameters: &Parameters) -> Option<String> {
    let token = parameters.get("subject_token")?;
    let kind = token_type(parameters.get("subject_token_type")?).ok()?;
    let claims = match introspect::active(shared, token) {
        Some(claims) if kind == "access_token" => claims,
        Some(_) => return None,
        None => {
            let key_set = shared.ring().published();
            let claims = verified_claims(token, &key_set).ok()?;
            claims.get("iss").is_some_and(|own| *own == shared.issuer).then_some(claims)?
        }
    };
    claims.get("sub")?.as_str().map(str::to_owned)
}
