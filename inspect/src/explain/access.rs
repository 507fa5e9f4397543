//! What a request needs, and what of it the token has.

use gate::claims::{ClaimRef, ClaimValue, Scalar};
use gate::explain::{Route, is_met};
use gate::rules::{Access, ClaimTest, Quantifier, Requirement as Asked};

use super::context::Context;
use super::explanation::{AccessStep, Requirement};

impl Context<'_> {
    pub(super) fn access(&self) -> Option<AccessStep> {
        let Route::Rule(rule) = self.trace.route else { return None };
        let (asks, requirement) = match self.asked(rule) {
            Access::Authenticated => ("authenticated", None),
            Access::Deny => ("deny", None),
            Access::Optional => ("optional", None),
            Access::Public => ("public", None),
            Access::Require(asked) => ("requirements", Some(self.requirement(asked))),
        };
        Some(AccessStep { asks, rule: rule.map(|rule| self.rule_name(rule)), requirement })
    }

    fn requirement(&self, asked: &Asked) -> Requirement {
        let principal = self.trace.principal();
        let (asks, found, parts): (_, _, &[Asked]) = match asked {
            Asked::AllOf(parts) => (String::from("all of these"), None, parts.as_slice()),
            Asked::AnyOf(parts) => (String::from("one of these at least"), None, parts.as_slice()),
            Asked::Not(part) => (String::from("not this"), None, std::slice::from_ref(&**part)),
            Asked::Audiences(wanted) => {
                let found = principal.map(|principal| listed(principal.audiences()));
                (format!("audiences: {}", quantified(wanted)), found, &[])
            }
            Asked::Groups(wanted) => {
                let found = principal.map(|principal| listed(principal.groups()));
                (format!("groups: {}", quantified(wanted)), found, &[])
            }
            Asked::Scopes(wanted) => {
                let found = principal.map(|principal| listed(principal.scopes()));
                (format!("scopes: {}", quantified(wanted)), found, &[])
            }
            Asked::Issuers(wanted) => {
                let names: Vec<_> = wanted.iter().filter_map(|issuer| self.issuer_name(*issuer)).collect();
                let found = principal.and_then(|principal| self.issuer_name(principal.issuer()));
                (format!("issuer: one of {}", names.join(", ")), found, &[])
            }
            Asked::Claim(claim, test) => {
                let found = principal.map(|principal| principal.claim(claim).map_or("nothing".into(), value));
                (format!("claim {}: {}", reference(claim), tested(test)), found, &[])
            }
        };
        Requirement {
            asks,
            found,
            met: principal.map(|principal| is_met(asked, principal, self.policy)),
            parts: parts.iter().map(|part| self.requirement(part)).collect(),
        }
    }
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() { String::from("none") } else { texts.join(", ") }
}

fn quantified(wanted: &Quantifier) -> String {
    match wanted {
        Quantifier::All(names) => format!("all of {}", names.join(", ")),
        Quantifier::Any(names) => format!("any of {}", names.join(", ")),
    }
}

fn reference(claim: &ClaimRef) -> String {
    claim.names().join(".")
}

fn tested(test: &ClaimTest) -> String {
    match test {
        ClaimTest::All(wanted) => format!("a list with all of {}", scalars(wanted)),
        ClaimTest::Any(wanted) => format!("a list with any of {}", scalars(wanted)),
        ClaimTest::Domain(domains) => format!("an e-mail address in {}", domains.join(", ")),
        ClaimTest::Exists => String::from("anything but null"),
        ClaimTest::In(wanted) => format!("one of {}", scalars(wanted)),
        ClaimTest::Matches(wildcard) => format!("a string like `{}`", wildcard.text()),
    }
}

fn scalars(scalars: &[Scalar]) -> String {
    scalars.iter().map(scalar).collect::<Vec<_>>().join(", ")
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Number(digits) => digits.clone(),
        Scalar::Text(text) => format!("{text:?}"),
    }
}

fn value(value: &ClaimValue) -> String {
    match value {
        ClaimValue::List(elements) => format!("[{}]", scalars(elements)),
        ClaimValue::Object => String::from("an object"),
        ClaimValue::Scalar(found) => scalar(found),
    }
}
