//! Browsers: the session that one is assumed to have, and the login that it is sent to.

use gate::policy::{Login, Provider};
use gate::{Policy, Reason, Timestamp};
use serde_json::Value;

use super::context::Context;
use super::explanation::{LoginStep, SessionStep};
use super::token::date;
use crate::request::{RequestHead, add_session};

/// Adds the cookies of a session with these claims.
pub(super) fn put(claims: &str, policy: &Policy, now: Timestamp, head: &mut RequestHead) -> Result<(), String> {
    match serde_json::from_str(claims) {
        Ok(Value::Object(claims)) => add_session(claims, policy, now, head),
        _ => Err(String::from("the session's claims: expected a JSON object, such as `{\"sub\": \"alice\"}`")),
    }
}

impl Context<'_> {
    pub(super) fn session(&self) -> Option<SessionStep> {
        let session = self.trace.session.as_ref()?;
        let login = self.login_at(session.login)?;
        Some(SessionStep {
            login: login.name().to_string(),
            issuer: self.issuer_name(login.issuer()),
            claims: serde_json::from_str(&session.claims).ok(),
            created: date(session.created.since_epoch().as_secs()),
            expires: session.fresh_until.map(|until| date(until.since_epoch().as_secs())),
            over: session.is_over,
            reason: session.odd_groups.as_ref().map(|_| Reason::BadClaim.name().to_string()),
            detail: session.odd_groups.as_ref().map(ToString::to_string),
        })
    }

    pub(super) fn login(&self) -> Option<LoginStep> {
        let login = self.login_at(self.trace.login?)?;
        let session = self.policy.browser()?.session();
        let callback = session.paths().all().into_iter().find(|(name, _)| *name == "callback").map(|(_, path)| path)?;
        Some(LoginStep {
            login: login.name().to_string(),
            issuer: self.policy.issuers().get(login.issuer())?.identifier().to_string(),
            authorization: login.endpoints().authorization().map(|endpoint| endpoint.as_str().to_string()),
            discovery: discovery_of(login),
            redirect_uri: format!("{}{callback}", session.public_url().as_str()),
            scopes: login.scopes().to_vec(),
        })
    }

    /// Where a browser that navigates would be sent, if this request does not.
    pub(super) fn login_elsewhere(&self, rule: Option<usize>) -> Option<&str> {
        let sends = self.policy.unauthenticated(rule) == gate::rules::Unauthenticated::Login;
        self.policy.login(rule).filter(|_| sends && self.trace.login.is_none()).map(Login::name)
    }

    fn login_at(&self, index: usize) -> Option<&Login> {
        self.policy.browser()?.logins().get(index)
    }
}

/// The document that has the endpoints which are not configured.
fn discovery_of(login: &Login) -> Option<String> {
    let Provider::OpenIdConnect { discovery: Some((discovery, _)) } = login.provider() else { return None };
    let uri = &discovery.uri;
    Some(format!("{}://{}{}", uri.scheme(), uri.authority, uri.path))
}
