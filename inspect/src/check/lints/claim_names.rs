//! Dotted texts that can hardly be paths: names of claims that have dots themselves.

use crate::document::Node;
use crate::finding::Finding;

/// Labels that end a host's name, and are hardly the name of a member within a claim.
const TOP_LEVEL: [&str; 8] = ["com", "dev", "edu", "gov", "io", "mil", "net", "org"];
/// Names that begin so have dots in them: WLCG Common JWT Profiles.
const PREFIXES: [&str; 1] = ["wlcg"];

pub(super) fn lint(tree: &Node, findings: &mut Vec<Finding>) {
    for (path, issuer) in tree.indexed("issuers") {
        for name in ["groupsClaim", "scopeClaims", "audienceClaims"] {
            if let Some(node) = issuer.get(name) {
                lint_references(node, &format!("{path}.{name}"), findings);
            }
        }
    }
    for header in tree.get("identityHeaders").map(Node::members).unwrap_or_default() {
        lint_references(&header.value, &format!("identityHeaders.{}", header.name), findings);
    }
    for (path, rule) in tree.indexed("rules") {
        if let Some(access) = rule.get("access") {
            lint_access(access, &format!("{path}.access"), findings);
        }
    }
}

/// A reference, or several of them: the elements of a list that is not one itself, `{claim: …}`, `{firstOf: […]}`.
fn lint_references(node: &Node, path: &str, findings: &mut Vec<Finding>) {
    lint_reference(node, path, findings);
    let is_list_of_references = path.ends_with("Claims") || path.ends_with(".firstOf");
    for (index, element) in node.elements().iter().enumerate().filter(|_| is_list_of_references) {
        lint_reference(element, &format!("{path}[{index}]"), findings);
    }
    for name in ["claim", "firstOf"] {
        if let Some(member) = node.get(name) {
            lint_references(member, &format!("{path}.{name}"), findings);
        }
    }
}

fn lint_reference(node: &Node, path: &str, findings: &mut Vec<Finding>) {
    if let Some(names) = node.text().and_then(names_with_dots) {
        let message = format!("{}: write the names as a list, {}", says(node.text().unwrap_or_default()), list(&names));
        findings.push(Finding::warning("dotted-name", path, message, node.span.clone()));
    }
}

fn lint_access(access: &Node, path: &str, findings: &mut Vec<Finding>) {
    for member in access.members() {
        let path = format!("{path}.{}", member.name);
        match member.name.as_str() {
            "claims" => lint_claims(&member.value, &path, findings),
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

fn lint_claims(claims: &Node, path: &str, findings: &mut Vec<Finding>) {
    for member in claims.members() {
        if let Some(names) = names_with_dots(&member.name) {
            let message = format!(
                "{}: write a list of tests, `- {{claim: {}, …}}`",
                says(&member.name),
                list(&names).trim_matches('`')
            );
            let path = format!("{path}.{}", member.name);
            findings.push(Finding::warning("dotted-name", path, message, member.name_span.clone()));
        }
    }
    for (index, entry) in claims.elements().iter().enumerate() {
        if let Some(claim) = entry.get("claim") {
            lint_reference(claim, &format!("{path}[{index}].claim"), findings);
        }
    }
}

fn says(text: &str) -> String {
    let first = text.split('.').next().unwrap_or_default();
    format!("`{text}` is read as a path that begins at a claim `{first}`, and looks like a name with dots in it")
}

/// As one writes it.
fn list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("`[{}]`", quoted.join(", "))
}

/// The names that a dotted text is likely meant to be, if it can hardly be a path.
fn names_with_dots(text: &str) -> Option<Vec<String>> {
    let labels: Vec<_> = text.split('.').collect();
    if text.starts_with('$') || labels.len() < 2 {
        return None;
    }
    let whole = || Some(vec![text.to_string()]);
    if text.contains(['/', ':']) || labels.first().is_some_and(|first| PREFIXES.contains(first)) {
        return whole();
    }
    let is_top = |label: &str| TOP_LEVEL.contains(&label);
    // `com.example.roles`: a host's name from behind.
    if labels.len() > 2 && labels.first().is_some_and(|first| is_top(first) && *first != "org") {
        return whole();
    }
    let end = labels.iter().skip(1).rposition(|label| is_top(label))?.saturating_add(2);
    let (host, rest) = labels.split_at_checked(end)?;
    Some(std::iter::once(host.join(".")).chain(rest.iter().map(|label| (*label).to_string())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_front_or_a_uri_is_no_path() {
        for (text, names) in [
            ("kubernetes.io", &["kubernetes.io"][..]),
            ("kubernetes.io.serviceaccount.name", &["kubernetes.io", "serviceaccount", "name"]),
            ("kubernetes.io/serviceaccount/namespace", &["kubernetes.io/serviceaccount/namespace"]),
            ("https://example.com/roles", &["https://example.com/roles"]),
            ("https://sts.amazonaws.com/tags.principal", &["https://sts.amazonaws.com/tags.principal"]),
            ("api.example.com.roles", &["api.example.com", "roles"]),
            ("com.example.roles", &["com.example.roles"]),
            ("wlcg.groups", &["wlcg.groups"]),
            ("urn:example:x.y", &["urn:example:x.y"]),
        ] {
            let names = names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
            assert_eq!(names_with_dots(text), Some(names), "{text}");
        }
        for text in [
            "realm_access.roles",
            "resource_access.my-api.roles",
            "sub",
            "org.name",
            "org.unit.name",
            "io",
            "act.sub",
            "address.country",
            "https://example",
            "urn:zitadel:iam:org:project:roles",
            "$groups",
            "$header.com",
        ] {
            assert_eq!(names_with_dots(text), None, "{text}");
        }
    }
}
