//! The engine's decision.

use std::collections::BTreeSet;

use gate::Reason;

use super::context::Context;
use super::explanation::{Answer, Decision, Upstream};
use crate::engine::{Decided, Outcome};
use crate::request::RequestHead;

impl Context<'_> {
    pub(super) fn decision(&self, decided: &Decided, head: &RequestHead) -> Decision {
        let property = |name: &str| decided.properties.get(name).cloned();
        if self.is_undecided || decided.outcome == Outcome::Waiting {
            let rule = property("rule");
            return Decision {
                outcome: String::from("undecided"),
                rule,
                issuer: property("issuer"),
                ..Decision::default()
            };
        }
        let reason = property("reason");
        let detail = reason.as_deref().and_then(|name| Reason::ALL.into_iter().find(|reason| reason.name() == name));
        let (answer, upstream) = match &decided.outcome {
            Outcome::Replied { status, headers, body } => {
                (Some(Answer { status: *status, headers: headers.iter().cloned().collect(), body: body.clone() }), None)
            }
            Outcome::Forwarded(lines) => (None, Some(difference(&head.lines, lines))),
            Outcome::Waiting => (None, None),
        };
        Decision {
            outcome: property("decision").unwrap_or_default(),
            detail: told(&decided.outcome).or_else(|| detail.map(|reason| reason.detail().to_string())),
            reason,
            rule: property("rule"),
            issuer: property("issuer"),
            subject: property("subject"),
            answer,
            upstream,
            log: decided.log.clone(),
        }
    }
}

/// What the answer says of its reason, which may be more than what is said of all that have it.
fn told(outcome: &Outcome) -> Option<String> {
    let Outcome::Replied { body, .. } = outcome else { return None };
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get("detail")?.as_str().map(String::from)
}

/// What was done to the lines of a request. Of a name whose lines changed, those that are there now are all set.
fn difference(before: &[(String, String)], after: &[(String, String)]) -> Upstream {
    let values = |lines: &[(String, String)], name: &str| -> Vec<String> {
        lines.iter().filter(|(found, _)| found == name).map(|(_, value)| value.clone()).collect()
    };
    let is_changed = |name: &str| values(before, name) != values(after, name);
    let removed: BTreeSet<_> = before.iter().map(|(name, _)| name).filter(|name| is_changed(name)).cloned().collect();
    let set = after.iter().filter(|(name, _)| is_changed(name)).cloned().collect();
    Upstream { set, removed: removed.into_iter().collect() }
}
