//! What a token claims, and its issuer's settings keep from rules and headers.

use gate::explain::TokenTrace;
use gate::identity::IdentityValue;

use super::Context;
use super::token::claim;

impl Context<'_> {
    pub(super) fn withheld(&self, token: &TokenTrace) -> Vec<String> {
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
        if withheld.email && self.policy.identity.iter().any(|header| header.values.iter().any(asks)) {
            notes.push(format!(
                "`$verifiedEmail` has no value ({}): if the addresses of the issuer `{issuer}` are \
                 verified all the same, give it `trustEmail: true`",
                claim(token, "email_verified")
            ));
        }
        notes
    }
}
