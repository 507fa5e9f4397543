//! Texts in tests of claims that look like parts of the request, and are compared letter by letter.

use crate::document::{Content, Node};
use crate::finding::Finding;

pub(super) fn lint(tree: &Node, findings: &mut Vec<Finding>) {
    for (path, rule) in tree.indexed("rules") {
        if let Some(access) = rule.get("access") {
            lint_access(access, &format!("{path}.access"), findings);
        }
    }
}

fn lint_access(access: &Node, path: &str, findings: &mut Vec<Finding>) {
    for member in access.members() {
        let path = format!("{path}.{}", member.name);
        match member.name.as_str() {
            "claims" | "groups" | "scopes" | "audiences" => lint_texts(&member.value, &path, findings),
            "not" => lint_access(&member.value, &path, findings),
            "allOf" | "anyOf" => {
                for (index, element) in member.value.elements().iter().enumerate() {
                    lint_access(element, &format!("{path}[{index}]"), findings);
                }
            }
            _ => {}
        }
    }
}

/// Every text below, but for names of claims.
fn lint_texts(node: &Node, path: &str, findings: &mut Vec<Finding>) {
    if let Content::Text(text) = &node.content {
        if let Some(instead) = relation(text) {
            let message = format!("`{text}` is compared letter by letter: {instead}");
            findings.push(Finding::warning("request-text", path, message, node.span.clone()));
        }
        return;
    }
    for member in node.members().iter().filter(|member| !matches!(member.name.as_str(), "claim" | "path" | "header")) {
        lint_texts(&member.value, &format!("{path}.{}", member.name), findings);
    }
    for (index, element) in node.elements().iter().enumerate() {
        lint_texts(element, &format!("{path}[{index}]"), findings);
    }
}

/// What to write in place of a text, if it looks like a part of the request.
fn relation(text: &str) -> Option<String> {
    const ANY: &str = "`{path: id}`, `{header: name}` and `{host: true}` compare a claim with the request";
    let inside = |start: &str, end: &str| text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let is_name = |name: &&str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
    };
    // `{id}`, `${id}`, `{{id}}`, `${{ id }}`
    let braced = inside("{{", "}}").or_else(|| inside("{", "}"));
    let braced = braced.or_else(|| inside("${{", "}}")).or_else(|| inside("${", "}")).map(str::trim);
    let bare = text.strip_prefix('$').filter(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()));
    // `%REQ(X-Tenant)%`, as Envoy has it.
    let command = inside("%", "%").filter(|command| command.ends_with(')') && command.contains('('));
    if command.is_some() {
        return Some(ANY.to_string());
    }
    let name = braced.or(bare).filter(is_name)?;
    let lower = name.to_ascii_lowercase();
    let header = ["request.headers.", "request.header.", "req.headers.", "headers.", "header.", "http_"];
    if let Some(header) = header.iter().find_map(|start| lower.strip_prefix(start)) {
        return Some(format!("write `{{header: {}}}` for what the request has there", header.replace('_', "-")));
    }
    if ["host", "http.host", "request.host", "authority", "request.authority"].contains(&lower.as_str()) {
        return Some(String::from("write `{host: true}` for the host of the request"));
    }
    let path = ["request.path.", "params.", "path."].iter().find_map(|start| name.strip_prefix(start));
    match path.or(braced.filter(|name| !name.contains('.'))) {
        Some(segment) => Some(format!("write `{{path: {segment}}}` for the segment `{{{segment}}}` of the path")),
        None => Some(ANY.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_names_a_part_of_the_request_is_known() {
        for (text, instead) in [
            ("{id}", "{path: id}"),
            ("${id}", "{path: id}"),
            ("{{ id }}", "{path: id}"),
            ("$path.id", "{path: id}"),
            ("$header.x-tenant", "{header: x-tenant}"),
            ("${request.headers.X-Tenant}", "{header: x-tenant}"),
            ("$http_x_tenant", "{header: x-tenant}"),
            ("$host", "{host: true}"),
            ("%REQ(X-TENANT)%", "{header: name}"),
            ("$tenant", "{header: name}"),
        ] {
            assert!(relation(text).is_some_and(|found| found.contains(instead)), "{text}: {:?}", relation(text));
        }
        for text in ["", "alice", "{}", "$", "$5", "$ x", "a{id}", "%41%", "100%", "{\"a\":1}", "id", ":id", "*"] {
            assert_eq!(relation(text), None, "{text}");
        }
    }
}
