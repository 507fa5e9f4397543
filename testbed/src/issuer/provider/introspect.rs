//! What tokens say that only the issuer can read: to who may ask (RFC 7662), and to their bearer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::state::authorization;
use crate::clock;
use crate::faults;
use crate::issuer::shared::Shared;
use crate::locked::locked;
use crate::mint::{merge, object};

/// The introspection endpoint: a client authenticates, and learns what a token is good for.
pub(super) async fn asked(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mode = locked(&shared.provider.introspection).take();
    if mode.comes_first() {
        return Ok(faults::answer(mode, Value::Null, Some("no-store")).await);
    }
    let parameters = shared.provider.parameters(&headers, &body)?;
    let audiences = [shared.issuer.clone(), shared.endpoint("oauth/token"), shared.endpoint("oauth/introspect")];
    let authenticated = shared.provider.authenticate(&headers, &parameters, &audiences);
    if let Err(refusal) = authenticated {
        locked(&shared.provider.ledger).count_refused("introspection");
        return Err(refusal);
    }
    let document = match active(&shared, parameters.required("token")?) {
        Some(claims) => merge(object(json!({"active": true})), &claims),
        None => object(json!({"active": false})),
    };
    let document = merge(document, &shared.provider.behaviour().flaws.introspection);
    locked(&shared.provider.ledger).count_granted("introspection");
    Ok(faults::answer(mode, Value::Object(document), Some("no-store")).await)
}

/// What Gafaelfawr tells the bearer of a token at this path, and others at others: the claims, or 401.
pub(super) async fn own(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let mode = locked(&shared.provider.introspection).take();
    if mode.comes_first() {
        return Ok(faults::answer(mode, Value::Null, Some("no-store")).await);
    }
    let refusal = Refusal::new(401, "invalid_token");
    let token = authorization(&headers).and_then(|value| value.strip_prefix("Bearer ")).ok_or(refusal)?;
    let Some(claims) = active(&shared, token) else {
        locked(&shared.provider.ledger).count_refused("introspection");
        return Err(refusal);
    };
    let document = merge(claims, &shared.provider.behaviour().flaws.introspection);
    locked(&shared.provider.ledger).count_granted("introspection");
    Ok(faults::answer(mode, Value::Object(document), Some("no-store")).await)
}

/// The claims of a token that is good.
pub(super) fn active(shared: &Shared, token: &str) -> Option<Map<String, Value>> {
    let claims = locked(&shared.provider.grants).claims(token)?;
    let has_expired = claims.get("exp").and_then(Value::as_i64).is_some_and(|end| end <= clock::now());
    (!has_expired).then_some(claims)
}
