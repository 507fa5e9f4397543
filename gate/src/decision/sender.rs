//! Whether the sender of a token is the one that it is bound to.

use std::time::Duration;

use oauth::dpop::{Expected, ProofError, Target, check};

use super::Evaluation;
use crate::answer::{ProofChallenge, Refusal};
use crate::binding::{Confirmation, FreshProof, Lack, ProofUse, in_header, of_connection};
use crate::callers::Principal;
use crate::credentials::{Credential, PROOF_HEADER};
use crate::http::{CanonicalPath, PathMode};
use crate::policy::{CertificateSource, Dpop};
use crate::report::{Cause, Detail, Reason};
use crate::trail::Trail;
use crate::verdict::{Judgement, Verdict};

/// How far clocks may differ, where no issuer says it.
const SKEW: Duration = Duration::from_mins(1);
const INVALID_PROOF: &str = "invalid_dpop_proof";
const INVALID_TOKEN: &str = "invalid_token";
const USE_NONCE: &str = "use_dpop_nonce";

const NO_PROOF: &str = "the token is bound to a key: it comes with a DPoP proof, as Authorization: DPoP";
const OTHER_CERTIFICATE: &str = "the token is bound to another client certificate than that of the connection";
const NOT_BOUND: &str = "the token is not bound to a key or certificate as this request needs it";
const NO_KEY: &str = "the token is not bound to a key: it comes without a proof, as Authorization: Bearer";
const SEVERAL: &str = "there is more than one DPoP proof";

impl<T: Trail> Evaluation<'_, T> {
    /// Whether more is to be known of who sends it than that the caller is certain.
    pub(super) fn needs_sender(&self, principal: &Principal, credential: Option<&Credential<'_>>) -> bool {
        principal.confirmation().is_some()
            || self.policy.sender_constraint.is_required
            || credential.is_some_and(|credential| credential.is_dpop)
    }

    /// Refuses a request whose sender is not the one, or asks whether its proof was used before.
    #[inline(never)]
    pub(super) fn judge_sender(
        mut self,
        principal: &Principal,
        credential: Option<&Credential<'_>>,
    ) -> Result<Self, Box<Judgement>> {
        let checked = self.check_sender(principal, credential);
        self.trail.sender(&checked);
        match checked {
            Ok(()) => {
                if credential.is_some_and(|credential| credential.is_dpop) {
                    self.policy.hygiene.remove_overrides(self.request, &mut self.edits);
                }
                Ok(self)
            }
            Err(Lack::Unused(proof)) => Err(self.judge(Verdict::NeedsUnusedProof(proof), None).into()),
            // As of any other bad token in a cookie.
            Err(Lack::Refused(cause, _))
                if credential.is_some_and(|credential| self.policy.credentials.is_cookie(credential.index)) =>
            {
                Err(self.check_session(Some(cause)).into())
            }
            Err(Lack::Refused(cause, proof)) => {
                let refusal = Refusal { proof: proof.map(Box::new), ..Refusal::from(cause) };
                Err(self.refuse(refusal, None).into())
            }
        }
    }

    /// Whether the sender is certain without a look at what other VMs know. Where the rule is not, what it asks of the
    /// sender is not known either.
    pub(super) fn is_sender_certain(&self, principal: &Principal, credential: Option<&Credential<'_>>) -> bool {
        let is_known = !self.has_readings || !self.policy.sender_constraint.is_required;
        !self.needs_sender(principal, credential) || is_known && self.check_sender(principal, credential).is_ok()
    }

    fn check_sender(&self, principal: &Principal, credential: Option<&Credential<'_>>) -> Result<(), Lack> {
        let constraint = &self.policy.sender_constraint;
        let (key, certificate) = match principal.confirmation() {
            None => (None, None),
            Some(Confirmation::Unsupported) => return Err(refused(Reason::ProofUnsupported, None)),
            Some(Confirmation::Bound { key, certificate }) => (key.as_ref(), certificate.as_ref()),
        };
        let dpop = match (&constraint.dpop, key) {
            (None, Some(_)) => return Err(refused(Reason::ProofUnsupported, None)),
            (dpop, _) => dpop.as_ref(),
        };
        if certificate.is_some() && constraint.mtls == CertificateSource::Off {
            return Err(refused(Reason::ProofUnsupported, None));
        }
        let asked = self.rule.and_then(|rule| rule.require).unwrap_or(constraint.require);
        let issuer = self.policy.issuers.get(principal.issuer());
        let asked = [Some(asked), issuer.map(|issuer| issuer.require)];
        if asked.into_iter().flatten().any(|asked| !asked.is_met(key.is_some(), certificate.is_some())) {
            return Err(refused(Reason::ProofMissing, NOT_BOUND));
        }
        if certificate.is_some() && certificate != self.certificate().as_ref() {
            return Err(refused(Reason::ProofMissing, OTHER_CERTIFICATE));
        }
        let is_dpop = credential.is_some_and(|credential| credential.is_dpop);
        match (key, dpop, credential) {
            (Some(key), Some(dpop), Some(credential)) if is_dpop => {
                let skew = issuer.map_or(SKEW, |issuer| issuer.clock_skew);
                self.check_proof(dpop, key, &credential.token, skew)
            }
            (Some(_), dpop, _) => Err(self.lacks_proof(dpop, NO_PROOF, INVALID_TOKEN)),
            // RFC 9449 §7.1: a proof of what?
            (None, ..) if is_dpop => Err(refused_with(Reason::BadProof, NO_KEY, INVALID_TOKEN)),
            (None, ..) => Ok(()),
        }
    }

    fn certificate(&self) -> Option<[u8; 32]> {
        match &self.policy.sender_constraint.mtls {
            CertificateSource::Connection => of_connection(self.request),
            CertificateSource::Header { name, trusted } => in_header(self.request, name, trusted),
            CertificateSource::Off => None,
        }
    }

    /// RFC 9449 §4.3.
    fn check_proof(&self, dpop: &Dpop, key: &[u8; 32], token: &[u8], skew: Duration) -> Result<(), Lack> {
        let mut lines = self.request.lines(PROOF_HEADER);
        let Some(text) = lines.next() else { return Err(self.lacks_proof(Some(dpop), NO_PROOF, INVALID_PROOF)) };
        if lines.next().is_some() {
            return Err(refused_with(Reason::BadProof, SEVERAL, INVALID_PROOF));
        }
        let text = text.trim_ascii();
        let came_as = FreshProof::came_as(key, token, text);
        if let Some(used) = self.known.proof.filter(|used| used.came_as == came_as) {
            return match used.outcome {
                ProofUse::First => Ok(()),
                ProofUse::Again => Err(refused_with(Reason::ProofReplayed, None, INVALID_PROOF)),
                ProofUse::NoRoom => Err(Lack::Refused(Reason::Overloaded.into(), None)),
            };
        }
        // What the client sent, not what rules see of it: that is what its proof is for.
        let line = |name| self.request.lines(name).next().unwrap_or_default();
        let verification = self.known.verification;
        let now = verification.now;
        let accepts_nonce = dpop.nonces.as_ref().map(|nonces| move |nonce: &str| nonces.accepts(nonce, now));
        let expected = Expected {
            method: line(":method"),
            target: Target {
                is_https: line(":scheme") == b"https",
                authority: line(":authority"),
                path: line(":path"),
            },
            token,
            key,
            now: now.since_epoch(),
            window: dpop.window,
            skew,
            accepts_nonce: accepts_nonce.as_ref().map(|accepts| accepts as &dyn Fn(&str) -> bool),
        };
        let checked = check(text, &expected, verification.verifier);
        match checked
            .and_then(|proof| if is_one(&proof.path, line(":path")) { Ok(proof) } else { Err(ProofError::Target) })
        {
            Ok(proof) => {
                let nonce = dpop.nonces.as_ref().zip(proof.nonce.as_deref());
                let has_old_nonce = nonce.is_some_and(|(nonces, nonce)| nonces.is_old(nonce, now));
                let fresh = FreshProof::new(came_as, key, &proof.jti, proof.ends);
                Err(Lack::Unused(FreshProof { has_old_nonce, ..fresh }))
            }
            Err(error) => {
                let challenge = match error {
                    ProofError::Nonce => self.challenge(Some(dpop), USE_NONCE),
                    _ => ProofChallenge { error: INVALID_PROOF, nonce: None },
                };
                let detail = Detail::Binding(error.text());
                Err(Lack::Refused(Cause::new(Reason::BadProof, detail), Some(challenge)))
            }
        }
    }

    fn lacks_proof(&self, dpop: Option<&Dpop>, detail: &'static str, error: &'static str) -> Lack {
        let cause = Cause::new(Reason::ProofMissing, Detail::Binding(detail));
        Lack::Refused(cause, Some(self.challenge(dpop, error)))
    }

    /// A challenge, with the nonce that the next proof needs.
    fn challenge(&self, dpop: Option<&Dpop>, error: &'static str) -> ProofChallenge {
        let nonces = dpop.and_then(|dpop| dpop.nonces.as_ref());
        ProofChallenge { error, nonce: nonces.and_then(|nonces| nonces.make(self.known.verification.now)) }
    }
}

/// Whether a path is the one of a request also where empty segments and parameters are taken out (`paths: lenient`):
/// what two dots lead to may then be another.
fn is_one(path: &str, target: &[u8]) -> bool {
    let canonical = |path| CanonicalPath::of(path, PathMode::Lenient).ok();
    canonical(path.as_bytes()).is_some_and(|path| canonical(target).as_ref() == Some(&path))
}

fn refused(reason: Reason, detail: impl Into<Option<&'static str>>) -> Lack {
    Lack::Refused(Cause::new(reason, detail.into().map(Detail::Binding)), None)
}

fn refused_with(reason: Reason, detail: impl Into<Option<&'static str>>, error: &'static str) -> Lack {
    let cause = Cause::new(reason, detail.into().map(Detail::Binding));
    Lack::Refused(cause, Some(ProofChallenge { error, nonce: None }))
}
