//! Dotted texts that lead nowhere in a token which has a claim of that name.

use gate::claims::ClaimRef;
use gate::explain::TokenTrace;
use gate::identity::IdentityValue;
use jose::json::Document;

use super::context::Context;

impl Context<'_> {
    /// The names with dots in them that lead to a claim of the token, where `claim` is a dotted path to nothing.
    pub(super) fn with_dots(&self, claim: &ClaimRef) -> Option<ClaimRef> {
        self.with_dots_of(self.trace.token.as_ref()?, claim)
    }

    /// What settings of the issuer and headers name so.
    pub(super) fn names_with_dots(&self, token: &TokenTrace) -> Vec<String> {
        let issuer = token.issuer.and_then(|issuer| self.policy.issuers().get(issuer));
        let groups = issuer.map(|issuer| (String::from("groupsClaim"), issuer.groups_claim()));
        let scopes = issuer
            .into_iter()
            .flat_map(|issuer| issuer.scope_claims().iter().map(|claim| (String::from("scopeClaims"), claim)));
        let headers = self.policy.identity_headers().iter().flat_map(|header| {
            let claims = header.values.iter().filter_map(|value| match value {
                IdentityValue::Claim(claim) | IdentityValue::Name(claim) => Some(claim),
                _ => None,
            });
            claims.map(|claim| (format!("identityHeaders.{}", header.name), claim))
        });
        let named = groups.into_iter().chain(scopes).chain(headers);
        let note = |(setting, claim): (String, &ClaimRef)| {
            let exact = self.with_dots_of(token, claim)?;
            Some(format!(
                "`{setting}`: `{claim}` is a path, which leads to nothing in the token; the token has a claim of that \
                 name: write {exact}"
            ))
        };
        named.filter_map(note).collect()
    }

    fn with_dots_of(&self, token: &TokenTrace, claim: &ClaimRef) -> Option<ClaimRef> {
        let payload = self.payload(token)?;
        let document = Document::parse(&payload).ok()?;
        claim.with_dots(document.root())
    }
}
