//! The userinfo endpoint (OpenID Connect Core 1.0 §5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

use super::refusal::Refusal;
use super::state::authorization;
use crate::faults;
use crate::issuer::shared::Shared;
use crate::locked::locked;
use crate::mint::merge;

pub(super) async fn asked(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let mode = locked(&shared.provider.userinfo).take();
    if mode.comes_first() {
        return Ok(faults::answer(mode, Value::Null, Some("no-store")).await);
    }
    let refusal = Refusal::new(401, "invalid_token");
    let token = authorization(&headers).and_then(|value| value.strip_prefix("Bearer ")).ok_or(refusal)?;
    let user = locked(&shared.provider.grants).user(token).cloned().ok_or(refusal)?;
    let user = merge(user, &shared.provider.behaviour().flaws.userinfo);
    Ok(faults::answer(mode, Value::Object(user), Some("no-store")).await)
}
