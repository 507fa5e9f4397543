//! Browsers: the session that one is assumed to have, and the login that it is sent to.

use driver::memory::Sequence;
use gate::explain::session_cookies;
use gate::policy::{Browser, Issuer, Login, Provider};
use gate::{Policy, Timestamp};
use serde_json::{Map, Value};

use super::context::Context;
use super::explanation::{LoginStep, SessionStep};
use super::token::date;
use crate::request::RequestHead;

/// Adds the cookies of a session with these claims, as if its browser had just logged in.
pub(super) fn put(claims: &str, policy: &Policy, now: Timestamp, head: &mut RequestHead) -> Result<(), String> {
    let wrong = |problem: &str| format!("the session's claims: {problem}");
    let Ok(Value::Object(mut claims)) = serde_json::from_str(claims) else {
        return Err(wrong("expected a JSON object, such as `{\"sub\": \"alice\"}`"));
    };
    let (index, issuer) = login_of(policy, &claims)?;
    let tenant_free = issuer.filter(|issuer| issuer.tenants().is_none());
    if let Some(issuer) = tenant_free {
        claims.entry("iss").or_insert_with(|| issuer.identifier().into());
    }
    let text = Value::Object(claims).to_string();
    // It seals what is opened at once, and is shown to nobody.
    let cookies = session_cookies(policy, index, &text, now, &Sequence::default()).map_err(|error| wrong(&error))?;
    head.add("cookie", &cookies);
    Ok(())
}

/// The first login at the issuer that the claims name; the first of all where they name none.
fn login_of<'p>(policy: &'p Policy, claims: &Map<String, Value>) -> Result<(usize, Option<&'p Issuer>), String> {
    let logins = policy.browser().map(Browser::logins).unwrap_or_default();
    if logins.is_empty() {
        return Err(String::from("there is no `login` in the configuration, and so there are no sessions"));
    }
    let issuer = |login: &Login| policy.issuers().get(login.issuer());
    let Some(iss) = claims.get("iss").and_then(Value::as_str) else {
        return Ok((0, logins.first().and_then(issuer)));
    };
    let is_its = |login: &Login| {
        let is_of = |issuer: &Issuer| issuer.tenants().is_some() || issuer.identifier() == iss;
        issuer(login).is_some_and(is_of)
    };
    match logins.iter().position(is_its) {
        Some(index) => Ok((index, logins.get(index).and_then(issuer))),
        None => Err(format!("no `login` is at the issuer `{iss}`")),
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
