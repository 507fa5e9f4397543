//! `accessLog`: which properties of a request the proxy is given.

use super::reader::Node;
use crate::policy::AccessLog;

const NAMES: [&str; 6] = ["decision", "issuer", "reason", "rule", "session", "subject"];

/// A list of names, each once; an empty one for none.
pub(super) fn read(node: &Node<'_, '_>) -> Option<AccessLog> {
    let words = NAMES.map(|name| (name, name));
    let mut listed = Vec::new();
    let mut is_fine = true;
    for node in node.elements()? {
        match node.word(&words) {
            Some(name) if listed.contains(&name) => node.error("listed twice"),
            Some(name) => listed.push(name),
            None => is_fine = false,
        }
    }
    let has = |name: &str| listed.contains(&name);
    is_fine.then(|| AccessLog {
        decision: has("decision"),
        issuer: has("issuer"),
        reason: has("reason"),
        rule: has("rule"),
        session: has("session"),
        subject: has("subject"),
    })
}
