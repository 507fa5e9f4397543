//! Issuers whose tokens can give too much, and `grants` that do not do what they seem to.

use gate::Policy;
use gate::claims::ClaimRef;
use gate::identity::{IdentityValue, SignedClaim, SignedValue};
use gate::policy::{CredentialSource, Issuer};
use gate::rules::{GroupTest, Quantifier, Requirement};

use crate::document::Node;
use crate::finding::Finding;

pub(super) fn lint(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for ((path, node), issuer) in tree.indexed("issuers").zip(policy.issuers()) {
        lint_group_scopes(node, &path, issuer, findings);
    }
    lint_headers(tree, policy, findings);
    lint_signed(tree, policy, findings);
    for ((path, node), rule) in tree.indexed("rules").zip(policy.rules()) {
        let (Some(requirement), Some(access)) = (rule.access.requirement(), node.get("access")) else { continue };
        let mut asked = Vec::new();
        collect(requirement, &EligibleIssuers::all(policy), false, &mut asked);
        let path = format!("{path}.access");
        if let Some(message) = any_issuer(policy, &asked) {
            findings.push(Finding::warning("any-issuer", &path, message, access.span.clone()));
        }
        let raw = asked.iter().find_map(|(asked, eligible)| match asked {
            Requirement::Claim(claim, _) => raw_claim(policy, eligible, claim, ["test `groups`", "test `scopes`"]),
            _ => None,
        });
        if let Some(message) = raw {
            findings.push(Finding::warning("raw-claim", path, message, access.span.clone()));
        }
    }
}

/// The issuers whose tokens a part of a requirement can hold for.
#[derive(Clone, Debug)]
struct EligibleIssuers {
    /// By index.
    issuers: Vec<usize>,
    /// Whether a test for issuers says so.
    is_named: bool,
}

impl EligibleIssuers {
    fn all(policy: &Policy) -> Self {
        Self { issuers: (0..policy.issuers().len()).collect(), is_named: false }
    }

    /// What is left of it where a requirement must hold, or must not.
    fn narrowed(&self, requirement: &Requirement, is_negated: bool) -> Self {
        let may_hold = |issuer: &usize| match is_negated {
            true => !certainly_holds(requirement, *issuer),
            false => may_hold(requirement, *issuer),
        };
        Self {
            issuers: self.issuers.iter().copied().filter(may_hold).collect(),
            is_named: self.is_named || names_issuers(requirement, is_negated),
        }
    }

    fn of<'p>(&self, policy: &'p Policy) -> impl Iterator<Item = &'p Issuer> {
        self.issuers.iter().filter_map(|index| policy.issuers().get(*index))
    }
}

/// Whether a requirement holds for some token of an issuer, as far as tests for issuers go.
fn may_hold(requirement: &Requirement, issuer: usize) -> bool {
    match requirement {
        Requirement::AllOf(parts) => parts.iter().all(|part| may_hold(part, issuer)),
        Requirement::AnyOf(parts) => parts.iter().any(|part| may_hold(part, issuer)),
        Requirement::Issuers(issuers) => issuers.contains(&issuer),
        Requirement::Not(part) => !certainly_holds(part, issuer),
        _ => true,
    }
}

/// Whether it holds for every token of an issuer.
fn certainly_holds(requirement: &Requirement, issuer: usize) -> bool {
    match requirement {
        Requirement::AllOf(parts) => parts.iter().all(|part| certainly_holds(part, issuer)),
        Requirement::AnyOf(parts) => parts.iter().any(|part| certainly_holds(part, issuer)),
        Requirement::Issuers(issuers) => issuers.contains(&issuer),
        Requirement::Not(part) => !may_hold(part, issuer),
        _ => false,
    }
}

/// Whether a requirement holds for issuers that it names alone.
fn names_issuers(requirement: &Requirement, is_negated: bool) -> bool {
    match (requirement, is_negated) {
        (Requirement::AllOf(parts), false) | (Requirement::AnyOf(parts), true) => {
            parts.iter().any(|part| names_issuers(part, is_negated))
        }
        (Requirement::AllOf(parts), true) | (Requirement::AnyOf(parts), false) => {
            parts.iter().all(|part| names_issuers(part, is_negated))
        }
        (Requirement::Issuers(_), is_negated) => !is_negated,
        (Requirement::Not(part), _) => names_issuers(part, !is_negated),
        _ => false,
    }
}

/// The tests for groups, scopes and claims that help to pass, each with the issuers that it can hold for.
fn collect<'r>(
    requirement: &'r Requirement,
    eligible: &EligibleIssuers,
    is_negated: bool,
    asked: &mut Vec<(&'r Requirement, EligibleIssuers)>,
) {
    let eligible = eligible.narrowed(requirement, is_negated);
    match requirement {
        Requirement::AllOf(parts) | Requirement::AnyOf(parts) => {
            for part in parts {
                collect(part, &eligible, is_negated, asked);
            }
        }
        Requirement::Not(part) => collect(part, &eligible, !is_negated, asked),
        Requirement::Claim(..) | Requirement::Groups(_) | Requirement::Scopes(_) if !is_negated => {
            asked.push((requirement, eligible));
        }
        _ => {}
    }
}

/// Why several issuers can give what a rule asks for, unless it names them.
fn any_issuer(policy: &Policy, asked: &[(&Requirement, EligibleIssuers)]) -> Option<String> {
    let groups = givers(policy, asked, "groups");
    let scopes = givers(policy, asked, "scopes");
    let has_claims = asked.iter().any(|(asked, eligible)| {
        matches!(asked, Requirement::Claim(..)) && !eligible.is_named && eligible.issuers.len() > 1
    });
    let given: Vec<_> = [groups, scopes].into_iter().flatten().collect();
    match (given.as_slice(), has_claims) {
        ([], false) => None,
        ([], true) => Some(String::from(
            "tokens of any issuer may have the claims that this asks for, and `grants` does not bound claims: add \
             `issuers: […]` beside them",
        )),
        (given, true) => Some(format!(
            "{}, and those of any issuer may have its claims, which `grants` does not bound: add `issuers: […]` beside \
             them",
            join(given, 0)
        )),
        (given, false) => Some(format!("{}: add `issuers: […]` beside them, or {}", join(given, 0), join(given, 1))),
    }
}

fn join(given: &[[String; 2]], part: usize) -> String {
    given.iter().filter_map(|texts| texts.get(part)).cloned().collect::<Vec<_>>().join(", and ")
}

/// What is wrong with tests of one kind, and what to do about it.
fn givers(policy: &Policy, asked: &[(&Requirement, EligibleIssuers)], kind: &str) -> Option<[String; 2]> {
    asked.iter().filter(|(_, eligible)| !eligible.is_named).find_map(|(asked, eligible)| {
        let can_give = |issuer: &&Issuer| match (asked, kind) {
            (Requirement::Groups(GroupTest::Named(wanted)), "groups") => {
                holds(wanted, |name| issuer.grants().has_group(name))
            }
            // One of the groups that are like this.
            (Requirement::Groups(GroupTest::Like(wildcard)), "groups") => {
                issuer.grants().has_group(&wildcard.text().replace('*', "x"))
            }
            (Requirement::Scopes(wanted), "scopes") => {
                holds(wanted, |name| issuer.grants().can_satisfy(name, policy.scope_match()))
            }
            _ => false,
        };
        let givers: Vec<_> = eligible.of(policy).filter(can_give).collect();
        let is_unbounded = |issuer: &&&Issuer| match kind {
            "groups" => issuer.grants().groups.is_none(),
            _ => issuer.grants().scopes.is_none(),
        };
        let unbounded: Vec<_> = givers.iter().filter(is_unbounded).map(|issuer| issuer.name()).collect();
        (givers.len() > 1 && !unbounded.is_empty()).then(|| {
            let givers: Vec<_> = givers.iter().map(|issuer| issuer.name()).collect();
            [
                format!("tokens of {} can give the {kind} that this asks for", names(&givers)),
                format!("bound what {} can give with `grants: {{{kind}: […]}}`", names(&unbounded)),
            ]
        })
    })
}

fn holds(wanted: &Quantifier, is_there: impl Fn(&str) -> bool) -> bool {
    match wanted {
        Quantifier::All(names) => names.iter().all(|name| is_there(name)),
        Quantifier::Any(names) => names.iter().any(|name| is_there(name)),
    }
}

/// `` `a`, `b` and `c` ``
fn names(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}

/// What `groupScopes` gives, and `grants` takes away.
fn lint_group_scopes(node: &Node, path: &str, issuer: &Issuer, findings: &mut Vec<Finding>) {
    let members = node.get("groupScopes").map(Node::members).unwrap_or_default();
    for member in members {
        let path = format!("{path}.groupScopes.{}", member.name);
        if !issuer.grants().has_scope(&member.name) {
            let message = format!(
                "the issuer's `grants.scopes` drop `{}`, so that no group gives it: add it there, or leave it out here",
                member.name
            );
            findings.push(Finding::warning("outside-grants", &path, message, member.name_span.clone()));
        }
        for (index, element) in member.value.elements().iter().enumerate() {
            let Some(group) = element.text().filter(|group| !issuer.grants().has_group(group)) else { continue };
            let message = format!(
                "the issuer's `grants.groups` drop `{group}`, so that it gives no scope: add it there, or leave it out \
                 here"
            );
            findings.push(Finding::warning(
                "outside-grants",
                format!("{path}[{index}]"),
                message,
                element.span.clone(),
            ));
        }
    }
}

/// Identity headers that carry what `grants` drop.
fn lint_headers(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    let members = tree.get("identityHeaders").map(Node::members).unwrap_or_default();
    for (member, header) in members.iter().zip(policy.identity_headers()) {
        let raw = header.values.iter().find_map(|value| match value {
            IdentityValue::Claim(claim) | IdentityValue::Name(claim) => {
                raw_claim(policy, &EligibleIssuers::all(policy), claim, ["write `$groups`", "write `$scopes`"])
            }
            _ => None,
        });
        if let Some(message) = raw {
            let path = format!("identityHeaders.{}", member.name);
            findings.push(Finding::warning("raw-claim", path, message, member.value.span.clone()));
        }
    }
}

/// The claims of tokens that the gate signs.
fn lint_signed(tree: &Node, policy: &Policy, findings: &mut Vec<Finding>) {
    for ((path, node), credential) in tree.indexed("upstreamCredentials").zip(policy.upstream().credentials()) {
        let CredentialSource::Token(token) = credential.source() else { continue };
        let written = node.find(&["token", "claims"]).map(Node::elements).unwrap_or_default();
        for (index, node) in written.iter().enumerate() {
            let name = node.text().or_else(|| node.get("name")?.text());
            let claim = token.claims().iter().find(|claim| Some(claim.name.as_str()) == name);
            let Some(SignedClaim { value: SignedValue::Caller(IdentityValue::Claim(claim)), .. }) = claim else {
                continue;
            };
            let instead = ["write `from: $groups`", "write `from: $scopes`"];
            if let Some(message) = raw_claim(policy, &EligibleIssuers::all(policy), claim, instead) {
                let path = format!("{path}.token.claims[{index}]");
                findings.push(Finding::warning("raw-claim", path, message, node.span.clone()));
            }
        }
    }
}

/// What to write instead of a claim whose groups or scopes some issuer's `grants` bound.
fn raw_claim(
    policy: &Policy,
    eligible: &EligibleIssuers,
    claim: &ClaimRef,
    [of_groups, of_scopes]: [&str; 2],
) -> Option<String> {
    let holds = |bounded: &ClaimRef| bounded.names().starts_with(claim.names());
    eligible.of(policy).find_map(|issuer| {
        let groups = issuer.grants().groups.is_some() && holds(issuer.groups_claim());
        let scopes = issuer.grants().scopes.is_some() && issuer.scope_claims().iter().any(holds);
        let instead = match (groups, scopes) {
            (true, _) => of_groups,
            (_, true) => of_scopes,
            _ => return None,
        };
        Some(format!(
            "`{claim}` is the claim as it came, which the `grants` of `{}` do not bound: {instead} instead",
            issuer.name()
        ))
    })
}
