//! Why a token is rejected, and what is to be said of the claim that is at fault.

use jose::json::{Kind, Value};

use crate::claims::ClaimRef;
use crate::report::Reason;

/// Why a token is rejected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Rejection {
    pub(super) reason: Reason,
    /// What more answer, log and `explain` say: the name of a claim and the type that was found, never its value.
    pub(super) detail: Option<String>,
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: None }
    }
}

impl Rejection {
    fn bad_claim(detail: String) -> Self {
        Self { reason: Reason::BadClaim, detail: Some(detail) }
    }

    /// The token lacks a claim that it needs.
    pub(super) fn missing(name: &str) -> Self {
        Self::bad_claim(format!("the claim `{name}` is missing"))
    }

    /// A claim is not of a type that it may have.
    pub(super) fn wrong_type(name: &str, found: Value<'_>, expected: &str) -> Self {
        Self::bad_claim(odd(name, found, expected))
    }

    /// A claim of groups holds something else than objects that are named by `member`.
    pub(super) fn not_named_by(name: &str, found: Value<'_>, member: &str) -> Self {
        let is_odd = |group: &Value<'_>| group.get(member).and_then(Value::as_str).is_none();
        let odd = match found.kind() {
            Kind::Array => found.elements().find(is_odd),
            _ => None,
        };
        let text = match odd.map(|group| (group.kind(), group.get(member).map(Value::kind))) {
            None => found.kind().to_string(),
            Some((Kind::Object, None)) => String::from("a list with an object that has none"),
            Some((Kind::Object, Some(kind))) => format!("a list with an object in it where that is {kind}"),
            Some((kind, _)) => format!("a list with {kind} in it"),
        };
        Self::bad_claim(format!("the claim `{name}` is {text}, expected objects with a string `{member}`"))
    }

    /// A claim is something else than it has to be.
    pub(super) fn not(name: &str, expected: &str) -> Self {
        Self::bad_claim(format!("the claim `{name}` is not {expected}"))
    }

    /// The token has no audience.
    pub(super) fn no_audience(claims: &[ClaimRef]) -> Self {
        let names: Vec<_> = claims.iter().map(|claim| format!("`{}`", name(claim))).collect();
        let detail =
            format!("the token names no audience: {} missing or empty", names.join(" and ") + verb(names.len()));
        Self { reason: Reason::WrongAudience, detail: Some(detail) }
    }
}

fn verb(count: usize) -> &'static str {
    if count == 1 { " is" } else { " are" }
}

/// What is to be said of a claim of the wrong type.
pub(super) fn odd(name: &str, found: Value<'_>, expected: &str) -> String {
    format!("the claim `{name}` is {}, expected {expected}", describe(found))
}

/// How a claim is called.
pub(super) fn name(claim: &ClaimRef) -> String {
    claim.names().join(".")
}

/// The type of a value; of a list, that of the first element that is no string as well.
fn describe(value: Value<'_>) -> String {
    let odd = value.elements().find(|element| element.kind() != Kind::String);
    match odd {
        Some(element) => format!("{} with {} in it", value.kind(), element.kind()),
        None => value.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jose::json::Document;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    #[cfg(not(target_family = "wasm"))] // snapshots are files
    fn details_name_the_claim_and_the_type_that_was_found() {
        let wrong = |json: &str| {
            let document = Document::parse(json.as_bytes()).expect(json);
            odd("realm.roles", document.root(), "a string or an array of strings")
        };
        let mut lines: Vec<_> = ["1", "true", "{}", "[1]", r#"["a",{}]"#, "[[]]", "[null]"].map(wrong).to_vec();
        let claims = ["aud", "client_id"].map(|name| ClaimRef::dotted(name).expect("is a claim"));
        for json in ["1", "{}", r#"["a"]"#, r#"[{"name":"a"},{}]"#, r#"[{"name":1}]"#] {
            let document = Document::parse(json.as_bytes()).expect(json);
            lines.extend(Rejection::not_named_by("groups", document.root(), "name").detail);
        }
        lines.extend(
            [
                Rejection::missing("exp"),
                Rejection::not("sub", "the SPIFFE ID of a workload"),
                Rejection::no_audience(&claims),
                Rejection::no_audience(&claims[..1]),
            ]
            .map(|rejection| rejection.detail.expect("says more")),
        );
        insta::assert_snapshot!(lines.join("\n"));
    }
}
