//! What all variants share: the issuer, the upstream that shows what reached it, and the service behind `ext_authz`.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::issuer::{Behaviour, Issuer, Options, TokenRequest};
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::object;
use testbed::proof::thumbprint;
use testbed::upstream::Upstream;

use crate::authz::Authz;
use crate::credential::Bound;
use crate::failure::Result;
use crate::modules::plugin_for_requests;
use crate::variant::{Fresh, Tokens};

/// The `aud` of tokens.
pub(crate) const AUDIENCE: &str = "orders";
/// What requests need.
pub(crate) const SCOPE: &str = "orders:read";
/// What every request asks for.
pub(crate) const PATH: &str = "/orders/7";
/// A request with this header goes to the upstream, which answers with what it saw; all others are answered by Envoy.
pub(crate) const ECHO: &str = "x-bench-echo";

/// The `:authority` of every request.
pub(crate) const HOST: &str = "api.example.com";
/// What every request asks for, as proofs name it.
pub(crate) const URL: &str = "http://api.example.com/orders/7";
/// The scopes of a good token, sorted, as the upstream sees them.
pub(crate) const SCOPES: &str = "orders:read orders:write";
/// Those of a token that lacks the one that requests need.
pub(crate) const TOO_FEW: &str = "orders:write";
const SUBJECT: &str = "alice";
const EMAIL: &str = "alice@example.com";
/// Seconds; longer than any run.
pub(crate) const LIFETIME: i64 = 86_400;

/// The servers around the proxies.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Upstream,
    pub(crate) authz: Authz,
    /// The module that is called for requests alone.
    pub(crate) plugin_for_requests: PathBuf,
    /// How old keys get before they are fetched again.
    pub(crate) refresh: Duration,
    /// What tokens are bound to.
    holder: SigningKey,
}

impl World {
    /// With keys for all algorithms that are measured, which are fetched once.
    pub(crate) fn start() -> Result<Self> {
        let algorithms = vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256];
        Self::with(algorithms, Duration::from_hours(24))
    }

    pub(crate) fn with(algorithms: Vec<Algorithm>, refresh: Duration) -> Result<Self> {
        let options = Options { algorithms, audience: AUDIENCE.into(), ..Options::default() };
        let issuer = Issuer::start(options)?;
        // Tokens that are exchanged last as long as others.
        issuer.set_behaviour(Behaviour { lifetime: LIFETIME, ..Behaviour::default() });
        Ok(Self {
            issuer,
            upstream: Upstream::start(0)?,
            authz: Authz::start()?,
            plugin_for_requests: plugin_for_requests()?,
            refresh,
            holder: SigningKey::generate(Algorithm::ES256),
        })
    }

    /// The identity headers that the upstream is to see, from a good token: header, claim, value.
    pub(crate) fn identity(&self) -> [(&'static str, &'static str, String); 4] {
        [
            ("x-auth-request-user", "sub", SUBJECT.into()),
            ("x-auth-request-issuer", "iss", self.issuer.issuer().into()),
            ("x-auth-request-email", "email", EMAIL.into()),
            ("x-auth-request-token-scopes", "scope", SCOPES.into()),
        ]
    }

    /// A good token; no two are the same.
    pub(crate) fn token(&self, tokens: Tokens) -> Result<String> {
        self.token_for(tokens, SCOPES)
    }

    /// A token with these scopes.
    pub(crate) fn token_for(&self, tokens: Tokens, scopes: &str) -> Result<String> {
        let token = self.issuer.token(&request(tokens, scopes, 0))?;
        let missing = tokens.bytes.saturating_sub(token.len());
        if missing == 0 { Ok(token) } else { Ok(self.issuer.token(&request(tokens, scopes, padding(missing)))?) }
    }

    /// A token that only the issuer can read.
    pub(crate) fn opaque_token(&self, scopes: &str) -> Result<String> {
        let tokens = Tokens { algorithm: Algorithm::ES256, fresh: Fresh::Nothing, bytes: 0 };
        Ok(self.issuer.token(&TokenRequest { opaque: Some("opaque-".into()), ..request(tokens, scopes, 0) })?)
    }

    /// A token with these scopes that is bound to a key.
    pub(crate) fn bound_token(&self, scopes: &str) -> Result<Bound> {
        let tokens = Tokens { algorithm: Algorithm::ES256, fresh: Fresh::Nothing, bytes: 0 };
        let mut request = request(tokens, scopes, 0);
        request.claims.insert("cnf".into(), json!({"jkt": thumbprint(&self.holder)}));
        Ok(Bound { token: self.issuer.token(&request)?, key: self.holder.clone() })
    }

    /// So many good tokens, made on all cores.
    pub(crate) fn tokens(&self, tokens: Tokens, count: usize) -> Result<Vec<String>> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = |index: usize| count / threads + usize::from(index < count % threads);
        let parts: Vec<Result<Vec<String>>> = thread::scope(|scope| {
            let start = |index| scope.spawn(move || (0..share(index)).map(|_| self.token(tokens)).collect());
            let running: Vec<_> = (0..threads).map(start).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Ok(Vec::new()))).collect()
        });
        Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
    }
}

/// The request that all variants get, without a token.
pub(crate) fn bare(headers: usize) -> Request {
    let usual = [
        ("user-agent", "bench/1.0"),
        ("accept", "application/json"),
        ("x-request-id", "6f5902ac-237c-4b1a-9c5e-2a3d8f6b1c04"),
    ];
    let mut request = Request::get(PATH).header("host", HOST);
    for index in 0..headers {
        request = match usual.get(index) {
            Some((name, value)) => request.header(name, value),
            None => request.header(format!("x-custom-header-{index}"), format!("value-of-header-{index}")),
        };
    }
    request
}

/// The claims about who logs in.
pub(crate) fn identity(scopes: &str) -> Value {
    json!({"sub": SUBJECT, "email": EMAIL, "email_verified": true, "scope": scopes})
}

fn request(tokens: Tokens, scopes: &str, padding: usize) -> TokenRequest {
    let mut claims = object(json!({"email": EMAIL, "email_verified": true}));
    if padding > 0 {
        claims.insert("padding".into(), "p".repeat(padding).into());
    }
    TokenRequest {
        scope: Some(scopes.into()),
        lifetime: Some(LIFETIME),
        alg: Some(tokens.algorithm.name().into()),
        claims,
        ..TokenRequest::subject(SUBJECT)
    }
}

/// How long a claim makes a token that many bytes longer: base64 makes four bytes of three, and the claim has a name.
const fn padding(missing: usize) -> usize {
    let name = r#","padding":"""#.len();
    let bytes = missing * 3 / 4;
    if bytes > name { bytes - name } else { 1 }
}
