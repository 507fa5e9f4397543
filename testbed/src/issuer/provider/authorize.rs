//! The authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::behaviour::Behaviour;
use super::grants::Grant;
use super::parameters::Parameters;
use super::refusal::Refusal;
use crate::clock;
use crate::issuer::shared::Shared;
use crate::locked::locked;
use crate::mint::{merge, object};

/// A request from the client, by way of the browser.
pub(super) async fn asked(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let query = query.unwrap_or_default();
    let parameters = Parameters::read(query.as_bytes())?;
    let grant = grant(&shared, &parameters)?;
    if shared.provider.behaviour().page {
        return Ok(page(&parameters));
    }
    Ok(send_back(&shared, grant, &parameters))
}

/// The same from the page.
pub(super) async fn submitted(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Response, Refusal> {
    let parameters = Parameters::read(&body)?;
    let grant = grant(&shared, &parameters)?;
    Ok(send_back(&shared, grant, &parameters))
}

/// What is asked for. PKCE is required (RFC 9700 §2.1.1).
fn grant(shared: &Shared, parameters: &Parameters) -> Result<Grant, Refusal> {
    let invalid = Refusal::new(400, "invalid_request");
    locked(&shared.provider.ledger).note(parameters);
    let client = shared.provider.client(parameters.required("client_id")?).ok_or(invalid)?;
    let redirect_uri = parameters.required("redirect_uri")?.to_owned();
    let challenge = parameters.required("code_challenge")?.to_owned();
    let scope = parameters.required("scope")?.to_owned();
    let is_fine = client.may_return_to(&redirect_uri)
        && parameters.required("response_type")? == "code"
        && parameters.required("code_challenge_method")? == "S256"
        && challenge.len() == 43
        && scope.split(' ').any(|scope| scope == "openid");
    if !is_fine {
        return Err(invalid);
    }
    let user = user(&shared.provider.behaviour(), parameters.get("login_hint"));
    let nonce = parameters.get("nonce").map(str::to_owned);
    Ok(Grant { client: client.id, redirect_uri, challenge, nonce, scope, user, at: clock::elapsed() })
}

fn user(behaviour: &Behaviour, name: Option<&str>) -> Map<String, Value> {
    let alice = object(json!({"sub": "alice", "email": "alice@example.com", "email_verified": true}));
    let mut user = merge(alice, &behaviour.user);
    if let Some(name) = name {
        user.insert("sub".into(), name.into());
    }
    user
}

/// To the callback, with a code (RFC 6749 §4.1.2, RFC 9207 §2).
fn send_back(shared: &Shared, grant: Grant, parameters: &Parameters) -> Response {
    let flaws = shared.provider.behaviour().flaws.callback;
    let redirect_uri = grant.redirect_uri.clone();
    let code = locked(&shared.provider.grants).add_code(grant);
    locked(&shared.provider.ledger).note_secret("code", &code);
    let sent = object(json!({"code": code, "state": parameters.get("state"), "iss": shared.issuer}));
    let sent = merge(sent, &flaws);
    let pairs: Vec<(&str, &str)> = sent.iter().flat_map(|(name, value)| texts(name, value)).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = format!("{redirect_uri}{separator}{query}");
    (StatusCode::SEE_OTHER, [(LOCATION, location), (CACHE_CONTROL, "no-store".into())]).into_response()
}

/// A parameter as often as it has values.
fn texts<'a>(name: &'a str, value: &'a Value) -> Vec<(&'a str, &'a str)> {
    let values = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    values.iter().filter_map(|value| Some((name, value.as_str()?))).collect()
}

fn page(parameters: &Parameters) -> Response {
    let field = |(name, value): (&str, &str)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escaped(name), escaped(value))
    };
    let fields: String = parameters.iter().filter(|(name, _)| *name != "login_hint").map(field).collect();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<title>Log in</title>\n<h1>Log in at the testbed</h1>\n\
         <form method=\"post\" action=\"\">\n{fields}<label>Name <input name=\"login_hint\" required autofocus></label>\n\
         <button>Log in</button>\n</form>\n"
    );
    Html(page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
