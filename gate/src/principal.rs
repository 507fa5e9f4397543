//! Who is calling, once that is certain.

use crate::config::{Issuer, Policy};
use crate::identity::{Rendered, Unrepresentable, Verified};
use crate::token::VerifiedToken;

/// A caller whose token was verified, with all that rules and headers need of it.
///
/// The only way to make one is from a `VerifiedToken`.
#[derive(Clone, Debug)]
pub struct Principal {
    issuer: usize,
    subject: Option<String>,
    scopes: Vec<String>,
    groups: Vec<String>,
    audiences: Vec<String>,
    identity: Result<Vec<(String, Rendered)>, Unrepresentable>,
}

impl Principal {
    /// Reads what a verified token says about its subject.
    pub(crate) fn new(mut token: VerifiedToken<'_>, policy: &Policy, issuer: &Issuer) -> Self {
        let groups = std::mem::take(&mut token.groups);
        let mut scopes = std::mem::take(&mut token.scopes);
        let given = issuer.group_scopes.iter().filter(|(_, needed)| needed.iter().any(|group| groups.contains(group)));
        for (scope, _) in given {
            // INVARIANT: sorted, each once.
            if let Err(place) = scopes.binary_search(scope) {
                scopes.insert(place, scope.clone());
            }
        }
        let claims = token.claims();
        let verified = Verified {
            claims,
            issuer: &issuer.issuer,
            scopes: &scopes,
            groups: &groups,
            max_bytes: policy.limits.header_bytes,
        };
        let rendered = policy.identity.iter().filter_map(|header| {
            let value = header.render(&verified).transpose()?;
            Some(value.map(|value| (header.name.clone(), value)))
        });
        let identity = rendered.collect();
        Self {
            issuer: token.issuer,
            subject: claims.get("sub").and_then(jose::json::Value::as_str).map(str::to_string),
            scopes,
            audiences: token.audiences,
            groups,
            identity,
        }
    }

    /// The issuer of the token, by its place in the configuration.
    pub fn issuer(&self) -> usize {
        self.issuer
    }

    /// `sub`, where it is a string.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The scopes from claims and groups; sorted, each once.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The groups, in the order of the token.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// What `aud` names.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The identity headers for a request that `rule` lets pass, or the default where no rule matches.
    pub(crate) fn identity_headers(&self, rule: Option<&str>) -> Result<Vec<(String, String)>, Unrepresentable> {
        let headers = self.identity.as_ref().map_err(|&problem| problem)?;
        let text = |value: &Rendered| match value {
            Rendered::RuleName => rule.map(str::to_string),
            Rendered::Text(text) => Some(text.clone()),
        };
        Ok(headers.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
    }
}
