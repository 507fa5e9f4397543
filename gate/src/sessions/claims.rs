//! The claims that a session keeps: those that the policy reads, so that they fit into cookies.
//!
//! A session that was sealed when the policy read fewer is renewed before it is used: a claim that was not kept must
//! not pass for one that is absent, which a `not` would let pass.

use std::collections::BTreeSet;

use jose::Hash;
use jose::json::Value;

use crate::claims::ClaimRef;
use crate::distinct::set_of;
use crate::identity::IdentityValue;
use crate::json_text;
use crate::octets::put;
use crate::policy::{ClaimsFrom, Issuer, Login, Policy};

/// What is read of every session: by the gate itself, by pages that ask for the session, and at the next refresh.
const ALWAYS: [&str; 11] =
    ["auth_time", "email", "email_verified", "exp", "iat", "iss", "name", "nonce", "preferred_username", "sid", "sub"];

/// The claims that are kept of an issuer's users.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeptClaims {
    /// The names at the top; all where a header carries the whole payload.
    names: Option<BTreeSet<String>>,
    digest: [u8; 8],
}

impl KeptClaims {
    /// Those that `policy` reads of the users of `issuer` who come by this login.
    pub(crate) fn new(policy: &Policy, login: &Login, issuer: &Issuer) -> Self {
        let values = || policy.identity.iter().flat_map(|header| &header.values);
        let in_headers = values().filter_map(|value| match value {
            IdentityValue::Claim(claim) | IdentityValue::Name(claim) => Some(claim),
            _ => None,
        });
        let of_issuer = issuer.scope_claims.iter().chain(&issuer.audience_claims).chain([&issuer.groups_claim.claim]);
        let signed = || policy.upstream.signed().flat_map(|token| &token.claims);
        let in_tokens = signed().filter_map(|claim| claim.value.claim());
        let references = policy.tested_claims.iter().chain(in_headers).chain(in_tokens).chain(of_issuer);
        // What a token was made of is named in it.
        let jti = (!policy.upstream.credentials.is_empty()).then(|| String::from("jti"));
        let tenant = issuer.tenants().map(|pattern| pattern.claim().to_string());
        let names = ALWAYS
            .map(String::from)
            .into_iter()
            .chain(references.flat_map(ClaimRef::top_names))
            .chain(tenant)
            .chain(jti);
        let names = if values().any(|value| *value == IdentityValue::Payload) { None } else { Some(set_of(names)) };
        Self::of(names, &source_of(login), &scopes_of(login))
    }

    /// Those of each login, in their order.
    pub(crate) fn of_logins(policy: &Policy) -> Vec<Self> {
        let logins = policy.browser.iter().flat_map(|browser| &browser.logins);
        // INVARIANT: each login is of an issuer of the policy.
        logins.filter_map(|login| Some(Self::new(policy, login, policy.issuers.get(login.issuer)?))).collect()
    }

    fn of(names: Option<BTreeSet<String>>, source: &[u8], scopes: &[u8]) -> Self {
        let mut octets = vec![u8::from(names.is_some())];
        names.iter().flatten().for_each(|name| put(&mut octets, name.as_bytes()));
        let half = |parts: &[&[u8]]| {
            let hash = Hash::Sha256.digest(parts);
            u64::from(u32::from_be_bytes(hash.first_chunk().copied().unwrap_or_default()))
        };
        let (claims, grant) = (half(&[b"jotgate claims", &octets, source]), half(&[b"jotgate scopes", scopes]));
        Self { names, digest: (claims << 32 | grant).to_be_bytes() }
    }

    /// Those of `claims` that are kept, as a JSON object. Null is absent, and `nonce` that of the login, whatever a later
    /// token or an access token says (OpenID Connect Core 1.0 §12.2).
    pub(crate) fn select(&self, claims: Value<'_>, nonce: Option<&str>) -> String {
        let is_kept = |(name, value): &(&str, Value<'_>)| *name != "nonce" && self.keeps(name) && !value.is_null();
        let kept = json_text::object(claims.members().filter(is_kept));
        match (kept.strip_suffix('}'), nonce) {
            (Some(kept), Some(nonce)) => {
                let comma = if kept.len() > 1 { "," } else { "" };
                [kept, comma, "\"nonce\":", &json_text::string(nonce), "}"].concat()
            }
            _ => kept,
        }
    }

    /// Whether a claim is kept.
    pub(crate) fn keeps(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Another one for each list of names, and for claims from elsewhere; one of other scopes is of
    /// [another grant](is_of_another_grant).
    pub(crate) fn digest(&self) -> [u8; 8] {
        self.digest
    }
}

/// Whether a session with that digest has tokens for other scopes than those that are read now: no refresh gives more
/// than the user's consent did (RFC 6749 §6), but a login does.
pub(crate) fn is_of_another_grant(digest: [u8; 8], read: [u8; 8]) -> bool {
    digest.last_chunk::<4>() != read.last_chunk::<4>()
}

/// Where the claims of a login's users come from.
fn source_of(login: &Login) -> [u8; 2] {
    [u8::from(login.userinfo), u8::from(login.claims_from == ClaimsFrom::AccessToken)]
}

/// Which tokens a login's users consent to.
fn scopes_of(login: &Login) -> Vec<u8> {
    let mut octets = Vec::new();
    // In whatever order.
    for scope in &set_of(login.scopes.iter().cloned()) {
        put(&mut octets, scope.as_bytes());
    }
    octets
}

#[cfg(test)]
mod tests {
    use jose::json::Document;
    use serde_json::json;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::testing::policy;

    fn kept(changes: &serde_json::Value) -> KeptClaims {
        let mut changes = changes.clone();
        changes["login"] = json!({
            "issuer": "main", "cluster": "idp", "client": {"id": "dash"},
            "endpoints": {"authorization": "https://idp.example.com/a", "token": "https://idp.example.com/t"},
        });
        changes["session"] =
            json!({"secrets": ["0123456789abcdef0123456789abcdef"], "publicUrl": "https://dash.example.com"});
        let mut kept = KeptClaims::of_logins(&policy(&changes));
        kept.pop().expect("there is a login")
    }

    fn select(kept: &KeptClaims, claims: &str) -> String {
        kept.select(Document::parse(claims.as_bytes()).expect("is JSON").root(), None)
    }

    fn rule(claims: &serde_json::Value) -> serde_json::Value {
        json!({"rules": [{"name": "a", "access": {"not": {"claims": claims}}}]})
    }

    #[test]
    fn what_everybody_needs_is_kept_and_the_rest_is_not() {
        let kept = kept(&json!({}));
        let claims =
            r#"{"sub":"alice","nonce":"n","exp":1.50e3,"at_hash":"x","email":null,"picture":"p","scope":"a b"}"#;
        assert_eq!(select(&kept, claims), r#"{"sub":"alice","exp":1.50e3,"scope":"a b"}"#);
        assert_eq!(select(&kept, "{}"), "{}");
    }

    #[test]
    fn a_nonce_is_that_of_the_login() {
        let select = |claims: &str| {
            let document = Document::parse(claims.as_bytes()).expect("is JSON");
            kept(&json!({})).select(document.root(), Some("of \"the\" login"))
        };
        assert_eq!(select(r#"{"nonce":"n","sub":"a"}"#), r#"{"sub":"a","nonce":"of \"the\" login"}"#);
        assert_eq!(select(r#"{"nonce":1}"#), r#"{"nonce":"of \"the\" login"}"#);
    }

    #[test]
    fn what_is_kept_is_read_again_as_it_was() {
        let kept = kept(&rule(&json!({"a": {"exists": true}})));
        let claims = r#"{ "a" : {"b": [1, -0.0, 1e400, "\u00e9\u2028\"\\/", null, true, {"c": {}}]}, "\u0073ub": "\ud83d\ude00" }"#;
        let text = select(&kept, claims);
        assert_eq!(select(&kept, &text), text);
        let (before, after) = (Document::parse(claims.as_bytes()), Document::parse(text.as_bytes()));
        let (before, after) = (before.expect("is JSON"), after.expect("is JSON"));
        for (name, value) in before.root().members() {
            assert_eq!(after.root().get(name).map(json_text::compact), Some(json_text::compact(value)), "{name}");
        }
    }

    #[test]
    fn claims_that_rules_test_are_kept_in_every_reading_of_a_dotted_path() {
        let kept = kept(&rule(&json!({"a.b.c": {"exists": true}})));
        for (claims, is_kept) in [
            (r#"{"a":{"b":{"c":1}}}"#, true),
            (r#"{"a.b":{"c":1}}"#, true),
            (r#"{"a.b.c":1}"#, true),
            (r#"{"b":{"c":1}}"#, false),
            (r#"{"a.c":1}"#, false),
        ] {
            assert_eq!(select(&kept, claims), if is_kept { claims } else { "{}" });
        }
    }

    #[test]
    fn whatever_the_policy_reads_is_kept() {
        let keys = json!({"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"});
        let kept = kept(&json!({
            "issuers": [{
                "name": "main",
                "issuer": "https://idp.example.com/{tenant}",
                "tenants": ["a"],
                "audiences": ["api"],
                "audienceClaims": ["aud", "resource"],
                "scopeClaims": ["scp"],
                "groupsClaim": "roles",
                "keys": keys,
            }],
            "identityHeaders": {"x-one": "department"},
        }));
        for name in ["tenant", "aud", "resource", "scp", "roles", "department", "email", "email_verified"] {
            let claims = format!(r#"{{"{name}":1}}"#);
            assert_eq!(select(&kept, &claims), claims);
        }
        assert_eq!(select(&kept, r#"{"groups":1,"scope":2}"#), "{}");
    }

    #[test]
    fn a_header_with_the_payload_keeps_all() {
        let kept = kept(&json!({"identityHeaders": {"x-payload": "$claims"}}));
        assert_eq!(select(&kept, r#"{"anything":1,"sub":null}"#), r#"{"anything":1}"#);
    }

    #[test]
    fn the_digest_is_another_for_each_list_of_names() {
        let digests = [
            kept(&json!({})),
            kept(&rule(&json!({"a": {"exists": true}}))),
            kept(&rule(&json!({"b": {"exists": true}}))),
            kept(&json!({"identityHeaders": {"x-payload": "$claims"}})),
        ]
        .map(|kept| kept.digest());
        assert!((0..4).all(|index| !digests[index + 1..].contains(&digests[index])));
        let both = json!({"a": {"exists": true}, "b": {"exists": true}});
        let again = json!({"b": {"exists": true}, "a": {"equals": "x"}});
        assert_eq!(kept(&rule(&both)).digest(), kept(&rule(&again)).digest(), "order and tests do not matter");
        let one = |name: &str| Some(BTreeSet::from([name.to_string()]));
        assert_ne!(KeptClaims::of(one(""), b"", b"").digest, KeptClaims::of(Some(BTreeSet::new()), b"", b"").digest);
    }
}
