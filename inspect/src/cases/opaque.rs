//! Opaque tokens for test cases, and what their issuers say of them.

use gate::Policy;
use gate::credentials::TokenForm;
use gate::policy::{IntrospectionSettings, Issuer};
use serde_json::{Value, json};

use super::claims::{Members, insert_at, token_claims, usual_claims};
use super::format::{Case, Signature};

/// What follows the prefix of a token that is made up.
const REST: &str = "jotgate-test-token";

/// The issuer that alone can read a token.
pub(super) fn issuer_of<'p>(text: &str, policy: &'p Policy) -> Option<&'p Issuer> {
    policy.issuers().get(policy.introspects(text.as_bytes())?)
}

/// What is said of a token for which nobody vouches.
pub(super) fn unknown(text: &str, policy: &Policy) -> Option<String> {
    issuer_of(text, policy).map(|_| json!({"active": false}).to_string())
}

/// A token that looks like one of the issuer's.
pub(super) fn text(issuer: &Issuer, policy: &Policy) -> Result<String, String> {
    let prefix = match issuer.introspection().and_then(IntrospectionSettings::form) {
        Some(TokenForm::Prefix(prefix)) => prefix,
        Some(TokenForm::Pattern(_)) | None => "",
    };
    let text = [prefix, REST].concat();
    match issuer_of(&text, policy).is_some_and(|found| found.name() == issuer.name()) {
        true => Ok(text),
        false => Err(format!(
            "expected `token` beside `claims`: no token can be made up that `match` of the issuer `{}` fits, and no entry \
             before it",
            issuer.name()
        )),
    }
}

/// What its issuer says of the token of a case.
pub(super) fn answer(issuer: &Issuer, case: &Case, defaults: &Members, now: u64) -> Result<String, String> {
    if !case.token_header.is_empty() || case.signature != Signature::Good {
        return Err(String::from(
            "an opaque token has neither header nor signature: omit `tokenHeader` and `signature`",
        ));
    }
    let mut usual = usual_claims(issuer, now);
    usual.insert(String::from("active"), json!(true));
    let renames = issuer.introspection().map(IntrospectionSettings::renames).unwrap_or_default();
    let moved: Vec<_> =
        renames.iter().filter_map(|rename| Some((rename.from(), usual.remove(rename.name())?))).collect();
    for (from, value) in moved {
        insert_at(&mut usual, from.names(), value);
    }
    Ok(Value::Object(token_claims(usual, case, defaults, now)).to_string())
}
