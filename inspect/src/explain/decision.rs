//! The engine's decision.

use std::collections::BTreeSet;

use gate::Reason;

use super::context::Context;
use super::explanation::{Answer, Decision, Upstream};
use super::upstream::without_credentials;
use crate::engine::{Decided, Outcome};
use crate::request::RequestHead;

impl Context<'_> {
    pub(super) fn decision(&self, decided: &Decided, head: &RequestHead) -> Decision {
        let property = |name: &str| decided.properties.get(name).cloned();
        let if_signed = |name: &str| self.if_signed.and_then(|signed| signed.properties.get(name).cloned());
        // Audit mode forwards a request whether its signature is good or not.
        let passes = |decided: &Decided| matches!(decided.outcome, Outcome::Forwarded(_));
        let is_open = self.is_undecided && !(passes(decided) && self.if_signed.is_some_and(passes));
        if is_open || decided.outcome == Outcome::Waiting {
            let rule = property("rule");
            return Decision {
                outcome: String::from("undecided"),
                rule,
                issuer: property("issuer"),
                ..Decision::default()
            };
        }
        let common =
            |name: &str| property(name).filter(|value| !self.is_undecided || if_signed(name).as_ref() == Some(value));
        let reason = common("reason");
        let detail = reason.as_deref().and_then(|name| Reason::ALL.into_iter().find(|reason| reason.name() == name));
        let (answer, upstream) = match &decided.outcome {
            Outcome::Replied { status, headers, body } => {
                (Some(Answer { status: *status, headers: headers.iter().cloned().collect(), body: body.clone() }), None)
            }
            Outcome::Forwarded(lines) => {
                let mut difference = difference(&head.lines, lines);
                without_credentials(&self.upstream_credentials(decided), &mut difference.set);
                (None, Some(difference))
            }
            Outcome::Waiting => (None, None),
        };
        Decision {
            outcome: common("decision").unwrap_or_else(|| String::from("undecided")),
            detail: told(&decided.outcome).or_else(|| detail.map(|reason| reason.detail().to_string())),
            reason,
            rule: property("rule"),
            issuer: property("issuer"),
            subject: property("subject"),
            answer,
            upstream,
            log: decided
                .log
                .clone()
                .filter(|_| !self.is_undecided || self.if_signed.map(|signed| &signed.log) == Some(&decided.log)),
        }
    }

    /// What depends on a signature that cannot be checked, where the request passes in any case.
    pub(super) fn depends_on_signature(&self, decided: &Decided) -> Option<String> {
        let signed = self.if_signed?;
        let (Outcome::Forwarded(lines), Outcome::Forwarded(signed_lines)) = (&decided.outcome, &signed.outcome) else {
            return None;
        };
        let counted = |decided: &Decided| {
            let word = |name: &str| decided.properties.get(name).map(String::as_str);
            [word("decision"), word("reason")].into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        let (bad, good) = (counted(decided), counted(signed));
        let identity = if lines == signed_lines { "" } else { ", with its identity" };
        Some(match bad == good {
            true if identity.is_empty() => String::from("the request passes in any case (`mode: audit`)"),
            true => String::from(
                "the request passes in any case (`mode: audit`), with its identity if its signature is good",
            ),
            false => format!(
                "the request passes in any case (`mode: audit`): if its signature is good, it is {good}{identity}; else it \
                 is {bad}"
            ),
        })
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
