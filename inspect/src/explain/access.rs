//! What a request needs, and what of it the token has.

use gate::claims::{ClaimValue, Scalar, Unclear};
use gate::explain::{Route, judge};
use gate::rules::{Access, ClaimTest, GroupTest, Quantifier, Requirement as Asked, Rule, Truth};

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
            Access::Require(asked) => {
                let rule = rule.and_then(|rule| self.policy.rules().get(rule));
                ("requirements", rule.map(|rule| self.requirement(asked, rule)))
            }
        };
        Some(AccessStep { asks, rule: rule.map(|rule| self.rule_name(rule)), requirement })
    }

    fn requirement(&self, asked: &Asked, rule: &Rule) -> Requirement {
        let principal = self.trace.principal();
        let judged = principal.map(|principal| judge(asked, principal, self.policy, rule, self.request));
        let part = judged.as_ref().and_then(|(_, parts)| parts.first()).and_then(|(_, value)| value.as_deref());
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
                let wanted = match wanted {
                    GroupTest::Like(wildcard) => format!("any like `{}`", wildcard.text()),
                    GroupTest::Named(wanted) => quantified(wanted),
                };
                (format!("groups: {wanted}"), found, &[])
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
                let found = principal.map(|principal| match (principal.claim(claim), self.with_dots(claim)) {
                    (_, Some(exact)) => format!("nothing there, and a claim named so: write {exact}"),
                    (found, None) => found.map_or("nothing".into(), value),
                });
                (format!("claim {claim}: {}", tested(test, part)), found, &[])
            }
        };
        Requirement {
            asks,
            found,
            met: judged.as_ref().map(|(truth, _)| truth.holds()),
            undecided: judged.as_ref().filter(|(truth, _)| *truth == Truth::Undecided).map(|_| match asked {
                Asked::Claim(claim, test) => {
                    let value = principal.and_then(|principal| principal.claim(claim));
                    String::from(value.map_or("", |value| why_undecided(test, value, part)))
                }
                Asked::Audiences(_) | Asked::Groups(_) | Asked::Scopes(_) => {
                    String::from("the claim that holds them was not found, and is not absent for certain")
                }
                _ => String::from("a part that counts is undecided"),
            }),
            parts: parts.iter().map(|part| self.requirement(part, rule)).collect(),
        }
    }
}

/// Why a test cannot judge the value of a claim. `part` is what of the request it is compared with.
fn why_undecided(test: &ClaimTest, value: &ClaimValue, part: Option<&str>) -> &'static str {
    match (test, value) {
        (_, ClaimValue::Unclear(Unclear::NameWithDots)) => "the claim's name has dots, and a dotted text is a path",
        (_, ClaimValue::Unclear(Unclear::NotAnObject)) => "what should hold the claim is no object",
        (ClaimTest::EqualsRequest(_), _) if part.is_none() => {
            "that part of the request is missing, empty, or read in several ways"
        }
        (_, ClaimValue::Object) => "the claim is an object",
        (_, ClaimValue::List { is_nested: true, .. }) => "the claim is a list that holds objects or lists",
        (ClaimTest::Domain(_) | ClaimTest::In(_), ClaimValue::List { .. }) => {
            "the claim is a list, and the test is of one value: `any` and `matches` are for lists"
        }
        (ClaimTest::Domain(_), ClaimValue::Scalar(Scalar::Text(address))) if address.matches('@').count() == 1 => {
            "the text is no plain address, and names one of the domains"
        }
        (ClaimTest::Domain(_), ClaimValue::Scalar(Scalar::Text(_))) => "the address has several `@`",
        (ClaimTest::EqualsRequest(_), _) => "the two are not the same, and some servers may take them for that",
        _ => "the claim is of another JSON type than the test",
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

fn tested(test: &ClaimTest, part: Option<&str>) -> String {
    match test {
        ClaimTest::All(wanted) => format!("a list with all of {}", scalars(wanted)),
        ClaimTest::Any(wanted) => format!("a list with any of {}", scalars(wanted)),
        ClaimTest::Domain(domains) => format!("an e-mail address in {}", domains.join(", ")),
        ClaimTest::EqualsRequest(request_part) => {
            let here = part.map(|part| format!(", here {part:?}")).unwrap_or_default();
            format!("equal to {request_part}{here}")
        }
        ClaimTest::Exists => String::from("anything but null"),
        ClaimTest::In(wanted) => format!("one of {}", scalars(wanted)),
        ClaimTest::Matches(wildcard) => format!("a string like `{}`, or a list with one", wildcard.text()),
    }
}

fn scalars(scalars: &[Scalar]) -> String {
    scalars.iter().map(scalar).collect::<Vec<_>>().join(", ")
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Number(canonical) => number(canonical).unwrap_or_else(|| canonical.clone()),
        Scalar::Text(text) => format!("{text:?}"),
    }
}

/// A number in its usual form, where that is short: `0.42e2` is 42.
fn number(canonical: &str) -> Option<String> {
    let (sign, rest) = canonical.strip_prefix('-').map_or(("", canonical), |rest| ("-", rest));
    let (digits, point) = rest.strip_prefix("0.")?.split_once('e')?;
    let point = point.parse::<usize>().ok().filter(|point| *point <= 20)?;
    let (whole, part) = digits.split_at_checked(point).unwrap_or((digits, ""));
    let zeros = "0".repeat(point.saturating_sub(digits.len()));
    let whole = if whole.is_empty() { "0" } else { whole };
    let part = if part.is_empty() { String::new() } else { format!(".{part}") };
    Some(format!("{sign}{whole}{zeros}{part}"))
}

fn value(value: &ClaimValue) -> String {
    match value {
        ClaimValue::List { scalars: found, is_nested } => {
            let more = match (is_nested, found.is_empty()) {
                (false, _) => "",
                (true, true) => "objects or lists",
                (true, false) => ", and objects or lists",
            };
            format!("[{}{more}]", scalars(found))
        }
        ClaimValue::Object => String::from("an object"),
        ClaimValue::Scalar(found) => scalar(found),
        ClaimValue::Unclear(_) => String::from("nothing there"),
    }
}
