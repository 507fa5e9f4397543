//! A tree as JSON.

use std::fmt::Write as _;
use std::ops::Range;

use super::node::{Content, Member, Node};
use super::scalar;

/// A tree as JSON text, which knows where each value was written.
#[derive(Clone, Debug)]
pub struct JsonText {
    /// The text.
    pub text: String,
    /// Where each value begins in the text, and where it comes from. Sorted.
    origins: Vec<(usize, Origin)>,
}

/// Where a value in JSON comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// The value in the file.
    pub value: Range<usize>,
    /// Its name, if it is a member.
    pub name: Option<Range<usize>>,
}

impl JsonText {
    /// `node` as JSON.
    pub fn new(node: &Node) -> Self {
        let mut json = Self { text: String::new(), origins: Vec::new() };
        json.write(node, None);
        json
    }

    /// Where the value comes from that begins at a byte of the text.
    pub fn origin(&self, offset: usize) -> Option<&Origin> {
        let index = self.origins.binary_search_by_key(&offset, |(offset, _)| *offset).ok()?;
        self.origins.get(index).map(|(_, origin)| origin)
    }

    /// Recursion is bounded: readers bound how deeply values nest.
    fn write(&mut self, node: &Node, name: Option<Range<usize>>) {
        self.origins.push((self.text.len(), Origin { value: node.span.clone(), name }));
        match &node.content {
            Content::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.text.push(if index == 0 { '[' } else { ',' });
                    self.write(element, None);
                }
                self.text.push_str(if elements.is_empty() { "[]" } else { "]" });
            }
            Content::Map(members) => {
                for (index, Member { name, name_span, value, .. }) in members.iter().enumerate() {
                    self.text.push(if index == 0 { '{' } else { ',' });
                    self.text.push_str(&quote(name));
                    self.text.push(':');
                    self.write(value, Some(name_span.clone()));
                }
                self.text.push_str(if members.is_empty() { "{}" } else { "}" });
            }
            scalar => self.text.push_str(&write_scalar(scalar)),
        }
    }
}

/// `node` as JSON over several lines; short lists of scalars are on one.
pub fn pretty_json(node: &Node) -> String {
    let mut text = String::new();
    write_pretty(node, 0, &mut text);
    text.push('\n');
    text
}

fn write_pretty(node: &Node, depth: usize, text: &mut String) {
    let indent = |depth: usize| "  ".repeat(depth);
    let inner = depth.saturating_add(1);
    match &node.content {
        Content::List(elements) if is_short(elements) => {
            let elements: Vec<_> = elements.iter().map(|element| write_scalar(&element.content)).collect();
            let _ = write!(text, "[{}]", elements.join(", "));
        }
        Content::List(elements) => {
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "[\n" } else { ",\n" });
                text.push_str(&indent(inner));
                write_pretty(element, inner, text);
            }
            let _ = write!(text, "\n{}]", indent(depth));
        }
        Content::Map(members) if !members.is_empty() => {
            for (index, member) in members.iter().enumerate() {
                text.push_str(if index == 0 { "{\n" } else { ",\n" });
                let _ = write!(text, "{}{}: ", indent(inner), quote(&member.name));
                write_pretty(&member.value, inner, text);
            }
            let _ = write!(text, "\n{}}}", indent(depth));
        }
        Content::Map(_) => text.push_str("{}"),
        scalar => text.push_str(&write_scalar(scalar)),
    }
}

/// Whether a list of scalars fits on a line.
fn is_short(elements: &[Node]) -> bool {
    let is_scalar = |element: &Node| !matches!(element.content, Content::List(_) | Content::Map(_));
    let width: usize = elements.iter().map(|element| write_scalar(&element.content).len()).sum();
    width <= 100 && elements.iter().all(is_scalar)
}

/// A value in YAML's flow style, on one line, as people write it.
pub fn flow(node: &Node) -> String {
    match &node.content {
        Content::Text(text) => plain(text).map_or_else(|| quote(text), String::from),
        Content::List(elements) => format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Content::Map(members) => {
            let member = |member: &Member| {
                let name = plain(&member.name).map_or_else(|| quote(&member.name), String::from);
                format!("{name}: {}", flow(&member.value))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        scalar => write_scalar(scalar),
    }
}

/// The text, if every reader of YAML reads it as text without quotes.
fn plain(text: &str) -> Option<&str> {
    let is_word =
        matches!(scalar::resolve(text), (Content::Text(_), None)) && scalar::ambiguity_of_name(text).is_none();
    let starts = text.starts_with(|first: char| first.is_ascii_alphanumeric() || "$/_".contains(first));
    let is_safe = |character: char| character.is_ascii_alphanumeric() || " $%&()*+-./;=?@_~|".contains(character);
    let has_colon = text.contains(':') && !text.starts_with("http");
    let is_safe = text.chars().all(|character| is_safe(character) || character == ':') && !has_colon;
    (is_word && starts && is_safe && !text.ends_with([' ', ':']) && !text.contains(": ")).then_some(text)
}

fn write_scalar(scalar: &Content) -> String {
    match scalar {
        Content::Bool(value) => value.to_string(),
        Content::Number(digits) => digits.clone(),
        Content::Text(text) => quote(text),
        Content::Null | Content::List(_) | Content::Map(_) => String::from("null"),
    }
}

/// A JSON string.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
