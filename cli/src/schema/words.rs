//! What a schema allows, in a few words.

use inspect::document::{Node, flow};

/// A schema whose references can be followed.
#[derive(Clone, Copy)]
pub(super) struct Words<'s> {
    schema: &'s Node,
}

impl<'s> Words<'s> {
    pub(super) fn new(schema: &'s Node) -> Self {
        Self { schema }
    }

    /// What a value is for.
    pub(super) fn description(self, node: &'s Node) -> String {
        let own = node.get("description").or_else(|| self.resolve(node).get("description"));
        own.and_then(Node::text).unwrap_or_default().replace('|', "\\|")
    }

    /// A value that it may be.
    pub(super) fn example(self, node: &'s Node) -> Option<&'s Node> {
        list(node, "examples").first().or_else(|| list(self.resolve(node), "examples").first())
    }

    /// What a value may be.
    pub(super) fn kind(self, node: &'s Node) -> String {
        let target = self.resolve(node);
        if let Some(title) = target.get("title").and_then(Node::text) {
            return format!("[{}](#{})", title.to_lowercase(), title.to_lowercase().replace(' ', "-"));
        }
        if let Some(short) = node.get("$ref").and_then(Node::text).and_then(short_name) {
            return short.to_string();
        }
        if let Some(constant) = target.get("const") {
            return code(constant);
        }
        let words = list(target, "enum");
        if !words.is_empty() {
            return words.iter().map(code).collect::<Vec<_>>().join(", ");
        }
        let options = list(target, "oneOf");
        if !options.is_empty() {
            return options.iter().map(|option| self.kind(option)).collect::<Vec<_>>().join(" or ");
        }
        self.kind_of_type(target)
    }

    fn kind_of_type(self, target: &'s Node) -> String {
        let items = || target.get("items").map(|items| self.kind(items));
        let values = target.get("additionalProperties").filter(|values| values.is_map());
        match target.get("type").and_then(Node::text) {
            Some("array") => items().map_or_else(|| String::from("list"), |items| format!("list of {items}")),
            Some("object") => match (values, target.get("properties").map(Node::members)) {
                (Some(values), _) => format!("map to {}", self.kind(values)),
                (None, Some(members)) => {
                    let kinds = members.iter().map(|member| format!("`{}`: {}", member.name, self.kind(&member.value)));
                    format!("object of {}", kinds.collect::<Vec<_>>().join(", "))
                }
                (None, None) => String::from("object"),
            },
            Some("integer") => {
                let bound = |name| target.get(name).map(flow).unwrap_or_default();
                format!("integer, {} to {}", bound("minimum"), bound("maximum"))
            }
            name => name.unwrap_or("anything").to_string(),
        }
    }

    /// What a reference leads to; `node` itself if it is none.
    fn resolve(self, node: &'s Node) -> &'s Node {
        let name = node.get("$ref").and_then(Node::text).and_then(|target| target.strip_prefix("#/$defs/"));
        name.and_then(|name| self.schema.find(&["$defs", name])).unwrap_or(node)
    }
}

/// What definitions without a section of their own are called.
fn short_name(target: &str) -> Option<&'static str> {
    Some(match target.strip_prefix("#/$defs/")? {
        "claim" => "claim",
        "dottedPath" => "dotted path",
        "duration" | "longDuration" | "wholeDuration" => "duration",
        "exactNames" => "list of names",
        "endpoint" | "uri" => "URI",
        "headerName" => "header name",
        "origin" => "origin",
        "ownPath" => "path",
        "scalar" => "string, number or boolean",
        "scope" => "scope",
        _ => return None,
    })
}

/// The list that a keyword holds.
pub(super) fn list<'n>(node: &'n Node, keyword: &str) -> &'n [Node] {
    node.get(keyword).map(Node::elements).unwrap_or_default()
}

/// A value in backticks, for a table.
pub(super) fn code(node: &Node) -> String {
    format!("`{}`", flow(node).replace('|', "\\|"))
}
