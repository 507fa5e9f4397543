//! The providers at which people log in here.

use std::net::SocketAddr;

use test_support::providers;
use testbed::github::GitHub;
use testbed::issuer::Issuer;

/// A running provider.
#[derive(Debug)]
pub(crate) enum Provider {
    /// oidc-provider.
    Certified(providers::Provider),
    /// The testbed's, with flaws on demand.
    Flawed(Box<Issuer>),
    /// The testbed's GitHub.
    GitHub(GitHub),
    /// oidc-provider-mock.
    Mock(providers::Provider),
}

impl Provider {
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Certified(provider) | Self::Mock(provider) => provider.address(),
            Self::Flawed(issuer) => issuer.address(),
            Self::GitHub(github) => github.address(),
        }
    }

    /// Its issuer identifier.
    pub(crate) fn issuer(&self) -> String {
        match self {
            Self::Certified(provider) | Self::Mock(provider) => provider.issuer(),
            Self::Flawed(issuer) => issuer.issuer().to_owned(),
            Self::GitHub(github) => github.origin(),
        }
    }

    /// What was used there and must stay secret.
    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        match self {
            Self::Certified(provider) => {
                provider.answered().into_iter().flat_map(|answered| answered.secrets).collect()
            }
            Self::Flawed(issuer) => issuer.secrets(),
            Self::GitHub(github) => github.secrets(),
            Self::Mock(_) => Vec::new(),
        }
    }

    pub(crate) fn certified(&self) -> &providers::Provider {
        match self {
            Self::Certified(provider) => provider,
            _ => panic!("is another provider"),
        }
    }

    pub(crate) fn github(&self) -> &GitHub {
        match self {
            Self::GitHub(github) => github,
            _ => panic!("is another provider"),
        }
    }

    pub(crate) fn flawed(&self) -> &Issuer {
        match self {
            Self::Flawed(issuer) => issuer,
            _ => panic!("is another provider"),
        }
    }
}
