//! Identity headers: what the upstream is told about a caller that was verified.

use jose::json::{Kind, Value};

use crate::claims::ClaimRef;

/// A header that the upstream gets.
#[derive(Clone, Debug)]
pub struct IdentityHeader {
    /// Its name, in lower case.
    pub name: String,
    /// What it tells.
    pub value: IdentityValue,
    /// Whether it is left out where its value does not fit a header; otherwise the request is refused.
    pub omit: bool,
}

/// What an identity header tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IdentityValue {
    /// A claim; the elements of an array with commas between them.
    Claim(ClaimRef),
    /// The groups, with commas between them.
    Groups,
    /// The issuer, as `iss` has it.
    Issuer,
    /// A claim that names one person, such as `sub`: a string that is not empty, or the digits of a number.
    Name(ClaimRef),
    /// The name of the rule that let the request pass.
    Rule,
    /// The scopes, sorted, with spaces between them.
    Scopes,
    /// `email`, unless `email_verified` is there and not true.
    VerifiedEmail,
}

/// An identity header whose value is settled as far as the token goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Rendered {
    /// The name of the rule belongs here.
    RuleName,
    /// This text.
    Text(String),
}

/// What the values of identity headers are taken from. Made from verified tokens only: see `principal`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verified<'v> {
    pub(crate) claims: Value<'v>,
    pub(crate) issuer: &'v str,
    pub(crate) scopes: &'v [String],
    pub(crate) groups: &'v [String],
    pub(crate) max_bytes: usize,
}

/// A value that no header can carry faithfully.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unrepresentable;

impl IdentityHeader {
    /// The value of this header; `None`: it is left out.
    pub(crate) fn render(&self, verified: &Verified<'_>) -> Result<Option<Rendered>, Unrepresentable> {
        let text = match &self.value {
            IdentityValue::Rule => return Ok(Some(Rendered::RuleName)),
            IdentityValue::Claim(reference) => reference.find(verified.claims).map_or(Ok(None), claim_text),
            IdentityValue::Groups => joined(verified.groups.iter().map(|group| Ok(group.as_str())), b','),
            IdentityValue::Issuer => Ok(Some(verified.issuer.to_string())),
            IdentityValue::Name(reference) => reference.find(verified.claims).map_or(Ok(None), one_name),
            IdentityValue::Scopes => joined(verified.scopes.iter().map(|scope| Ok(scope.as_str())), b' '),
            IdentityValue::VerifiedEmail => verified_email(verified.claims).map_or(Ok(None), one_name),
        };
        match text.and_then(|text| text.map(|text| check(text, verified.max_bytes)).transpose()) {
            Err(Unrepresentable) if self.omit => Ok(None),
            text => text.map(|text| text.map(Rendered::Text)),
        }
    }
}

fn verified_email(claims: Value<'_>) -> Option<Value<'_>> {
    let is_denied = claims.get("email_verified").is_some_and(|verified| verified.as_bool() != Some(true));
    if is_denied { None } else { claims.get("email") }
}

impl IdentityValue {
    /// What a claim is to be told as: `sub` and `email` name one person, whoever asks for them.
    pub(crate) fn of_claim(reference: ClaimRef) -> Self {
        match reference.names_a_person() {
            true => Self::Name(reference),
            false => Self::Claim(reference),
        }
    }
}

/// What names one person: a string (RFC 7519 §4.1.2, OIDC Core §5.1), or the digits of a number, which some use.
/// An empty one would be somebody to one server and nobody to another.
fn one_name(claim: Value<'_>) -> Result<Option<String>, Unrepresentable> {
    match claim.kind() {
        Kind::String if claim.as_str() == Some("") => Err(Unrepresentable),
        Kind::String | Kind::Number | Kind::Null => claim_text(claim),
        Kind::Array | Kind::Bool | Kind::Object => Err(Unrepresentable),
    }
}

/// Strings as they are, numbers with the digits they have, nothing for null.
fn claim_text(claim: Value<'_>) -> Result<Option<String>, Unrepresentable> {
    match claim.kind() {
        Kind::Array => joined(claim.elements().map(|element| scalar_text(element).ok_or(Unrepresentable)), b','),
        Kind::Null => Ok(None),
        Kind::Object => Err(Unrepresentable),
        _ => Ok(scalar_text(claim).map(str::to_string)),
    }
}

fn scalar_text(value: Value<'_>) -> Option<&str> {
    match value.as_bool() {
        Some(true) => Some("true"),
        Some(false) => Some("false"),
        None => value.as_str().or_else(|| value.as_number().map(jose::json::Decimal::text)),
    }
}

/// The elements with `separator` between them; none makes no header. What stands in a list must come out of it
/// again: no element may hold the separator, begin or end with a blank, or be empty.
fn joined<'e>(
    elements: impl Iterator<Item = Result<&'e str, Unrepresentable>>,
    separator: u8,
) -> Result<Option<String>, Unrepresentable> {
    let mut joined: Option<String> = None;
    for element in elements {
        let element = element?;
        if element.is_empty() || element.bytes().any(|byte| byte == separator) || has_blanks_around(element) {
            return Err(Unrepresentable);
        }
        match &mut joined {
            None => joined = Some(element.to_string()),
            Some(text) => {
                text.push(char::from(separator));
                text.push_str(element);
            }
        }
    }
    Ok(joined)
}

fn has_blanks_around(text: &str) -> bool {
    text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace)
}

/// A value is sent as it is or not at all (RFC 9110 §5.5).
fn check(text: String, max_bytes: usize) -> Result<String, Unrepresentable> {
    let is_faithful = text.len() <= max_bytes && !text.chars().any(char::is_control) && !has_blanks_around(&text);
    if is_faithful { Ok(text) } else { Err(Unrepresentable) }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use jose::json::Document;

    fn render(value: IdentityValue, claims: &str, omit: bool) -> Result<Option<Rendered>, Unrepresentable> {
        let document = Document::parse(claims.as_bytes()).expect(claims);
        let (scopes, groups) = (["a".to_string(), "b".to_string()], ["g,h".to_string()]);
        let verified = Verified {
            claims: document.root(),
            issuer: "https://idp",
            scopes: &scopes,
            groups: &groups,
            max_bytes: 20,
        };
        IdentityHeader { name: "x-h".into(), value, omit }.render(&verified)
    }

    fn claim(json: &str) -> Result<Option<String>, Unrepresentable> {
        let reference = ClaimRef::dotted("c").expect("is a reference");
        render(IdentityValue::Claim(reference), &format!("{{\"c\":{json}}}"), false).map(|rendered| {
            rendered.map(|rendered| match rendered {
                Rendered::Text(text) => text,
                Rendered::RuleName => String::from("the rule"),
            })
        })
    }

    #[test]
    fn values_are_carried_as_they_are() {
        for (json, text) in [
            ("\"alice\"", "alice"),
            ("\"Jos\u{e9}\"", "Jos\u{e9}"),
            ("9007199254740993", "9007199254740993"),
            ("1.50", "1.50"),
            ("-0", "-0"),
            ("true", "true"),
            ("[\"a\",\"b c\",1,false]", "a,b c,1,false"),
            ("\"\"", ""),
            ("\"a,b\"", "a,b"),
        ] {
            assert_eq!(claim(json), Ok(Some(text.to_string())), "{json}");
        }
        assert_eq!(claim("null"), Ok(None));
        assert_eq!(claim("[]"), Ok(None));
    }

    #[test]
    fn what_a_header_cannot_carry_is_refused_or_left_out_and_never_altered() {
        for json in [
            "\"a\\nb\"",
            "\"a\\rb\"",
            "\"\\u0000\"",
            "\"\\u0085\"",
            "\" a\"",
            "\"a \"",
            "\"\\ta\"",
            "\"123456789012345678901\"",
            "{}",
            "[[]]",
            "[null]",
            "[\"a,b\"]",
            "[\"\"]",
            "[\" a\",\"b\"]",
            "[{}]",
        ] {
            assert_eq!(claim(json), Err(Unrepresentable), "{json}");
        }
        assert_eq!(render(IdentityValue::Groups, "{}", false), Err(Unrepresentable));
        assert_eq!(render(IdentityValue::Groups, "{}", true), Ok(None));
    }

    #[test]
    fn what_names_a_person_names_one() {
        let name = |claims: &str| {
            let reference = ClaimRef::dotted("sub").expect("is a reference");
            render(IdentityValue::of_claim(reference), claims, false)
        };
        let told = |text: &str| Ok(Some(Rendered::Text(text.into())));
        assert_eq!(name(r#"{"sub":"alice"}"#), told("alice"));
        assert_eq!(name(r#"{"sub":9007199254740993}"#), told("9007199254740993"));
        assert_eq!((name("{}"), name(r#"{"sub":null}"#)), (Ok(None), Ok(None)));
        for sub in [r#""""#, "true", "[]", r#"["alice"]"#, r#"{"a":1}"#] {
            assert_eq!(name(&format!("{{\"sub\":{sub}}}")), Err(Unrepresentable), "{sub}");
        }
        assert!(matches!(IdentityValue::of_claim(ClaimRef::dotted("a.sub").expect("is one")), IdentityValue::Claim(_)));
    }

    #[test]
    fn an_email_that_is_not_verified_is_not_told() {
        let email = |claims: &str| render(IdentityValue::VerifiedEmail, claims, false);
        let told = || Ok(Some(Rendered::Text("a@b".into())));
        assert_eq!(email(r#"{"email":"a@b"}"#), told());
        assert_eq!(email(r#"{"email":"a@b","email_verified":true}"#), told());
        assert_eq!(email(r#"{"email":["a@b","c@d"]}"#), Err(Unrepresentable));
        for verified in ["false", "null", "\"true\"", "1", "\"\""] {
            assert_eq!(email(&format!("{{\"email\":\"a@b\",\"email_verified\":{verified}}}")), Ok(None), "{verified}");
        }
    }
}
