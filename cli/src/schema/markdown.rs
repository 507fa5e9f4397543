//! The reference of the configuration, in Markdown.

use std::fmt::Write as _;

use super::words::{Words, code, list};
use inspect::document::Node;

const HEAD: &str = "\
# Configuration reference

<!-- Made from cli/schema/ by `make schema`: edit there. -->

Every member of a configuration, generated from its [JSON schema](schema/jotgate.schema.json). [Rules](rules.md),
[paths](paths.md) and [identity headers](identity-headers.md) explain how the parts work together.

Editors with the YAML language server complete and check a configuration that begins with the path of the schema:

```yaml
# yaml-language-server: $schema=docs/schema/jotgate.schema.json
```

`jotgate schema` prints the schema. `jotgate check FILE` checks a configuration with the plugin's own reader, which finds
more than a schema can: see [the command line](command-line.md).
";

/// The reference of what `schema` describes.
pub fn markdown(schema: &Node) -> String {
    let words = Words::new(schema);
    let mut page = String::from(HEAD);
    page.push_str(&section(words, "The document", schema));
    for definition in schema.get("$defs").map(Node::members).unwrap_or_default() {
        if let Some(title) = definition.value.get("title").and_then(Node::text) {
            page.push_str(&section(words, title, &definition.value));
        }
    }
    page
}

fn section(words: Words<'_>, title: &str, node: &Node) -> String {
    let description = node.get("description").and_then(Node::text).unwrap_or_default();
    let table = match node.get("properties") {
        Some(properties) => members(words, node, properties),
        None => options(words, node),
    };
    format!("\n## {title}\n\n{description}\n{table}")
}

/// A table of the members of an object.
fn members(words: Words<'_>, object: &Node, properties: &Node) -> String {
    let mut table =
        String::from("\n| member | value | default | example | meaning |\n| --- | --- | --- | --- | --- |\n");
    for member in properties.members() {
        let is_required = list(object, "required").iter().any(|name| name.text() == Some(&member.name));
        let default = match member.value.get("default") {
            Some(default) => code(default),
            None if is_required => String::from("(required)"),
            None => String::new(),
        };
        let example = words.example(&member.value).map(code).unwrap_or_default();
        let (value, description) = (words.kind(&member.value), words.description(&member.value));
        let _ = writeln!(table, "| `{}` | {value} | {default} | {example} | {description} |", member.name);
    }
    table
}

/// A table of what a value may be: words, objects with their members, others.
fn options(words: Words<'_>, node: &Node) -> String {
    let mut table = String::from("\n| value | example | meaning |\n| --- | --- | --- |\n");
    let row = |name: &str, node: &Node| {
        let example = words.example(node).map(code).unwrap_or_default();
        format!("| {name}{} | {example} | {} |\n", words.kind(node), words.description(node))
    };
    for option in list(node, "oneOf") {
        let members = option.get("properties").map(Node::members).unwrap_or_default();
        for member in members {
            table.push_str(&row(&format!("`{}`: ", member.name), &member.value));
        }
        if members.is_empty() {
            table.push_str(&row("", option));
        }
    }
    table
}
