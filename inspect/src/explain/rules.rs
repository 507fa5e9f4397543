//! Which rule matches, and why those before it do not.

use gate::Request;
use gate::explain::RuleTrace;

use super::context::Context;
use super::explanation::{Mismatch, RuleStep};
use crate::document::{JsonText, Node};

impl Context<'_> {
    pub(super) fn rules(&self, request: &Request<'_>) -> Vec<RuleStep> {
        let nodes = self.loaded.tree.get("rules").map(Node::elements).unwrap_or_default();
        let traced = self.trace.rules.iter().zip(nodes).enumerate();
        let step = |(index, (trace, node)): (usize, (&RuleTrace, &Node))| RuleStep {
            rule: self.rule_name(index),
            matches: trace.matches(),
            mismatches: self.mismatches(trace, node, request),
        };
        traced.map(step).collect()
    }

    fn mismatches(&self, trace: &RuleTrace, rule: &Node, request: &Request<'_>) -> Vec<Mismatch> {
        let text = |bytes: &[u8]| Some(String::from_utf8_lossy(bytes).into_owned());
        let written = |name| rule.find(&["match", name]).map(Node::elements).unwrap_or_default();
        let all = |name| written(name).iter().map(text_of).collect::<Vec<_>>();
        let mut mismatches = Vec::new();
        if !trace.host {
            let found = text(request.authority());
            mismatches.push(Mismatch { what: "host", expected: all("hosts"), found });
        }
        if !trace.method {
            let found = text(request.method());
            mismatches.push(Mismatch { what: "method", expected: all("methods"), found });
        }
        if !trace.path {
            let found = self.trace.path.clone().ok();
            mismatches.push(Mismatch { what: "path", expected: all("paths"), found });
        }
        for (name, value) in &trace.headers {
            let lines: Vec<_> = request.lines(name).filter_map(text).collect();
            let found = (!lines.is_empty()).then(|| format!("{name}: {}", lines.join(" | ")));
            mismatches.push(Mismatch { what: "header", expected: vec![format!("{name}: {value}")], found });
        }
        mismatches
    }
}

/// A pattern as it was written.
fn text_of(pattern: &Node) -> String {
    match (pattern.text(), pattern.get("regex").and_then(Node::text)) {
        (Some(text), _) => text.to_string(),
        (None, Some(regex)) => format!("regex {regex}"),
        (None, None) => JsonText::new(pattern).text,
    }
}
