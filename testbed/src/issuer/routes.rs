//! The issuer's HTTP surface.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::provider::{self, behaviour::Behaviour};
use super::request::TokenRequest;
use super::ring::Rotation;
use super::shared::Shared;
use crate::error::BadRequest;
use crate::faults::{self, Fault, Slot};
use crate::locked::locked;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/control/discovery", post(set_discovery))
        .route("/control/exchange", post(set_exchange))
        .route("/control/introspection", post(set_introspection))
        .route("/control/jwks", post(set_jwks))
        .route("/control/provider", post(set_behaviour))
        .route("/control/publish", post(publish))
        .route("/control/reset", post(reset))
        .route("/control/revoke", post(revoke))
        .route("/control/rotate", post(rotate))
        .route("/control/stats", get(stats))
        .merge(public());
    if let Some(path) = path_of(&shared.issuer) {
        router = router.nest(&path, public());
    }
    router.layer(middleware::from_fn_with_state(Arc::clone(&shared), count)).with_state(shared)
}

fn public() -> Router<Arc<Shared>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/token", get(token).post(token))
        .merge(provider::router())
}

/// The path of an issuer URL, if it has one that can be routed to.
fn path_of(issuer: &str) -> Option<String> {
    let (_, rest) = issuer.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let path = path.trim_end_matches('/');
    let usable = !path.is_empty() && !path.contains(['{', '}', '?', '#']) && !path.starts_with("control");
    usable.then(|| format!("/{path}"))
}

async fn count(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with("/control/") {
        shared.count(path);
    }
    next.run(request).await
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Response {
    let mode = locked(&shared.discovery).take();
    faults::answer(mode, shared.discovery_document(), shared.cache_control.as_deref()).await
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    let mode = locked(&shared.jwks).take();
    let document = shared.ring().published();
    faults::answer(mode, document, shared.cache_control.as_deref()).await
}

async fn token(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<String, BadRequest> {
    let request = TokenRequest::parse(&query.unwrap_or_default(), &body)?;
    tokio::task::block_in_place(|| shared.token(&request))
}

async fn rotate(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Result<Json<Value>, BadRequest> {
    let rotation: Rotation = serde_urlencoded::from_str(&query.unwrap_or_default())
        .map_err(|error| BadRequest::new(format!("query: {error}")))?;
    let kids = tokio::task::block_in_place(|| shared.rotate(rotation));
    Ok(Json(json!({ "kids": kids })))
}

async fn publish(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.ring().publish();
    StatusCode::NO_CONTENT
}

async fn set_jwks(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    shared.set_jwks(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_discovery(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    shared.set_discovery(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_exchange(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    *locked(&shared.provider.exchange) = Slot::for_endpoint(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_introspection(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    *locked(&shared.provider.introspection) = Slot::for_endpoint(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke(State(shared): State<Arc<Shared>>, token: String) -> StatusCode {
    locked(&shared.provider.grants).revoke(token.trim());
    StatusCode::NO_CONTENT
}

async fn set_behaviour(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    let behaviour: Behaviour =
        serde_json::from_slice(&body).map_err(|error| BadRequest::new(format!("body: {error}")))?;
    shared.provider.set_behaviour(behaviour);
    Ok(StatusCode::NO_CONTENT)
}

async fn stats(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.stats()))
}

async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}
