//! The claims of tokens and sessions for test cases.

use gate::Policy;
use gate::policy::{Audiences, Issuer, Tenants};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::format::Case;

/// Whose tokens and sessions they are, unless a case says otherwise.
const SUBJECT: &str = "tester";

/// A JSON object.
pub(super) type Members = Map<String, Value>;

/// The claims of the session that a case asks for.
pub(super) fn session_claims(
    case: &Case,
    given: &Members,
    defaults: &Members,
    policy: &Policy,
    now: u64,
) -> Result<Members, String> {
    let mut claims = Map::from_iter([(String::from("sub"), json!(SUBJECT))]);
    if case.issuer.is_some() {
        let issuer = find_issuer(policy, case.issuer.as_deref())?;
        claims.insert(String::from("iss"), json!(issuer.identifier()));
    }
    merge(&mut claims, defaults);
    merge(&mut claims, given);
    make_absolute(&mut claims, now);
    Ok(claims)
}

/// The claims of the token that a case asks for, beside the `usual` ones.
pub(super) fn token_claims(usual: Members, case: &Case, defaults: &Members, now: u64) -> Members {
    let mut claims = usual;
    for given in [Some(defaults), case.claims.as_ref()].into_iter().flatten() {
        merge(&mut claims, given);
    }
    make_absolute(&mut claims, now);
    claims
}

fn make_absolute(claims: &mut Members, now: u64) {
    for name in ["exp", "iat", "nbf"] {
        if let Some(date) = claims.get_mut(name) {
            *date = absolute(date, now);
        }
    }
}

/// The issuer of that name; without one, the first that has tokens.
pub(super) fn find_issuer<'p>(policy: &'p Policy, name: Option<&str>) -> Result<&'p Issuer, String> {
    let mut issuers = policy.issuers().iter();
    let found = match name {
        Some(name) => issuers.find(|issuer| issuer.name() == name),
        None => {
            issuers.clone().find(|issuer| issuer.signs()).or_else(|| issuers.find(|issuer| issuer.is_introspected()))
        }
    };
    found.ok_or_else(|| {
        let known: Vec<_> = policy.issuers().iter().map(|issuer| format!("`{}`", issuer.name())).collect();
        format!("expected the `name` of an issuer ({}), found `{}`", known.join(", "), name.unwrap_or_default())
    })
}

/// What any good token of the issuer has.
pub(super) fn usual_claims(issuer: &Issuer, now: u64) -> Members {
    let mut claims =
        Map::from_iter([(String::from("iat"), json!(now)), (String::from("exp"), json!(now.saturating_add(300)))]);
    let mut add = |name: &str, value: Value| claims.insert(name.to_string(), value);
    match (issuer.trust_domain(), issuer.tenants()) {
        (Some(domain), _) => {
            add("sub", json!(format!("spiffe://{domain}/tester")));
        }
        (None, Some(pattern)) => {
            let tenant = match pattern.tenants() {
                Tenants::Any => "tenant",
                Tenants::OneOf(tenants) => tenants.first().map_or("tenant", String::as_str),
            };
            add("iss", json!(pattern.issuer_of(tenant)));
            add("sub", json!(SUBJECT));
            add(pattern.claim(), json!(tenant));
        }
        (None, None) => {
            add("iss", json!(issuer.identifier()));
            add("sub", json!(SUBJECT));
        }
    }
    let audience = match issuer.audiences() {
        Audiences::OneOf(audiences) => audiences.first().map(String::as_str),
        // Each JWT-SVID has one.
        Audiences::Any => issuer.trust_domain(),
    };
    if let (Some(audience), Some(claim)) = (audience, issuer.audience_claims().first()) {
        insert_at(&mut claims, claim.names(), json!(audience));
    }
    claims
}

/// Inserts a value where a claim reference leads.
pub(super) fn insert_at(claims: &mut Members, names: &[String], value: Value) {
    match names {
        [] => {}
        [name] => drop(claims.insert(name.clone(), value)),
        [name, rest @ ..] => {
            let inner = claims.entry(name).or_insert_with(|| json!({}));
            if let Some(inner) = inner.as_object_mut() {
                insert_at(inner, rest, value);
            }
        }
    }
}

/// Null takes a member away.
pub(super) fn merge(into: &mut Members, changes: &Members) {
    for (name, value) in changes {
        match value {
            Value::Null => into.remove(name),
            value => into.insert(name.clone(), value.clone()),
        };
    }
}

/// A date such as `-5m` or `+1h` is relative to now.
fn absolute(date: &Value, now: u64) -> Value {
    let relative = date.as_str().filter(|text| text.starts_with(['-', '+']));
    let span = relative.and_then(|text| text.parse::<SignedDuration>().ok());
    let seconds = span.and_then(|span| now.checked_add_signed(span.as_secs()));
    seconds.map_or_else(|| date.clone(), Value::from)
}
