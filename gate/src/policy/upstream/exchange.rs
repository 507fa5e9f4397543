//! Token exchange (RFC 8693).

use std::time::Duration;

use oauth::client::Client;
use oauth::endpoint::Endpoint;
use oauth::token::TokenTypeUri;

use super::kept::KeptToken;
use crate::policy::Discovery;

/// How a token is exchanged.
#[derive(Clone, Debug)]
pub struct TokenExchange {
    pub(crate) endpoint: TokenEndpoint,
    /// The proxy's name for its upstream.
    pub(crate) cluster: String,
    /// What it knows the gate as.
    pub(crate) client: Client,
    /// `audience`, once for each.
    pub(crate) audiences: Vec<String>,
    /// `resource`, once for each.
    pub(crate) resources: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) requested: Option<TokenTypeUri>,
    pub(crate) subject: SubjectToken,
    /// How long the other token is used at most.
    pub(crate) cache_for: Duration,
    /// How long each callout may take.
    pub(crate) timeout: Duration,
}

/// Where tokens are exchanged.
#[derive(Clone, Debug)]
pub(crate) enum TokenEndpoint {
    /// Where the metadata say; with the proxy's name for their upstream.
    Discovered(Box<(Discovery, String)>),
    /// Here.
    Known(Endpoint),
}

/// What is exchanged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SubjectToken {
    /// The token that the caller came with; of a session, its access token.
    Credential,
    /// A token of the session.
    Kept(KeptToken),
}

impl TokenExchange {
    /// Where tokens are exchanged, if that is configured.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match &self.endpoint {
            TokenEndpoint::Discovered(_) => None,
            TokenEndpoint::Known(endpoint) => Some(endpoint),
        }
    }

    /// `client_id`.
    pub fn client_id(&self) -> &str {
        self.client.id()
    }

    /// For whom the other token is.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// For which resources the other token is (RFC 8707).
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// What is exchanged.
    pub fn subject(&self) -> SubjectToken {
        self.subject
    }
}
