//! `jotgate explain`: why a request is decided as it is, step by step.
//!
//! [`explain`] is a function of values. The decision in it is the engine's, and so is each step: `gate::explain` asks
//! the parts of the engine one by one; here they are put into words.

mod access;
mod command;
mod explanation;
mod keys;
mod question;
mod rules;
mod text;
mod token;
mod withheld;

use std::cell::Cell;
use std::collections::BTreeSet;

use gate::explain::{Route, Trace, places, trace};
use gate::rules::Access;
use gate::{Gate, Policy, Reason, Request, Timestamp};

pub use self::command::run;
pub use self::explanation::{
    AccessStep, Answer, Asked, CheckStep, CredentialStep, Decision, Explanation, Mismatch, Outcome, PathStep,
    PlaceStep, Requirement, RuleStep, TokenStep, Upstream,
};
use self::keys::Judge;
pub use self::question::Question;
use crate::engine::{Decided, Fate, Sent, decide};
use crate::load::{self, Loaded, Refusal};
use crate::place::Place;

/// Explains what becomes of a request.
pub fn explain(question: &Question) -> Result<Explanation, Refusal> {
    let variable = |name: &str| question.variables.get(name).cloned();
    let mut loaded = load::read(&question.configuration, question.name.as_deref(), &variable)?;
    let mut sent = question.sent();
    if let Some(token) = &question.token {
        Place::first_of(&loaded.policy).put(token, &mut sent);
    }
    let now = Timestamp::from_secs(question.now);
    let lines: Vec<_> = sent.lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request::new(&lines).with_peer(sent.peer.as_bytes());
    let (kid, issuer) = keys::claimed(&loaded.policy, &request, now);
    let sources = keys::settle(&mut loaded, question.keys.as_deref(), kid.as_deref()).map_err(Refusal::of)?;
    let source = issuer.and_then(|issuer| sources.get(issuer)).copied();
    let judge = Judge {
        trusts: question.trust_signature,
        is_in_the_dark: source == Some(keys::Source::Unknown),
        had_to_guess: Cell::new(false),
    };
    let decided = decide(&mut Gate::new(loaded.policy.clone(), now, 0), &sent, now, &judge);
    let is_undecided = judge.had_to_guess.get();
    let trace = trace(&loaded.policy, &request, now, &judge);
    let context = Context { loaded: &loaded, policy: &loaded.policy, trace: &trace, source, is_undecided, question };
    Ok(context.explanation(&request, &decided, &sent))
}

/// All that steps are put into words by.
struct Context<'c> {
    loaded: &'c Loaded,
    policy: &'c Policy,
    trace: &'c Trace,
    /// Where the keys of the token's issuer come from.
    source: Option<keys::Source>,
    /// The decision depends on a signature that cannot be checked.
    is_undecided: bool,
    question: &'c Question,
}

impl Context<'_> {
    fn explanation(&self, request: &Request<'_>, decided: &Decided, sent: &Sent) -> Explanation {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Explanation {
            configuration: self.loaded.title.clone(),
            at: token::date(self.question.now),
            request: Asked {
                method: text(request.method()),
                host: text(request.authority()),
                path: text(request.path_without_query()),
            },
            path: self.path(),
            rules: self.rules(request),
            access: self.access(),
            credential: self.credential(),
            token: self.trace.token.as_ref().map(|token| self.token(token)),
            decision: self.decision(decided, sent),
            notes: self.notes(),
        }
    }

    fn path(&self) -> PathStep {
        let (problem, reason) = match &self.trace.route {
            Route::Ambiguous(problem) => (problem.to_string(), problem.reason()),
            Route::Shadowed { found, rule, decoded } => {
                let (seen, found) = (self.decides(*rule), self.decides(*found));
                let problem = format!(
                    "a server that decodes its escapes sees `{decoded}`, for which {seen} asks something else than {found}"
                );
                (problem, Reason::AmbiguousPath)
            }
            _ => return PathStep { canonical: self.trace.path.clone().ok(), problem: None, reason: None },
        };
        PathStep { canonical: self.trace.path.clone().ok(), problem: Some(problem), reason: Some(reason.name()) }
    }

    fn rule_name(&self, rule: usize) -> String {
        self.policy.rules.get(rule).map(|rule| rule.name.to_string()).unwrap_or_default()
    }

    /// The rule, or what decides without one.
    fn decides(&self, rule: Option<usize>) -> String {
        match rule.and_then(|rule| self.policy.rules.get(rule)) {
            Some(rule) => format!("the rule `{}`", rule.name),
            None => String::from("the default"),
        }
    }

    fn credential(&self) -> Option<CredentialStep> {
        let found = self.trace.credential.as_ref()?;
        let used = found.used.ok().flatten();
        let places =
            places(self.policy).iter().zip(&found.places).enumerate().map(|(index, (place, holds))| PlaceStep {
                place: rules::place(place),
                found: match holds {
                    None => String::from("nothing"),
                    Some(Ok(())) => String::from("credential"),
                    Some(Err(reason)) => reason.name().to_string(),
                },
                used: used == Some(index),
            });
        let reason = match found.used {
            Err(reason) => Some(reason.name().to_string()),
            Ok(None) if !self.is_optional() => Some(Reason::MissingToken.name().to_string()),
            Ok(_) => None,
        };
        Some(CredentialStep { places: places.collect(), reason })
    }

    fn is_optional(&self) -> bool {
        let Route::Rule(rule) = self.trace.route else { return false };
        *self.asked(rule) == Access::Optional
    }

    fn asked(&self, rule: Option<usize>) -> &Access {
        rule.and_then(|rule| self.policy.rules.get(rule)).map_or(&self.policy.default, |rule| &rule.access)
    }

    fn decision(&self, decided: &Decided, sent: &Sent) -> Decision {
        let told = |name: &str| decided.properties.get(name).cloned();
        if self.is_undecided || decided.fate == Fate::Waiting {
            let rule = told("rule");
            return Decision {
                outcome: String::from("undecided"),
                rule,
                issuer: told("issuer"),
                ..Decision::default()
            };
        }
        let reason = told("reason");
        let detail = reason.as_deref().and_then(|name| Reason::ALL.into_iter().find(|reason| reason.name() == name));
        let (answer, upstream) = match &decided.fate {
            Fate::Answered { status, headers, body } => {
                (Some(Answer { status: *status, headers: headers.iter().cloned().collect(), body: body.clone() }), None)
            }
            Fate::Passed(lines) => (None, Some(difference(&sent.lines, lines))),
            Fate::Waiting => (None, None),
        };
        Decision {
            outcome: told("decision").unwrap_or_default(),
            detail: detail.map(|reason| reason.detail().to_string()),
            reason,
            rule: told("rule"),
            issuer: told("issuer"),
            subject: told("subject"),
            answer,
            upstream,
            log: decided.log.clone(),
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_undecided {
            notes.push(String::from(
                "the keys of the token's issuer are not known here, so its signature cannot be checked: give them with \
                 --keys, or go on as if it were signed with --trust-signature",
            ));
        }
        if self.question.trust_signature {
            notes.push(String::from("signatures are taken for good ones without a look (--trust-signature)"));
        }
        if self.question.keys.is_some() && self.source == Some(keys::Source::Configuration) {
            notes.push(String::from("the issuer's keys are in the configuration: the ones given were not used"));
        }
        if self.question.peer.is_empty() && self.policy.needs.client_ip && self.trace.principal().is_some() {
            notes.push(String::from("`$clientIp` may depend on the address that the request comes from: see --peer"));
        }
        if let Some(token) = &self.trace.token {
            notes.extend(self.withheld(token));
        }
        notes
    }
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
