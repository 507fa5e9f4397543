//! Tokens for test cases.
//!
//! The tool vouches for the tokens that it mints: their signatures are valid because it says so, and their keys are
//! public keys whose private halves are not used. The engine verifies everything else of them.

use std::collections::BTreeSet;

use gate::Policy;
use jiff::SignedDuration;
use jose::jwk::KeyMaterial;
use jose::signature::{CheckedBy, SignatureVerifier, Software};
use jose::{Algorithm, base64url};
use serde_json::{Map, Value, json};

use super::format::{Case, Signature};
use crate::stand_in_keys::stand_in_keys;
use gate::policy::{Audiences, Issuer, Tenants};

/// The `kid` of all keys.
const KID: &str = "jotgate-test";
/// Whose tokens and sessions they are, unless a case says otherwise.
const SUBJECT: &str = "tester";
const GOOD: &[u8] = b"vouched for";
const BAD: &[u8] = b"forged";

/// Mints tokens, and vouches for them.
#[derive(Debug, Default)]
pub(super) struct Mint {
    good: BTreeSet<Vec<u8>>,
}

impl SignatureVerifier for Mint {
    fn verify(&self, key: &KeyMaterial, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match signature {
            GOOD => self.good.contains(message),
            _ => Software.verify(key, algorithm, message, signature),
        }
    }

    fn checked_by(&self, algorithm: Algorithm) -> CheckedBy {
        CheckedBy::in_envoy(algorithm)
    }
}

impl Mint {
    /// The token that a case asks for.
    pub(super) fn token(
        &mut self,
        case: &Case,
        defaults: &Map<String, Value>,
        policy: &Policy,
        now: u64,
    ) -> Result<String, String> {
        let issuer = find_issuer(policy, case.issuer.as_deref())?;
        let mut claims = usual_claims(issuer, now);
        for given in [Some(defaults), case.claims.as_ref()].into_iter().flatten() {
            merge(&mut claims, given);
        }
        make_absolute(&mut claims, now);
        let algorithm = issuer.algorithms().iter().find(|algorithm| issuer.allows(**algorithm));
        let algorithm = algorithm
            .ok_or_else(|| format!("the issuer `{}` allows no algorithm that it has a key for", issuer.name()))?;
        let mut header = Map::from_iter([
            (String::from("alg"), json!(algorithm.name())),
            (String::from("kid"), json!(KID)),
            (
                String::from("typ"),
                json!(issuer.token_types().as_ref().and_then(|types| types.first()).map_or("JWT", String::as_str)),
            ),
        ]);
        merge(&mut header, &case.token_header);
        let part = |members: Map<String, Value>| base64url::encode(Value::Object(members).to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = match case.signature {
            Signature::Bad => BAD,
            Signature::Good => {
                self.good.insert(message.clone().into_bytes());
                GOOD
            }
        };
        Ok(format!("{message}.{}", base64url::encode(signature)))
    }
}

/// The claims of the session that a case asks for.
pub(super) fn session_claims(
    case: &Case,
    given: &Map<String, Value>,
    defaults: &Map<String, Value>,
    policy: &Policy,
    now: u64,
) -> Result<Map<String, Value>, String> {
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

fn make_absolute(claims: &mut Map<String, Value>, now: u64) {
    for name in ["exp", "iat", "nbf"] {
        if let Some(date) = claims.get_mut(name) {
            *date = absolute(date, now);
        }
    }
}

fn find_issuer<'p>(policy: &'p Policy, name: Option<&str>) -> Result<&'p Issuer, String> {
    let mut issuers = policy.issuers().iter().filter(|issuer| name.is_some() || issuer.signs());
    let found = match name {
        Some(name) => issuers.find(|issuer| issuer.name() == name),
        None => issuers.next(),
    };
    if let Some(issuer) = found.filter(|issuer| issuer.is_introspected()) {
        return Err(format!("the issuer `{}` is asked about its tokens: cases have none of its", issuer.name()));
    }
    found.ok_or_else(|| {
        let known: Vec<_> = policy.issuers().iter().map(|issuer| format!("`{}`", issuer.name())).collect();
        format!("expected the `name` of an issuer ({}), found `{}`", known.join(", "), name.unwrap_or_default())
    })
}

/// What any good token of the issuer has.
fn usual_claims(issuer: &Issuer, now: u64) -> Map<String, Value> {
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
fn insert_at(claims: &mut Map<String, Value>, names: &[String], value: Value) {
    if let [name, rest @ ..] = names {
        let value = rest.iter().rev().fold(value, |value, name| json!({ name: value }));
        claims.insert(name.clone(), value);
    }
}

/// Null takes a member away.
fn merge(into: &mut Map<String, Value>, changes: &Map<String, Value>) {
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

/// The policy with the keys of the mint for every issuer, so that no key is fetched, and no private one needed.
pub(super) fn with_keys(policy: Policy) -> Result<Policy, String> {
    policy.with_keys(|_, issuer| {
        if !issuer.signs() {
            return Ok(None);
        }
        // A secret would make algorithms work that do not without one.
        let has_secret =
            Algorithm::ALL.into_iter().any(|algorithm| algorithm.is_symmetric() && issuer.allows(algorithm));
        stand_in_keys(Some(KID), has_secret).map(Some)
    })
}
