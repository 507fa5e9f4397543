//! JSON, as the engine reads it.

use jose::json::{Document, Kind, Value};

use super::node::{Content, Member, Node};

/// The value that `text` is, if it is JSON.
pub(super) fn read(text: &str) -> Option<Node> {
    text.trim_start().starts_with(['{', '[']).then_some(())?;
    let document = Document::parse(text.as_bytes()).ok()?;
    Some(node(document.root(), text))
}

/// Recursion is bounded: the reader rejects what nests deeper than 32 levels.
fn node(value: Value<'_>, text: &str) -> Node {
    let content = match (value.kind(), value.as_str()) {
        (_, Some(text)) => Content::Text(text.to_string()),
        (Kind::Array, _) => Content::List(value.elements().map(|element| node(element, text)).collect()),
        (Kind::Object, _) => Content::Map(members(value, text)),
        (Kind::Bool, _) => Content::Bool(value.as_bool().unwrap_or_default()),
        (Kind::Number, _) => {
            Content::Number(value.as_number().map(|number| number.text().to_string()).unwrap_or_default())
        }
        (Kind::Null | Kind::String, _) => Content::Null,
    };
    Node::new(content, value.span())
}

fn members(value: Value<'_>, text: &str) -> Vec<Member> {
    let mut before = value.span().start;
    let member = |(name, value): (&str, Value<'_>)| {
        let name_span = name_before(text, before, value.span().start);
        before = value.span().end;
        Member { name: name.to_string(), name_span, ambiguity: None, value: node(value, text) }
    };
    value.members().map(member).collect()
}

/// The location of the name between the end of one value and the start of the next one: from the first quote to the last.
fn name_before(text: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    let between = text.get(start..end).unwrap_or_default();
    match (between.find('"'), between.rfind('"')) {
        (Some(first), Some(last)) => start.saturating_add(first)..start.saturating_add(last).saturating_add(1),
        _ => start..end,
    }
}
