//! What is asked of a token, as `access` has it.

use super::atoms::{Held, Test};
use super::formula::Formula;
use crate::document::Node;

type Asked = Formula<Held>;

/// An object of requirements.
pub(super) fn requirement(asked: &Asked) -> Node {
    match asked {
        Formula::Atom(held) => holds(held),
        Formula::Not(inner) => Node::of_map([("not", requirement(inner))]),
        Formula::All(parts) => all(parts),
        Formula::Any(parts) => any(parts),
    }
}

/// Objects whose members are all different make one object.
fn all(parts: &[Asked]) -> Node {
    let objects: Vec<_> = parts.iter().map(requirement).collect();
    let mut names: Vec<_> = objects.iter().flat_map(Node::members).map(|member| &member.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    match names.len() == count {
        true => Node::of_map(
            objects.iter().flat_map(Node::members).map(|member| (member.name.clone(), member.value.clone())),
        ),
        false => Node::of_map([("allOf", Node::of_list(objects))]),
    }
}

/// Alternatives that test the same thing make one test.
fn any(parts: &[Asked]) -> Node {
    let mut objects: Vec<Node> = Vec::new();
    let mut done = Vec::new();
    for part in parts {
        if done.contains(&part) {
            continue;
        }
        let alike: Vec<_> =
            parts.iter().filter(|other| subject(other).is_some() && subject(other) == subject(part)).collect();
        done.extend(alike.iter().copied());
        objects.push(if alike.len() > 1 { together(&alike) } else { requirement(part) });
    }
    match objects.as_slice() {
        [only] => only.clone(),
        _ => Node::of_map([("anyOf", Node::of_list(objects))]),
    }
}

/// What a test reads, and how, if several can be made one.
#[derive(PartialEq)]
enum Subject<'h> {
    Audience,
    Elements(&'h [String]),
    Issuer,
    Scope,
    Value(&'h [String]),
}

fn subject(asked: &Asked) -> Option<Subject<'_>> {
    match asked {
        Formula::Atom(Held::Audience(_)) => Some(Subject::Audience),
        Formula::Atom(Held::Claim(claim, Test::Any(_))) => Some(Subject::Elements(claim)),
        Formula::Atom(Held::Claim(claim, Test::Equals(_))) => Some(Subject::Value(claim)),
        Formula::Atom(Held::Issuer(_)) => Some(Subject::Issuer),
        Formula::Atom(Held::Scope(_)) => Some(Subject::Scope),
        _ => None,
    }
}

/// One test for several of the same thing.
fn together(alike: &[&Asked]) -> Node {
    let texts = alike.iter().filter_map(|asked| match asked {
        Formula::Atom(
            Held::Audience(text)
            | Held::Issuer(text)
            | Held::Scope(text)
            | Held::Claim(_, Test::Any(text) | Test::Equals(text)),
        ) => Some(text.clone()),
        _ => None,
    });
    let texts = Node::of_texts(texts);
    match alike.first() {
        Some(Formula::Atom(Held::Issuer(_))) => Node::of_map([("issuers", texts)]),
        Some(Formula::Atom(Held::Audience(_))) => quantified("audiences", "any", texts),
        Some(Formula::Atom(Held::Scope(_))) => quantified("scopes", "any", texts),
        Some(Formula::Atom(Held::Claim(claim, Test::Equals(_)))) => test_of(claim, "in", texts),
        Some(Formula::Atom(Held::Claim(claim, _))) => test_of(claim, "any", texts),
        _ => Node::of_map::<&str>([]),
    }
}

fn holds(held: &Held) -> Node {
    match held {
        Held::Audience(name) => quantified("audiences", "any", Node::of_texts([name.clone()])),
        Held::Issuer(name) => Node::of_map([("issuers", Node::of_texts([name.clone()]))]),
        Held::Scope(name) => quantified("scopes", "all", Node::of_texts([name.clone()])),
        Held::Claim(claim, test) => match test {
            Test::Any(wanted) => test_of(claim, "any", Node::of_texts([wanted.clone()])),
            Test::Equals(wanted) => test_of(claim, "equals", Node::of_text(wanted.clone())),
            Test::Exists => test_of(claim, "exists", Node::of_bool(true)),
            Test::Matches(pattern) => test_of(claim, "matches", Node::of_text(pattern.clone())),
        },
    }
}

fn quantified(name: &'static str, word: &'static str, texts: Node) -> Node {
    Node::of_map([(name, Node::of_map([(word, texts)]))])
}

/// A test of a claim; by its dotted path where no name has a dot.
fn test_of(claim: &[String], test: &'static str, value: Node) -> Node {
    let is_dotted = claim.iter().all(|name| !name.contains('.'));
    let tests = match is_dotted {
        true => Node::of_map([(claim.join("."), Node::of_map([(test, value)]))]),
        false => Node::of_list([Node::of_map([("claim", Node::of_texts(claim.iter().cloned())), (test, value)])]),
    };
    Node::of_map([("claims", tests)])
}
