//! The revocation endpoint (RFC 7009).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::faults;
use crate::issuer::shared::Shared;
use crate::locked::locked;

pub(super) async fn asked(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mode = locked(&shared.provider.revocation).take();
    if mode.comes_first() {
        return Ok(faults::answer(mode, Value::Null, Some("no-store")).await);
    }
    let parameters = shared.provider.parameters(&headers, &body)?;
    let audiences = [shared.issuer.clone(), shared.endpoint("oauth/token"), shared.endpoint("oauth/revoke")];
    shared.provider.authenticate(&headers, &parameters, &audiences)?;
    locked(&shared.provider.grants).revoke(parameters.required("token")?);
    locked(&shared.provider.ledger).count_granted("revocation");
    Ok(faults::answer(mode, json!({}), Some("no-store")).await)
}
