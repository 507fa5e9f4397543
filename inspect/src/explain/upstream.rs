//! The credentials that the upstream gets in place of the caller's own.

use gate::explain::Route;
use gate::policy::{CredentialSource, KeptToken, UpstreamCredential};
use gate::rules::Requirement;
use serde_json::Value;

use super::context::Context;
use super::explanation::UpstreamCredentialStep;
use crate::engine::{Decided, Outcome};

impl Context<'_> {
    /// Those of the rule, where a caller is certain.
    pub(super) fn upstream_credentials(&self, decided: &Decided) -> Vec<UpstreamCredentialStep> {
        self.credentials_of_rule().into_iter().map(|credential| step(credential, decided)).collect()
    }

    fn credentials_of_rule(&self) -> Vec<&UpstreamCredential> {
        let Route::Rule(rule) = self.trace.route else { return Vec::new() };
        if self.trace.principal().is_none() {
            return Vec::new();
        }
        let rule = rule.and_then(|rule| self.policy.rules().get(rule));
        let credentials = self.policy.upstream_of(rule).iter();
        credentials.filter_map(|&index| self.policy.upstream().credentials().get(index)).collect()
    }

    /// What depends on others, who are not asked here.
    pub(super) fn asked_credentials(&self, decided: &Decided) -> Vec<String> {
        let credentials = self.credentials_of_rule().into_iter();
        let mut notes: Vec<_> = credentials.clone().filter_map(|credential| self.roles(credential)).collect();
        let asked = credentials.filter(|credential| credential.asks()).map(|found| format!("`{}`", found.name()));
        let names: Vec<_> = asked.collect();
        if decided.outcome == Outcome::Waiting && !names.is_empty() {
            notes.push(format!("the request passes if it is given {}: nobody is asked here", names.join(" and ")));
        }
        notes
    }

    /// The roles that the caller may take.
    fn roles(&self, credential: &UpstreamCredential) -> Option<String> {
        let (CredentialSource::Eks(eks), principal) = (credential.source(), self.trace.principal()?) else {
            return None;
        };
        let is_theirs = |access: &Requirement| access.holds_for(principal, self.policy.scope_match());
        let roles = eks.roles().iter().filter(|role| role.access().is_none_or(is_theirs));
        let names: Vec<_> = roles.map(|role| format!("`{}`", role.name())).collect();
        let list = if names.is_empty() { String::from("none") } else { names.join(", ") };
        Some(format!("roles of `{}` that the caller may take: {list}", credential.name()))
    }
}

fn step(credential: &UpstreamCredential, decided: &Decided) -> UpstreamCredentialStep {
    let value = match &decided.outcome {
        Outcome::Forwarded(lines) => lines.iter().find(|(name, _)| name == credential.header()).map(|(_, value)| value),
        _ => None,
    };
    UpstreamCredentialStep {
        credential: credential.name().to_string(),
        header: credential.header().to_string(),
        source: match credential.source() {
            CredentialSource::Eks(_) => "eks",
            CredentialSource::Exchange(_) => "exchange",
            CredentialSource::Session(KeptToken::Access) => "session: accessToken",
            CredentialSource::Session(KeptToken::Id) => "session: idToken",
            CredentialSource::Token(_) => "token",
        },
        made: value.is_some(),
        claims: value
            .filter(|_| matches!(credential.source(), CredentialSource::Token(_)))
            .and_then(|value| claims(value)),
    }
}

/// What the token says that stands in a header.
fn claims(value: &str) -> Option<Value> {
    let token = value.rsplit(' ').next()?;
    let payload = jose::base64url::decode(token.split('.').nth(1)?.as_bytes())?;
    let mut claims: Value = serde_json::from_slice(&payload).ok()?;
    // It is another one each time.
    claims.as_object_mut()?.insert(String::from("jti"), Value::from("…"));
    Some(claims)
}

/// The lines that the upstream gets, without the credentials in them.
pub(super) fn without_credentials(credentials: &[UpstreamCredentialStep], lines: &mut [(String, String)]) {
    let made = |name: &str| credentials.iter().any(|credential| credential.made && credential.header == name);
    for (_, value) in lines.iter_mut().filter(|(name, _)| made(name)) {
        let scheme = value.split_once(' ').map(|(scheme, _)| format!("{scheme} ")).unwrap_or_default();
        *value = format!("{scheme}…");
    }
}
