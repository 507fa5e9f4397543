//! Placeholders in the strings of a case.

use serde_json::Value;
use std::time::Duration;

/// Makes what a placeholder stands for. It gets the placeholder's content (`{{token: {sub: alice}}}` is the object
/// `{"token": {"sub": "alice"}}`) and the case's `now` since the Unix epoch. An error fails the case.
pub type Mint<'a> = dyn Fn(&Value, Duration) -> Result<Value, String> + 'a;

/// Fills the placeholders of every string in a document.
pub(super) fn fill(document: &mut Value, mint: &Mint<'_>, now: Duration) -> Result<(), String> {
    match document {
        Value::String(text) => {
            if let Some(filled) = fill_text(text, mint, now)? {
                *document = filled;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill(item, mint, now)),
        Value::Object(members) => members.values_mut().try_for_each(|member| fill(member, mint, now)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// `None`: there is no placeholder.
fn fill_text(text: &str, mint: &Mint<'_>, now: Duration) -> Result<Option<Value>, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (content, after) = split_placeholder(after)?;
        let value = mint(&content, now).map_err(|error| format!("placeholder `{content}`: {error}"))?;
        match value {
            Value::String(value) => filled = filled + before + &value,
            value if before.is_empty() && filled.is_empty() && after.is_empty() => return Ok(Some(value)),
            _ => return Err(format!("placeholder `{content}` is no text, so it must be the whole value of `{text}`")),
        }
        rest = after;
    }
    Ok((rest.len() != text.len()).then(|| Value::String(filled + rest)))
}

/// Splits at the `}}` that ends the placeholder: the first at which its content is a mapping.
fn split_placeholder(text: &str) -> Result<(Value, &str), String> {
    for (at, _) in text.match_indices('}') {
        let (content, rest) = text.split_at(at);
        let content = yaml_serde::from_str::<Value>(&format!("{{{content}}}"));
        if let (Ok(content @ Value::Object(_)), Some(rest)) = (content, rest.strip_prefix("}}")) {
            return Ok((content, rest));
        }
    }
    Err(format!("expected a placeholder such as `{{{{token: {{sub: alice}}}}}}`, found `{{{{{text}`"))
}
