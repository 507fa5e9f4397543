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

use super::faults::{self, Fault};
use super::request::TokenRequest;
use super::ring::Rotation;
use super::{Desk, locked};
use crate::error::BadRequest;

pub(super) fn router(desk: Arc<Desk>) -> Router {
    let mut router = Router::new()
        .route("/control/discovery", post(set_discovery))
        .route("/control/jwks", post(set_jwks))
        .route("/control/publish", post(publish))
        .route("/control/reset", post(reset))
        .route("/control/rotate", post(rotate))
        .route("/control/stats", get(stats))
        .merge(public());
    if let Some(path) = path_of(&desk.issuer) {
        router = router.nest(&path, public());
    }
    router.layer(middleware::from_fn_with_state(Arc::clone(&desk), count)).with_state(desk)
}

fn public() -> Router<Arc<Desk>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/token", get(token).post(token))
}

/// The path of an issuer URL, if it has one that can be routed to.
fn path_of(issuer: &str) -> Option<String> {
    let (_, rest) = issuer.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let path = path.trim_end_matches('/');
    let usable = !path.is_empty() && !path.contains(['{', '}', '?', '#']) && !path.starts_with("control");
    usable.then(|| format!("/{path}"))
}

async fn count(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with("/control/") {
        desk.count(path);
    }
    next.run(request).await
}

async fn discovery(State(desk): State<Arc<Desk>>) -> Response {
    let mode = locked(&desk.discovery).take();
    faults::answer(mode, desk.discovery_document(), desk.cache_control.as_deref()).await
}

async fn jwks(State(desk): State<Arc<Desk>>) -> Response {
    let mode = locked(&desk.jwks).take();
    let document = desk.ring().published();
    faults::answer(mode, document, desk.cache_control.as_deref()).await
}

async fn token(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery, body: Bytes) -> Result<String, BadRequest> {
    let request = TokenRequest::parse(&query.unwrap_or_default(), &body)?;
    tokio::task::block_in_place(|| desk.token(&request))
}

async fn rotate(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Result<Json<Value>, BadRequest> {
    let rotation: Rotation = serde_urlencoded::from_str(&query.unwrap_or_default())
        .map_err(|error| BadRequest::new(format!("query: {error}")))?;
    let kids = tokio::task::block_in_place(|| desk.rotate(rotation));
    Ok(Json(json!({ "kids": kids })))
}

async fn publish(State(desk): State<Arc<Desk>>) -> StatusCode {
    desk.ring().publish();
    StatusCode::NO_CONTENT
}

async fn set_jwks(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    desk.set_jwks(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_discovery(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    desk.set_discovery(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn stats(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(json!(desk.stats()))
}

async fn reset(State(desk): State<Arc<Desk>>) -> StatusCode {
    desk.reset();
    StatusCode::NO_CONTENT
}
