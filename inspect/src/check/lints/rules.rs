//! Rules that protect less than they seem to.

use gate::Policy;
use gate::rules::{Access, Matcher, Mode, Rule};

use crate::document::Node;
use crate::finding::Finding;

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    lint_default(tree, policy, findings);
    lint_mode(tree, policy, findings);
    for ((path, node), (index, rule)) in tree.indexed("rules").zip(policy.rules().iter().enumerate()) {
        let earlier = policy.rules().get(..index).unwrap_or_default();
        lint_order(node, &path, rule, earlier, findings);
        lint_escapes(node, &path, rule, findings);
        lint_challenge(tree, node, &path, findings);
    }
}

fn lint_default(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    if let (Access::Optional | Access::Public, Some(node)) = (policy.default_access(), tree.get("default")) {
        let message = "what no rule matches passes without a token, also a path that was forgotten: write a rule for \
                       what is open, and set the default to `deny` or `authenticated`";
        findings.push(Finding::warning("open-default", "default", message, node.span.clone()));
    }
}

fn lint_mode(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let Some(node) = tree.get("mode").filter(|_| policy.mode() == Mode::Audit) else { return };
    let message = "nothing is denied, only counted and logged";
    findings.push(Finding::warning("audit", "mode", message, node.span.clone()));
}

/// A public rule before this one that matches some of what this one names.
fn lint_order(node: &Node, path: &str, rule: &Rule, earlier: &[Rule], findings: &mut Vec<Finding>) {
    if rule.access == Access::Public {
        return;
    }
    let patterns = node.find(&["match", "paths"]).map(Node::elements).unwrap_or_default();
    for (index, (pattern, written)) in rule.matcher.paths.iter().zip(patterns).enumerate() {
        let takes = |earlier: &&Rule| {
            let paths = &earlier.matcher.paths;
            let covers = paths.is_empty() || paths.iter().any(|wide| wide.covers(pattern));
            earlier.access == Access::Public && covers && meet(&earlier.matcher, &rule.matcher)
        };
        let Some(public) = earlier.iter().find(takes) else { continue };
        let message = format!(
            "this is public{}: the rule `{}` comes first",
            for_which(&public.matcher, &rule.matcher),
            public.name
        );
        let path = format!("{path}.match.paths[{index}]");
        findings.push(Finding::warning("public-first", path, message, written.span.clone()));
    }
}

/// Patterns with escapes of characters that many servers decode before they match a route.
fn lint_escapes(node: &Node, path: &str, rule: &Rule, findings: &mut Vec<Finding>) {
    let patterns = node.find(&["match", "paths"]).map(Node::elements).unwrap_or_default();
    for (index, (pattern, written)) in rule.matcher.paths.iter().zip(patterns).enumerate() {
        if pattern.decoded().is_none() {
            continue;
        }
        let message = "the pattern holds an escape such as `%3A`, which many servers decode: a path with the character \
                       itself does not match, and is denied where another rule asks for something else. Write the \
                       character where a pattern can hold it";
        let path = format!("{path}.match.paths[{index}]");
        findings.push(Finding::warning("escaped-pattern", path, message, written.span.clone()));
    }
}

/// Whether some request fits both, whatever its path.
fn meet(one: &Matcher, other: &Matcher) -> bool {
    let methods = one.methods.is_empty()
        || other.methods.is_empty()
        || one.methods.iter().any(|method| other.methods.contains(method));
    let hosts = one.hosts.is_empty()
        || other.hosts.is_empty()
        || one.hosts.iter().any(|host| other.hosts.iter().any(|other| host.covers(other) || other.covers(host)));
    let clash =
        |(name, value): &(String, String)| other.headers.iter().any(|(other, wanted)| name == other && value != wanted);
    methods && hosts && !one.headers.iter().any(clash)
}

/// ` for GET and HEAD`: what the public rule matches of the other one, if that is not all.
fn for_which(public: &Matcher, other: &Matcher) -> String {
    let is_asked = |method: &&String| other.methods.is_empty() || other.methods.contains(method);
    let methods: Vec<_> = public.methods.iter().filter(is_asked).map(String::as_str).collect();
    let headers: Vec<_> = public.headers.iter().map(|(name, value)| format!("`{name}: {value}`")).collect();
    let with = if headers.is_empty() { String::new() } else { format!(" with {}", headers.join(" and ")) };
    let hosts = if public.hosts.is_empty() { "" } else { " on some hosts" };
    let methods = if methods.is_empty() { String::new() } else { format!(" for {}", methods.join(" and ")) };
    format!("{methods}{hosts}{with}")
}

fn lint_challenge(tree: &Node, rule: &Node, path: &str, findings: &mut Vec<Finding>) {
    let places = tree.get("credentials").map(Node::elements).unwrap_or_default();
    let reads_basic = places.iter().any(|place| place.get("basic").is_some());
    if let Some(node) = rule.get("challenge").filter(|node| node.text() == Some("basic") && !reads_basic) {
        let message = "browsers ask for name and password, and what they send is never read: add `{basic: true}` to \
                       `credentials`";
        findings.push(Finding::warning("basic-challenge", format!("{path}.challenge"), message, node.span.clone()));
    }
}
