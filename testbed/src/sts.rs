//! AWS as far as a dashboard of an EKS cluster needs it: the security token service, and the authenticator of a cluster.
//!
//! | path | answer |
//! | --- | --- |
//! | `POST /` | `AssumeRoleWithWebIdentity`: credentials for a role, for a good ID token of the issuer |
//! | `GET /authenticate?cluster=NAME` | who the bearer of a `k8s-aws-v1.` token is, or 401 and why not |
//! | `POST /control/sts` | how `POST /` fails from now on, see [`Fault`] |
//!
//! | module | subject |
//! | --- | --- |
//! | `assume` | the request, and what is checked in it |
//! | `answers` | its answers, and what may be wrong with them |
//! | `trust` | the issuer whose ID tokens are good |
//! | `authenticator` | the rules of aws-iam-authenticator for a token |
//! | `signature` | signatures of presigned requests (`SigV4`) |

mod answers;
mod assume;
mod authenticator;
mod options;
mod signature;
mod trust;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

pub use self::answers::Flaw;
pub use self::assume::Credentials;
pub use self::authenticator::Identity;
pub use self::options::Options;

use crate::error::BadRequest;
use crate::faults::{self, Fault, Slot};
use crate::locked::locked;
use crate::server::Background;

/// A running security token service; it stops when dropped.
#[derive(Debug)]
pub struct Sts {
    shared: Arc<Shared>,
    server: Background,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    fault: Mutex<Slot>,
    flaw: Mutex<Flaw>,
    /// All that were given out, by their access key.
    issued: Mutex<BTreeMap<String, Credentials>>,
    requests: Mutex<Vec<BTreeMap<String, String>>>,
}

impl Sts {
    /// Starts to listen.
    pub fn start(options: Options) -> io::Result<Self> {
        let port = options.port;
        let shared = Arc::new(Shared {
            options,
            fault: Mutex::default(),
            flaw: Mutex::default(),
            issued: Mutex::default(),
            requests: Mutex::default(),
        });
        let server = Background::start(port, |_| router(Arc::clone(&shared)))?;
        Ok(Self { shared, server })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Sets how it fails from now on.
    pub fn set_fault(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.shared.fault) = Slot::for_endpoint(fault)?;
        Ok(())
    }

    /// Sets what is wrong with its answers from now on.
    pub fn set_flaw(&self, flaw: Flaw) {
        *locked(&self.shared.flaw) = flaw;
    }

    /// The parameters of all requests that were read.
    pub fn requests(&self) -> Vec<BTreeMap<String, String>> {
        locked(&self.shared.requests).clone()
    }

    /// What it has given out.
    pub fn issued(&self) -> Vec<Credentials> {
        locked(&self.shared.issued).values().cloned().collect()
    }

    /// Who the bearer of a token for that cluster is, or why it is not good.
    pub fn authenticate(&self, token: &str, cluster: &str) -> Result<Identity, String> {
        self.shared.authenticate(token, cluster)
    }

    /// All that was used since the start and must stay secret: names and values.
    pub fn secrets(&self) -> Vec<(String, String)> {
        let secret = |credentials: Credentials| {
            [("SecretAccessKey", credentials.secret_key), ("SessionToken", credentials.session_token)]
        };
        let issued = self.issued().into_iter().flat_map(secret);
        let mut secrets: Vec<_> = issued.map(|(name, value)| (name.to_owned(), value)).collect();
        let tokens = self.requests().into_iter().filter_map(|mut sent| sent.remove("WebIdentityToken"));
        secrets.extend(tokens.map(|token| ("WebIdentityToken".to_owned(), token)));
        secrets
    }
}

impl Shared {
    fn authenticate(&self, token: &str, cluster: &str) -> Result<Identity, String> {
        authenticator::authenticate(token, cluster, &locked(&self.issued))
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", post(assumed))
        .route("/authenticate", get(authenticated))
        .route("/control/sts", post(set_fault))
        .with_state(shared)
}

async fn assumed(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let mode = locked(&shared.fault).take();
    if mode.comes_first() {
        return faults::answer(mode, Value::Null, None).await;
    }
    let answer = match assume::read(&headers, &body) {
        Ok(request) => {
            locked(&shared.requests).push(request.parameters.clone());
            assume::assume(&shared.options, &request).await
        }
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok(credentials) => {
            let flaw = *locked(&shared.flaw);
            let text = answers::assumed(&credentials, flaw);
            locked(&shared.issued).insert(credentials.access_key.clone(), credentials);
            faults::answer_text(mode, text, "text/xml").await
        }
        Err(refusal) => answers::refused(&refusal),
    }
}

async fn authenticated(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query: BTreeMap<String, String> = serde_urlencoded::from_str(&query.unwrap_or_default()).unwrap_or_default();
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    match shared.authenticate(token, query.get("cluster").map_or("", String::as_str)) {
        Ok(identity) => Json(json!({"arn": identity.arn, "account": identity.account})).into_response(),
        Err(why) => (StatusCode::UNAUTHORIZED, format!("{why}\n")).into_response(),
    }
}

async fn set_fault(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<StatusCode, BadRequest> {
    *locked(&shared.fault) = Slot::for_endpoint(Fault::parse(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests;
