//! GitHub as far as people log in with it: OAuth 2.0 without an ID token, and three resources of its API.
//!
//! | path | answer |
//! | --- | --- |
//! | `GET /login/oauth/authorize` | back to the client with a code, without a page |
//! | `POST /login/oauth/access_token` | a token, as a form unless JSON is asked for; errors have status 200 |
//! | `GET /api/v3/user`, `/user/emails`, `/user/teams` | who the token is for |
//!
//! | module | subject |
//! | --- | --- |
//! | `person` | who logs in, and what the API says of them |

mod person;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use self::person::Person;

use crate::encoding::base64url;
use crate::keys::random;
use crate::locked::locked;
use crate::server::Background;

type Parameters = BTreeMap<String, String>;

/// The app that people log in to.
#[derive(Clone, Debug)]
pub struct App {
    /// `client_id`.
    pub id: String,
    /// `client_secret`, which may come in the form or as Basic.
    pub secret: String,
    /// The callback URL: what `redirect_uri` has to begin with.
    pub callback: String,
}

/// A running GitHub; it stops when dropped.
#[derive(Debug)]
pub struct GitHub {
    shared: Arc<Shared>,
    server: Background,
}

#[derive(Debug)]
struct Shared {
    app: App,
    person: Mutex<Person>,
    /// Requests for codes, by their code. A code is good once.
    codes: Mutex<BTreeMap<String, Parameters>>,
    /// The scopes of each token.
    tokens: Mutex<BTreeMap<String, String>>,
    secrets: Mutex<Vec<(String, String)>>,
}

impl GitHub {
    /// Starts to listen on a free port. `person` is who logs in.
    pub fn start(app: App, person: Person) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            person: Mutex::new(person),
            codes: Mutex::default(),
            tokens: Mutex::default(),
            secrets: Mutex::new(vec![("client_secret".to_owned(), app.secret.clone())]),
            app,
        });
        let server = Background::start(0, |_| router(Arc::clone(&shared)))?;
        Ok(Self { shared, server })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Sets who logs in, and what the API says, from now on.
    pub fn set_person(&self, person: Person) {
        *locked(&self.shared.person) = person;
    }

    /// All that was used since the start and must stay secret: names and values.
    pub fn secrets(&self) -> Vec<(String, String)> {
        locked(&self.shared.secrets).clone()
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/login/oauth/authorize", get(authorized))
        .route("/login/oauth/access_token", post(redeemed))
        .route("/api/v3/user", get(user))
        .route("/api/v3/user/emails", get(emails))
        .route("/api/v3/user/teams", get(teams))
        .with_state(shared)
}

async fn authorized(State(shared): State<Arc<Shared>>, Query(asked): Query<Parameters>) -> Response {
    let of = |name: &str| asked.get(name).map_or("", String::as_str);
    let returns = of("redirect_uri").to_owned();
    if of("client_id") != shared.app.id || !returns.starts_with(&shared.app.callback) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let code = shared.new_secret("code");
    let pairs = [("code", code.as_str()), ("state", of("state"))];
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    locked(&shared.codes).insert(code, asked);
    (StatusCode::FOUND, [(LOCATION, format!("{returns}?{query}"))]).into_response()
}

async fn redeemed(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let sent: Parameters = serde_urlencoded::from_bytes(&body).unwrap_or_default();
    let answer = shared.redeem(&headers, &sent);
    if text(&headers, ACCEPT.as_str()).contains("json") {
        return json_response(StatusCode::OK, &answer);
    }
    let pairs: Vec<_> = answer.as_object().into_iter().flatten().map(|(name, value)| (name, value.as_str())).collect();
    let form = serde_urlencoded::to_string(pairs).unwrap_or_default();
    ([(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")], form).into_response()
}

async fn user(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match shared.bearer(&headers) {
        Ok(_) => json_response(StatusCode::OK, &locked(&shared.person).user()),
        Err(refusal) => refusal.into_response(),
    }
}

async fn emails(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match shared.bearer(&headers) {
        Ok(scopes) if has(&scopes, &["user:email", "user"]) => {
            json_response(StatusCode::OK, &locked(&shared.person).addresses())
        }
        Ok(_) => not_found(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn teams(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(asked): Query<Parameters>) -> Response {
    match shared.bearer(&headers) {
        Ok(scopes) if has(&scopes, &["read:org", "write:org", "admin:org"]) => {
            let number = |name: &str, default| asked.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
            locked(&shared.person).teams(number("page", 1), number("per_page", 30))
        }
        Ok(_) => json_response(StatusCode::FORBIDDEN, &json!({"message": "Must have read:org"})),
        Err(refusal) => refusal.into_response(),
    }
}

impl Shared {
    fn new_secret(&self, name: &str) -> String {
        let secret = format!("gho_{}", base64url(random::<24>()));
        locked(&self.secrets).push((name.to_owned(), secret.clone()));
        secret
    }

    /// What a code is worth. Errors are members of an answer like any other.
    fn redeem(&self, headers: &HeaderMap, sent: &Parameters) -> Value {
        let of = |name: &str| sent.get(name).map_or("", String::as_str);
        let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", self.app.id, self.app.secret)));
        let in_form = of("client_id") == self.app.id && of("client_secret") == self.app.secret;
        if !in_form && text(headers, AUTHORIZATION.as_str()) != basic {
            return error("incorrect_client_credentials");
        }
        let Some(asked) = locked(&self.codes).remove(of("code")) else { return error("bad_verification_code") };
        let was = |name: &str| asked.get(name).map_or("", String::as_str);
        if of("redirect_uri") != was("redirect_uri") {
            return error("redirect_uri_mismatch");
        }
        if base64url(Sha256::digest(of("code_verifier"))) != was("code_challenge") {
            return error("bad_verification_code");
        }
        let token = self.new_secret("access_token");
        let scopes = was("scope").replace(' ', ",");
        locked(&self.tokens).insert(token.clone(), scopes.clone());
        json!({"access_token": token, "scope": scopes, "token_type": "bearer"})
    }

    /// The scopes of the token that a request has.
    fn bearer(&self, headers: &HeaderMap) -> Result<String, (StatusCode, &'static str)> {
        if text(headers, USER_AGENT.as_str()).is_empty() {
            return Err((StatusCode::FORBIDDEN, "Request forbidden by administrative rules."));
        }
        let scopes = text(headers, AUTHORIZATION.as_str())
            .strip_prefix("Bearer ")
            .and_then(|token| locked(&self.tokens).get(token).cloned());
        scopes.ok_or((StatusCode::UNAUTHORIZED, r#"{"message": "Bad credentials"}"#))
    }
}

fn has(scopes: &str, wanted: &[&str]) -> bool {
    scopes.split(',').any(|scope| wanted.contains(&scope))
}

fn error(code: &str) -> Value {
    json!({"error": code, "error_description": "It is as the code says.", "error_uri": "https://docs.example.com/"})
}

fn not_found() -> Response {
    json_response(StatusCode::NOT_FOUND, &json!({"message": "Not Found"}))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
