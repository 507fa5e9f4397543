//! Logging in: who vouches for a browser's user, and how the gate asks.

use std::sync::Arc;
use std::time::Duration;

use oauth::authorization::ExtraParameters;
use oauth::client::Client;
use oauth::endpoint::Endpoint;

use super::key_source::Discovery;
use crate::http::HttpUri;

/// One way to log in: a client of an issuer.
#[derive(Clone, Debug)]
pub struct Login {
    /// What rules, metrics and logs call it.
    pub(crate) name: Arc<str>,
    /// The index of its issuer in the policy.
    pub(crate) issuer: usize,
    /// What the issuer knows the gate as.
    pub(crate) client: Client,
    /// What it speaks.
    pub(crate) provider: Provider,
    /// What is configured of its endpoints; the rest is discovered.
    pub(crate) endpoints: Endpoints,
    /// The proxy's name for the upstream of the token, userinfo and revocation endpoints.
    pub(crate) cluster: String,
    /// The scopes that are asked for.
    pub(crate) scopes: Vec<String>,
    /// Further parameters of the authorization request.
    pub(crate) parameters: ExtraParameters,
    /// The token whose claims the session gets.
    pub(crate) claims_from: ClaimsFrom,
    /// Whether claims of the userinfo endpoint are merged.
    pub(crate) userinfo: bool,
    /// How long ago the user may have authenticated at the issuer; whole seconds.
    pub(crate) max_age: Option<Duration>,
    /// How long each callout may take.
    pub(crate) timeout: Duration,
}

/// What a provider speaks.
#[derive(Clone, Debug)]
pub enum Provider {
    /// OAuth 2.0 and an API of its own.
    GitHub(GitHub),
    /// OpenID Connect.
    OpenIdConnect {
        /// The document that has the endpoints which are not configured, and the proxy's name for its upstream.
        discovery: Option<(Discovery, String)>,
    },
}

impl Provider {
    /// Whether it gives ID tokens.
    pub fn is_open_id_connect(&self) -> bool {
        matches!(self, Self::OpenIdConnect { .. })
    }
}

/// GitHub's API, which says who logged in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GitHub {
    /// What the URIs of its resources begin with, without a `/` at the end.
    pub(crate) api: HttpUri,
    /// The proxy's name for its upstream.
    pub(crate) api_cluster: String,
}

/// The token whose claims a session gets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ClaimsFrom {
    /// The access token: a JWT that passes its issuer's ordinary checks.
    AccessToken,
    /// The ID token.
    #[default]
    IdToken,
}

/// The endpoints that are configured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoints {
    /// Where browsers are sent (RFC 6749 §3.1).
    pub(crate) authorization: Option<Endpoint>,
    /// Where codes are redeemed (RFC 6749 §3.2).
    pub(crate) token: Option<Endpoint>,
    /// Where further claims are (OpenID Connect Core 1.0 §5.3).
    pub(crate) userinfo: Option<Endpoint>,
    /// Where browsers log out (OpenID Connect RP-Initiated Logout 1.0 §2).
    pub(crate) end_session: Option<Endpoint>,
    /// Where refresh tokens are given back (RFC 7009).
    pub(crate) revocation: Option<Endpoint>,
}

impl Login {
    /// What rules, metrics and logs call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The index of its issuer in the policy.
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    /// `client_id`.
    pub fn client_id(&self) -> &str {
        self.client.id()
    }

    /// What it speaks.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// What is configured of its endpoints.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The scopes that are asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Further parameters of the authorization request.
    pub fn parameters(&self) -> &ExtraParameters {
        &self.parameters
    }

    /// The token whose claims the session gets.
    pub fn claims_from(&self) -> ClaimsFrom {
        self.claims_from
    }
}

impl Endpoints {
    /// Where browsers are sent.
    pub fn authorization(&self) -> Option<&Endpoint> {
        self.authorization.as_ref()
    }
}
