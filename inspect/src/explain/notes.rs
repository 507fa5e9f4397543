//! What else there is to know: what was assumed, what is missing, what was dropped of a token.

use gate::Reason;
use gate::explain::{Check, Route, TokenTrace};
use gate::identity::IdentityValue;
use gate::policy::Issuer;

use super::context::Context;
use super::keys::KeyProvenance;
use crate::engine::Decided;

impl Context<'_> {
    pub(super) fn notes(&self, decided: &Decided) -> Vec<String> {
        let mut notes: Vec<_> = self.depends_on_signature(decided).into_iter().collect();
        if self.is_undecided {
            notes.push(String::from(
                "the keys of the token's issuer are not known here, so its signature cannot be checked: give them with \
                 --keys, or go on as if it were signed with --trust-signature",
            ));
        }
        let is_introspected = self.trace.token.as_ref().is_some_and(|token| token.is_introspected);
        if is_introspected && self.question.introspection.is_none() {
            notes.push(String::from(
                "only the issuer of the token can read it: give what it says of it, the JSON of its answer, with \
                 --introspection",
            ));
        }
        notes.extend(self.read_as_jwt());
        notes.extend(self.unproven());
        if self.question.trust_signature {
            notes.push(String::from("signatures are trusted without a check (--trust-signature)"));
        }
        if self.question.keys.is_some() && self.provenance == Some(KeyProvenance::Configuration) {
            notes.push(String::from("the issuer's keys are in the configuration: the ones given were not used"));
        }
        if self.question.peer.is_empty() && self.policy.needs().client_ip && self.trace.principal().is_some() {
            notes.push(String::from("`$clientIp` may depend on the address that the request comes from: see --peer"));
        }
        notes.extend(self.missed_login(decided));
        notes.extend(self.asked_credentials(decided));
        if let Some(token) = &self.trace.token {
            notes.extend(self.withheld(token));
            notes.extend(self.names_with_dots(token));
        }
        notes
    }

    /// An opaque token that looks like a JWT is read as one.
    fn read_as_jwt(&self) -> Option<String> {
        let token = self.trace.token.as_ref().filter(|token| !token.is_introspected)?;
        let is_none = token.failed.is_some_and(|(check, _)| check == Check::Form);
        let has_entries = self.policy.issuers().iter().any(Issuer::is_introspected);
        (is_none && has_entries).then(|| {
            String::from(
                "no entry of `introspection` has this token, so it is read as a JWT: of tokens with two dots, an entry \
                 has those that its `match` fits",
            )
        })
    }

    /// What would show that the sender is the one that the token is bound to.
    fn unproven(&self) -> Option<String> {
        let cause = self.trace.sender.as_ref()?.as_ref().err()?;
        let [key, certificate] = self.trace.principal()?.binding();
        if cause.reason != Reason::ProofMissing {
            return None;
        }
        if key && self.question.proof.is_none() {
            return Some(String::from(
                "the token is bound to a key: give its client's proof for this request with --proof",
            ));
        }
        let lacks = certificate && self.question.certificate.is_empty();
        lacks.then(|| {
            String::from("the token is bound to a certificate: give the SHA-256 of its client's with --certificate")
        })
    }

    /// The login that only a navigation is sent to.
    fn missed_login(&self, decided: &Decided) -> Option<String> {
        let Route::Rule(rule) = self.trace.route else { return None };
        let is_missing = decided.properties.get("reason").is_some_and(|reason| reason == Reason::MissingToken.name());
        let login = self.login_elsewhere(rule).filter(|_| is_missing)?;
        let public_url = self.policy.browser()?.session().public_url();
        Some(match public_url.is_host_of(self.request) {
            true => {
                format!(
                    "a browser that navigates there is sent to the login `{login}`: see --header 'Accept: text/html'"
                )
            }
            false => format!(
                "browsers are sent to log in from the host of `session.publicUrl` and the origins of `returnTo` alone: see \
                 --request 'GET {}/'",
                public_url.as_str()
            ),
        })
    }

    /// What a token claims, and its issuer's settings drop.
    fn withheld(&self, token: &TokenTrace) -> Vec<String> {
        let issuer = token.issuer.and_then(|issuer| self.issuer_name(issuer)).unwrap_or_default();
        let withheld = &token.withheld;
        let mut notes = Vec::new();
        for (kind, names) in [("groups", &withheld.groups), ("scopes", &withheld.scopes)] {
            if !names.is_empty() {
                notes.push(format!(
                    "outside the `grants.{kind}` of the issuer `{issuer}`, and dropped: {}",
                    names.join(", ")
                ));
            }
        }
        let asks = |value: &IdentityValue| *value == IdentityValue::VerifiedEmail;
        if withheld.email && self.policy.identity_headers().iter().any(|header| header.values.iter().any(asks)) {
            notes.push(format!(
                "`$verifiedEmail` has no value ({}): if the addresses of the issuer `{issuer}` are \
                 verified anyway, set its `trustEmail: true`",
                self.claim(token, "email_verified")
            ));
        }
        notes
    }
}
