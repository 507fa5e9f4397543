//! Credentials for the upstream: what a request gets in place of its caller's own.

mod eks;
mod exchange;
mod kept;
mod signed;

use std::sync::Arc;
use std::time::Duration;

pub use self::eks::{Eks, Role};
pub(crate) use self::exchange::TokenEndpoint;
pub use self::exchange::{SubjectToken, TokenExchange};
pub use self::kept::KeptToken;
pub use self::signed::SignedToken;
pub(crate) use self::signed::{KeyUse, SigningEntry};

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    pub(crate) credentials: Vec<UpstreamCredential>,
    /// What rules use that name none, by index.
    pub(crate) default: Vec<usize>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct UpstreamCredential {
    /// What rules, metrics and logs call it.
    pub(crate) name: Arc<str>,
    /// The header that it stands in, in lower case.
    pub(crate) header: Arc<str>,
    /// The authentication scheme in front of it.
    pub(crate) scheme: Option<String>,
    pub(crate) source: CredentialSource,
}

/// Where it comes from.
#[derive(Clone, Debug)]
pub enum CredentialSource {
    /// A token for a cluster of Amazon EKS.
    Eks(Box<Eks>),
    /// What an authorization server gives for the caller's token (RFC 8693).
    Exchange(Box<TokenExchange>),
    /// A token that the session keeps.
    Session(KeptToken),
    /// A JWT that the gate signs.
    Token(Box<SignedToken>),
}

impl Upstream {
    /// The credentials, in the order of the configuration.
    pub fn credentials(&self) -> &[UpstreamCredential] {
        &self.credentials
    }

    /// The tokens for clusters of Amazon EKS.
    pub fn eks(&self) -> impl Iterator<Item = &Eks> {
        self.credentials.iter().filter_map(|credential| match &credential.source {
            CredentialSource::Eks(eks) => Some(&**eks),
            _ => None,
        })
    }

    /// Whether some credential is of a role.
    pub(crate) fn has_roles(&self) -> bool {
        self.eks().next().is_some()
    }

    /// How long the slowest callout may take.
    pub(crate) fn longest_timeout(&self) -> Duration {
        let timeouts = self.credentials.iter().map(|credential| match &credential.source {
            CredentialSource::Eks(_) => Eks::TIMEOUT,
            CredentialSource::Exchange(exchange) => exchange.timeout,
            CredentialSource::Session(_) | CredentialSource::Token(_) => Duration::ZERO,
        });
        timeouts.max().unwrap_or_default()
    }

    /// The tokens that the gate signs.
    pub(crate) fn signed(&self) -> impl Iterator<Item = &SignedToken> {
        self.credentials.iter().filter_map(|credential| match &credential.source {
            CredentialSource::Token(token) => Some(&**token),
            _ => None,
        })
    }
}

impl UpstreamCredential {
    /// What rules, metrics and logs call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header that it stands in, in lower case.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Where it comes from.
    pub fn source(&self) -> &CredentialSource {
        &self.source
    }

    /// Whether somebody else is asked for it.
    pub fn asks(&self) -> bool {
        match self.source {
            CredentialSource::Eks(_) | CredentialSource::Exchange(_) => true,
            CredentialSource::Session(_) | CredentialSource::Token(_) => false,
        }
    }

    /// The whole value of the header.
    pub(crate) fn value(&self, credential: &str) -> oauth::Secret {
        oauth::Secret::new(match &self.scheme {
            Some(scheme) => [scheme, " ", credential].concat(),
            None => credential.to_string(),
        })
    }
}
