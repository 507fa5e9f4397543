//! The token endpoint (RFC 6749 §3.2).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::exchange;
use super::parameters::Parameters;
use super::refusal::Refusal;
use super::tokens::{self, Occasion};
use crate::clock;
use crate::encoding::base64url;
use crate::faults;
use crate::issuer::shared::Shared;
use crate::locked::locked;

pub(super) async fn asked(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let is_exchange = Parameters::read(&body).is_ok_and(|sent| sent.get("grant_type") == Some(exchange::GRANT));
    let slot = if is_exchange { &shared.provider.exchange } else { &shared.provider.token };
    let mode = locked(slot).take();
    if mode.comes_first() {
        return Ok(faults::answer(mode, Value::Null, Some("no-store")).await);
    }
    let parameters = shared.provider.parameters(&headers, &body)?;
    let document = tokio::task::block_in_place(|| answer(&shared, &headers, &parameters));
    let grant = parameters.get("grant_type").unwrap_or_default();
    match document {
        Ok(document) => {
            locked(&shared.provider.ledger).count_granted(grant);
            Ok(faults::answer(mode, document, Some("no-store")).await)
        }
        Err(refusal) => {
            locked(&shared.provider.ledger).count_refused(grant);
            Err(refusal)
        }
    }
}

fn answer(shared: &Shared, headers: &HeaderMap, parameters: &Parameters) -> Result<Value, Refusal> {
    let audiences = [shared.issuer.clone(), shared.endpoint("oauth/token")];
    let client = shared.provider.authenticate(headers, parameters, &audiences)?;
    match parameters.required("grant_type")? {
        "authorization_code" => for_code(shared, &client, parameters),
        "refresh_token" => for_refresh_token(shared, &client, parameters),
        exchange::GRANT => {
            locked(&shared.provider.ledger).note_exchange(parameters);
            exchange::response(shared, &client, parameters)
        }
        _ => Err(Refusal::new(400, "unsupported_grant_type")),
    }
}

fn for_code(shared: &Shared, client: &str, parameters: &Parameters) -> Result<Value, Refusal> {
    let verifier = parameters.required("code_verifier")?;
    let challenge = base64url(Sha256::digest(verifier));
    let (code, redirect_uri) = (parameters.required("code")?, parameters.required("redirect_uri")?);
    let claimed = (client, redirect_uri, challenge.as_str());
    let (login, grant) = locked(&shared.provider.grants).redeem(code, claimed, clock::elapsed())?;
    Ok(tokens::response(shared, login, &grant, Occasion::Code))
}

fn for_refresh_token(shared: &Shared, client: &str, parameters: &Parameters) -> Result<Value, Refusal> {
    let token = parameters.required("refresh_token")?;
    let behaviour = shared.provider.behaviour();
    let (login, grant) = locked(&shared.provider.grants).refresh(token, client, &behaviour, clock::elapsed())?;
    Ok(tokens::response(shared, login, &grant, Occasion::Refresh))
}
