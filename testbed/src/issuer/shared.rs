//! What the handlers of an issuer and its owner share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use serde_json::{Map, Value, json};

use super::provider::client::Client;
use super::provider::state::Provider;
use super::request::TokenRequest;
use super::ring::{Ring, Rotation};
use crate::clock;
use crate::error::BadRequest;
use crate::faults::{Fault, Slot};
use crate::flaws::mint_flawed;
use crate::keys::{Algorithm, SigningKey};
use crate::locked::locked;
use crate::mint::{merge, object, usual_claims};

/// The paths that are counted, at most: a scanner must not fill the memory.
const COUNTED_PATHS: usize = 1000;

/// How an issuer is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The `iss` of tokens; by default the URL where the issuer listens.
    pub issuer: Option<String>,
    /// One key is made for each; the first signs when a token request names none.
    pub algorithms: Vec<Algorithm>,
    /// The `aud` of tokens that ask for no other.
    pub audience: String,
    /// The `Cache-Control` of the key set and the discovery document.
    pub cache_control: Option<String>,
    /// The clients that may log people in; any, if there are none.
    pub clients: Vec<Client>,
    /// Members of the discovery document, which replace the usual ones; null removes one.
    pub metadata: Map<String, Value>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            issuer: None,
            algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
            audience: "demo".into(),
            cache_control: None,
            clients: Vec::new(),
            metadata: Map::new(),
        }
    }
}

/// What the handlers and [`Issuer`] share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) issuer: String,
    audience: String,
    pub(super) cache_control: Option<String>,
    metadata: Map<String, Value>,
    pub(super) provider: Provider,
    minted: AtomicU64,
    ring: Mutex<Ring>,
    pub(super) jwks: Mutex<Slot>,
    pub(super) discovery: Mutex<Slot>,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Shared {
    pub(super) fn new(options: Options, address: SocketAddr) -> Self {
        Self {
            issuer: options.issuer.unwrap_or_else(|| format!("http://{address}")),
            audience: options.audience,
            cache_control: options.cache_control,
            metadata: options.metadata,
            provider: Provider::new(options.clients),
            minted: AtomicU64::new(0),
            ring: Mutex::new(Ring::new(&options.algorithms)),
            jwks: Mutex::default(),
            discovery: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    pub(super) fn token(&self, request: &TokenRequest) -> Result<String, BadRequest> {
        if let Some(prefix) = &request.opaque {
            let token = locked(&self.provider.grants).add_opaque(prefix, self.claims(request));
            locked(&self.provider.ledger).note_secret("token", &token);
            return Ok(token);
        }
        let key = self.ring().signing_key(request.alg.as_deref())?;
        let mut header = Map::new();
        for (name, value) in [("kid", &request.kid), ("typ", &request.typ)] {
            if let Some(value) = value {
                header.insert(name.into(), value.as_str().into());
            }
        }
        let header = merge(header, &request.header);
        mint_flawed(request.flaw, &key, &header, &self.claims(request))
    }

    fn claims(&self, request: &TokenRequest) -> Map<String, Value> {
        let subject = request.sub.as_deref().unwrap_or("alice");
        let mut claims = self.usual_claims(&self.audience, subject, request.lifetime.unwrap_or(600));
        match request.aud.as_deref() {
            None => {}
            Some([one]) => drop(claims.insert("aud".into(), one.as_str().into())),
            Some(several) => drop(claims.insert("aud".into(), several.into())),
        }
        if let Some(scope) = &request.scope {
            claims.insert("scope".into(), scope.as_str().into());
        }
        if let Some(groups) = &request.groups {
            claims.insert("groups".into(), groups.as_slice().into());
        }
        merge(claims, &request.claims)
    }

    /// The claims of a token that is valid from now for `lifetime` seconds. Two tokens are never the same text, even
    /// within one second.
    pub(super) fn usual_claims(&self, audience: &str, subject: &str, lifetime: i64) -> Map<String, Value> {
        let mut claims = usual_claims(&self.issuer, audience, subject, clock::now(), lifetime);
        claims.insert("jti".into(), format!("{}", self.minted.fetch_add(1, Ordering::Relaxed)).into());
        claims
    }

    /// The URI of an endpoint.
    pub(super) fn endpoint(&self, path: &str) -> String {
        format!("{}/{path}", self.issuer.strip_suffix('/').unwrap_or(&self.issuer))
    }

    pub(super) fn discovery_document(&self) -> Value {
        let algorithms: Vec<&str> = self.ring().signing().iter().map(|key| key.algorithm().name()).collect();
        let document = object(json!({
            "issuer": self.issuer,
            "authorization_endpoint": self.endpoint("authorize"),
            "token_endpoint": self.endpoint("oauth/token"),
            "userinfo_endpoint": self.endpoint("userinfo"),
            "introspection_endpoint": self.endpoint("oauth/introspect"),
            "revocation_endpoint": self.endpoint("oauth/revoke"),
            "end_session_endpoint": self.endpoint("logout"),
            "jwks_uri": self.endpoint("jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        }));
        Value::Object(merge(document, &self.metadata))
    }

    pub(super) fn rotate(&self, rotation: Rotation) -> Vec<String> {
        let algorithms: Vec<Algorithm> = self.ring().signing().iter().map(SigningKey::algorithm).collect();
        // RSA keys take their time: the lock is free meanwhile.
        let keys: Vec<SigningKey> = algorithms.into_iter().map(SigningKey::generate).collect();
        let kids = keys.iter().map(|key| key.kid().to_owned()).collect();
        self.ring().rotate(keys, rotation);
        kids
    }

    pub(super) fn set_jwks(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.jwks) = Slot::for_jwks(fault)?;
        Ok(())
    }

    pub(super) fn set_discovery(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.discovery) = Slot::for_discovery(fault)?;
        Ok(())
    }

    pub(super) fn count(&self, path: &str) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(path) {
            *count += 1;
        } else if counts.len() < COUNTED_PATHS {
            counts.insert(path.to_owned(), 1);
        }
    }

    pub(super) fn stats(&self) -> BTreeMap<String, u64> {
        self.counts().clone()
    }

    pub(super) fn reset(&self) {
        *locked(&self.jwks) = Slot::default();
        *locked(&self.discovery) = Slot::default();
        self.provider.reset();
        self.counts().clear();
    }

    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        locked(&self.ring)
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        locked(&self.counts)
    }
}
