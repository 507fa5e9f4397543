//! Values as text that a header carries faithfully (RFC 9110 §5.5): as it is, or not at all.

use std::borrow::Cow;

use jose::json::{Kind, Value};

use crate::json_text;

/// How a value with parts is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Form {
    /// With this between the parts; by default a space between scopes, a comma between all others.
    Joined(Option<String>),
    /// As JSON on one line.
    Json,
}

/// A value that no header can carry faithfully.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unrepresentable;

/// A claim: strings as they are, numbers with the digits that they have, nothing for null.
pub(super) fn of_claim<'d>(claim: Value<'d>, form: &Form) -> Result<Option<Cow<'d, str>>, Unrepresentable> {
    let separator = match form {
        _ if claim.is_null() => return Ok(None),
        Form::Json => return Ok(Some(json_text::compact(claim).into())),
        Form::Joined(separator) => separator.as_deref().unwrap_or(","),
    };
    match claim.kind() {
        Kind::Array => {
            let elements: Option<Vec<_>> = claim.elements().map(scalar).collect();
            joined(&elements.ok_or(Unrepresentable)?, separator)
        }
        _ => scalar(claim).map(|text| Some(text.into())).ok_or(Unrepresentable),
    }
}

/// What names one person: a string (RFC 7519 §4.1.2, OIDC Core §5.1), or the digits of a number, which some use.
/// An empty one would be a user to one server and no user to another.
pub(super) fn of_name<'d>(claim: Value<'d>, form: &Form) -> Result<Option<Cow<'d, str>>, Unrepresentable> {
    match claim.kind() {
        Kind::String if claim.as_str() == Some("") => Err(Unrepresentable),
        Kind::String | Kind::Number | Kind::Null => of_claim(claim, form),
        Kind::Array | Kind::Bool | Kind::Object => Err(Unrepresentable),
    }
}

/// Several texts, with `separator` between them unless the form has one of its own.
pub(super) fn of_list<'l>(
    list: &'l [String],
    separator: &str,
    form: &Form,
) -> Result<Option<Cow<'l, str>>, Unrepresentable> {
    match form {
        Form::Json if list.is_empty() => Ok(None),
        Form::Json => {
            let texts: Vec<_> = list.iter().map(|text| json_text::string(text)).collect();
            Ok(Some(format!("[{}]", texts.join(",")).into()))
        }
        Form::Joined(own) => {
            let texts: Vec<_> = list.iter().map(String::as_str).collect();
            joined(&texts, own.as_deref().unwrap_or(separator))
        }
    }
}

/// A value is sent as it is or not at all.
pub(super) fn check(text: &str, max_bytes: usize) -> Result<&str, Unrepresentable> {
    let has_control = match text.is_ascii() {
        true => text.bytes().any(|byte| byte.is_ascii_control()),
        false => text.chars().any(char::is_control),
    };
    let is_faithful = text.len() <= max_bytes && !has_control && !has_blanks_around(text);
    if is_faithful { Ok(text) } else { Err(Unrepresentable) }
}

fn scalar(value: Value<'_>) -> Option<&str> {
    value.as_str().or_else(|| json_text::bare(value))
}

/// None makes no header. What stands in a list must come out of it again: taking it apart at the separators must give
/// the same elements, and none of them may begin or end with a blank, or be empty.
fn joined<'e>(elements: &[&'e str], separator: &str) -> Result<Option<Cow<'e, str>>, Unrepresentable> {
    if elements.is_empty() {
        return Ok(None);
    }
    if elements.iter().any(|element| element.is_empty() || has_blanks_around(element)) {
        return Err(Unrepresentable);
    }
    let text = elements.join(separator);
    match text.split(separator).eq(elements.iter().copied()) {
        true => Ok(Some(text.into())),
        false => Err(Unrepresentable),
    }
}

fn has_blanks_around(text: &str) -> bool {
    text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace)
}
