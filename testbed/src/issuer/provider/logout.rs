//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse as _, Response};

use super::parameters::Parameters;
use super::refusal::Refusal;
use crate::issuer::shared::Shared;
use crate::locked::locked;

/// Nobody has a session here that could end, so this goes on to where the client asks for, or says that it is over.
pub(super) async fn asked(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes())?;
    // `state` is the client's to check here, and guards nothing.
    if let Some(token) = parameters.get("id_token_hint") {
        locked(&shared.provider.ledger).note_secret("id_token_hint", token);
    }
    let is_known = parameters.get("id_token_hint").is_some()
        || parameters.get("client_id").is_some_and(|id| shared.provider.client(id).is_some());
    let Some(uri) = parameters.get("post_logout_redirect_uri").filter(|_| is_known) else {
        return Ok(
            Html("<!doctype html>\n<title>Logged out</title>\n<h1>Logged out at the testbed</h1>\n").into_response()
        );
    };
    let state = parameters.get("state").map(|state| [("state", state)]);
    let query = state.and_then(|state| serde_urlencoded::to_string(state).ok());
    let location = query.map_or_else(|| uri.to_owned(), |query| format!("{uri}?{query}"));
    Ok((StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response())
}
