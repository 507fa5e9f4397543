//! An issuer that mints any token for anybody, and whose key set and discovery document can fail in every
//! way that the gate has to survive.
//!
//! | path | answer |
//! | --- | --- |
//! | `GET /.well-known/openid-configuration` | the discovery document |
//! | `GET /jwks` | the public keys |
//! | `GET` or `POST /token` | a token, see [`TokenRequest`] |
//! | `/authorize`, `/oauth/token`, `/userinfo`, `/oauth/revoke`, `/logout` | an OpenID provider, at which anybody logs in |
//! | `/oauth/introspect`, `/auth/api/v1/token-info` | what tokens say that are no JWTs: to a client (RFC 7662), and to their bearer, as Gafaelfawr's server does |
//! | `POST /control/revoke` | ends the token in the body |
//! | `POST /control/provider` | how the provider behaves, see [`Behaviour`] |
//! | `POST /control/rotate` | new keys, see [`Rotation`]; answers their `kid`s |
//! | `POST /control/publish` | publishes keys that were rotated with `publish=false` |
//! | `POST /control/jwks`, `/control/discovery`, `/control/exchange`, `/control/introspection` | how that document or endpoint fails from now on, see [`Fault`] |
//! | `GET /control/stats` | how often each path was asked for (`/control/*` is not counted) |
//! | `POST /control/reset` | no faults, and counts from zero; the keys stay |
//!
//! An issuer URL with a path (`https://idp.example.com/realms/main`) has the first four below that path, too.

mod provider;
mod request;
mod ring;
mod routes;
mod shared;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

pub use self::provider::behaviour::{Behaviour, Flaws, Refresh};
pub use self::provider::client::{Authentication, Client};
pub use self::request::TokenRequest;
pub use self::ring::Rotation;
pub use self::shared::Options;
pub use crate::faults::{Fault, Mode};

use self::shared::Shared;
use crate::error::BadRequest;
use crate::faults::Slot;
use crate::keys::SigningKey;
use crate::locked::locked;
use crate::server::Background;

/// A running issuer; it stops when dropped.
#[derive(Debug)]
pub struct Issuer {
    shared: Arc<Shared>,
    server: Background,
}

impl Issuer {
    /// Makes the keys and starts to listen.
    pub fn start(options: Options) -> io::Result<Self> {
        let mut made = None;
        let server = Background::start(options.port, |address| {
            let shared = Arc::new(Shared::new(options, address));
            made = Some(Arc::clone(&shared));
            routes::router(shared)
        })?;
        let shared = made.ok_or_else(|| io::Error::other("the server took no router"))?;
        Ok(Self { shared, server })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The URL where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Mints a token.
    pub fn token(&self, request: &TokenRequest) -> Result<String, BadRequest> {
        self.shared.token(request)
    }

    /// The keys that sign, one for each algorithm.
    pub fn signing_keys(&self) -> Vec<SigningKey> {
        self.shared.ring().signing().to_vec()
    }

    /// The key set that `/jwks` answers when nothing is wrong.
    pub fn key_set(&self) -> Value {
        self.shared.ring().published()
    }

    /// Makes new keys and returns their `kid`s.
    pub fn rotate(&self, rotation: Rotation) -> Vec<String> {
        self.shared.rotate(rotation)
    }

    /// Publishes keys that were rotated without being published.
    pub fn publish(&self) {
        self.shared.ring().publish();
    }

    /// Sets how `/jwks` fails from now on.
    pub fn set_jwks(&self, fault: Fault) -> Result<(), BadRequest> {
        self.shared.set_jwks(fault)
    }

    /// Sets how the discovery document fails from now on.
    pub fn set_discovery(&self, fault: Fault) -> Result<(), BadRequest> {
        self.shared.set_discovery(fault)
    }

    /// Sets how the provider behaves from now on.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.provider.set_behaviour(behaviour);
    }

    /// Sets how the token endpoint fails from now on.
    pub fn set_token_endpoint(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.shared.provider.token) = Slot::for_endpoint(fault)?;
        Ok(())
    }

    /// Sets how token exchanges fail from now on.
    pub fn set_exchange(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.shared.provider.exchange) = Slot::for_endpoint(fault)?;
        Ok(())
    }

    /// Sets how the introspection endpoint fails from now on, and the one that tells a token's bearer.
    pub fn set_introspection(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.shared.provider.introspection) = Slot::for_endpoint(fault)?;
        Ok(())
    }

    /// Sets how the userinfo endpoint fails from now on.
    pub fn set_userinfo(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.shared.provider.userinfo) = Slot::for_endpoint(fault)?;
        Ok(())
    }

    /// Sets how the revocation endpoint fails from now on.
    pub fn set_revocation(&self, fault: Fault) -> Result<(), BadRequest> {
        *locked(&self.shared.provider.revocation) = Slot::for_endpoint(fault)?;
        Ok(())
    }

    /// The parameters of each token exchange that was asked for by a client that is known.
    pub fn exchanges(&self) -> Vec<BTreeMap<String, String>> {
        locked(&self.shared.provider.ledger).exchanges()
    }

    /// Ends a token that nobody else can read, or the login that a token is of.
    pub fn revoke(&self, token: &str) {
        locked(&self.shared.provider.grants).revoke(token);
    }

    /// Ends every login: no refresh token is good any more.
    pub fn revoke_all(&self) {
        self.shared.provider.revoke_all();
    }

    /// How many grants of that type (`authorization_code`, `refresh_token`, also `introspection` and `revocation`) were answered well.
    pub fn granted(&self, grant: &str) -> u64 {
        locked(&self.shared.provider.ledger).granted(grant)
    }

    /// How many grants of that type were refused.
    pub fn refused(&self, grant: &str) -> u64 {
        locked(&self.shared.provider.ledger).refused(grant)
    }

    /// All that was used since the start and must stay secret: names and values.
    pub fn secrets(&self) -> Vec<(String, String)> {
        locked(&self.shared.provider.ledger).secrets()
    }

    /// How often each path was asked for.
    pub fn stats(&self) -> BTreeMap<String, u64> {
        self.shared.stats()
    }

    /// How often `path` was asked for.
    pub fn count(&self, path: &str) -> u64 {
        self.shared.counts().get(path).copied().unwrap_or_default()
    }

    /// Ends all faults and counts from zero; the keys stay.
    pub fn reset(&self) {
        self.shared.reset();
    }
}

#[cfg(test)]
#[path = "issuer/tests.rs"]
mod tests;
