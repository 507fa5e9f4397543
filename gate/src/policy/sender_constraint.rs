//! What shows that the sender of a token is the one that it was given to.

use std::time::Duration;

use super::issuer::Issuer;
use super::required_binding::RequiredBinding;
use crate::binding::Nonces;
use crate::http::TrustedProxies;
use crate::metadata::AnnouncedBindings;
use crate::rules::{Access, Rule};
use crate::sealing::SharedName;

/// What shows that the sender of a token is the one that it is bound to, and who needs such a token.
#[derive(Clone, Debug)]
pub struct SenderConstraint {
    /// Proofs of possession; absent: tokens that need one are refused.
    pub(crate) dpop: Option<Dpop>,
    pub(crate) mtls: CertificateSource,
    /// Whether the configuration says where certificates are: then it is known that clients have some.
    pub(crate) announces_certificates: bool,
    /// What tokens must be bound to, where the rule says nothing else.
    pub(crate) require: RequiredBinding,
    /// Whether anything at all has to be bound: the policy, an issuer or a rule says so.
    pub(crate) is_required: bool,
    /// What the proofs that were used are remembered under.
    pub(crate) proofs: SharedName,
}

/// How proofs of possession are taken (RFC 9449).
#[derive(Clone, Debug)]
pub struct Dpop {
    /// How old a proof may be.
    pub(crate) window: Duration,
    /// The nonces that proofs need; absent: none.
    pub(crate) nonces: Option<Nonces>,
    /// Whether the configuration speaks of it: then challenges offer it to clients without a credential, too.
    pub(crate) is_announced: bool,
}

/// Where the certificate of the client is found (RFC 8705).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateSource {
    /// It is that of the connection.
    Connection,
    /// A proxy in front ends TLS, and says which it was.
    Header {
        /// The header, in lower case.
        name: String,
        /// Whose word counts.
        trusted: TrustedProxies,
    },
    /// Nowhere: tokens that are bound to one are refused.
    Off,
}

impl SenderConstraint {
    /// The same, with what issuers and rules ask for taken into account.
    #[must_use]
    pub(crate) fn asked_by(self, issuers: &[Issuer], rules: &[Rule]) -> Self {
        let of_issuers = issuers.iter().map(|issuer| issuer.require);
        let of_rules = rules.iter().filter_map(|rule| rule.require);
        let is_required = of_issuers.chain(of_rules).chain([self.require]).any(|one| one != RequiredBinding::None);
        Self { is_required, ..self }
    }

    /// What clients are told: what the configuration speaks of, or asks for somewhere.
    pub(crate) fn announced(&self, issuers: &[Issuer], rules: &[Rule], default: &Access) -> AnnouncedBindings {
        let of_rule = |rule: &Rule| rule.require.unwrap_or(self.require);
        let is_asked = |wanted| {
            let of_issuers = issuers.iter().map(|issuer| issuer.require);
            of_issuers.chain(rules.iter().map(of_rule)).chain([self.require]).any(|asked| asked == wanted)
        };
        let takes_callers = |access: &Access| !matches!(access, Access::Deny | Access::Public);
        let of_rules = rules.iter().filter(|rule| takes_callers(&rule.access)).map(of_rule);
        let mut of_requests = of_rules.chain(takes_callers(default).then_some(self.require)).peekable();
        let is_alone = |asked| asked == RequiredBinding::Dpop;
        let of_all_issuers = issuers.iter().all(|issuer| is_alone(issuer.require));
        let proofs_alone = of_all_issuers || (of_requests.peek().is_some() && of_requests.all(is_alone));
        let dpop = self.dpop.as_ref();
        AnnouncedBindings {
            certificates: self.mtls != CertificateSource::Off
                && (self.announces_certificates || is_asked(RequiredBinding::Mtls)),
            proofs: dpop.is_some_and(|dpop| dpop.is_announced || is_asked(RequiredBinding::Dpop)),
            proofs_alone: dpop.is_some() && proofs_alone,
        }
    }

    /// Whether the peer's address matters.
    pub(crate) fn asks_for_peer(&self) -> bool {
        matches!(self.mtls, CertificateSource::Header { .. })
    }

    /// Where the certificate of the client is found.
    pub fn mtls(&self) -> &CertificateSource {
        &self.mtls
    }

    /// Proofs of possession, unless they are off.
    pub fn dpop(&self) -> Option<&Dpop> {
        self.dpop.as_ref()
    }

    /// What tokens must be bound to, where the rule says nothing else.
    pub fn require(&self) -> RequiredBinding {
        self.require
    }
}

impl Dpop {
    /// How old a proof may be.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// Whether proofs need a nonce of the gate's.
    pub fn needs_nonce(&self) -> bool {
        self.nonces.is_some()
    }
}
