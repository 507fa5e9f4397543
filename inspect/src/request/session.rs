//! The session that a browser is assumed to have.

use driver::memory::Sequence;
use gate::explain::session_cookies;
use gate::policy::{Browser, Issuer, Login};
use gate::{Policy, Timestamp};
use serde_json::{Map, Value};

use super::head::RequestHead;

/// Adds the cookies of a session with these claims, as if its browser had just logged in.
pub(crate) fn add_session(
    mut claims: Map<String, Value>,
    policy: &Policy,
    now: Timestamp,
    head: &mut RequestHead,
) -> Result<(), String> {
    let (index, issuer) = login_of(policy, &claims)?;
    if let Some(issuer) = issuer.filter(|issuer| issuer.tenants().is_none()) {
        claims.entry("iss").or_insert_with(|| issuer.identifier().into());
    }
    let text = Value::Object(claims).to_string();
    // It seals what is opened at once, and is shown to nobody.
    let cookies = session_cookies(policy, index, &text, now, &Sequence::default());
    head.add("cookie", &cookies.map_err(|error| format!("the session's claims: {error}"))?);
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
