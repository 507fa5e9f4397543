//! Conditions on tokens: `requestPrincipals` and `request.auth.…`.

use super::atoms::{Atom, Condition, Held, Test};
use super::formula::{Bound, Formula};
use super::issuers::Issuers;

/// Why a value cannot be carried over as it is.
pub(super) type Problem = String;

/// A value with its wildcard, as Istio reads it.
enum Value<'v> {
    Ends(&'v str),
    Exact(&'v str),
    Present,
    Starts(&'v str),
}

impl<'v> Value<'v> {
    fn new(value: &'v str) -> Self {
        match (value, value.strip_suffix('*'), value.strip_prefix('*')) {
            ("*", ..) => Self::Present,
            (_, Some(start), _) => Self::Starts(start),
            (.., Some(end)) => Self::Ends(end),
            _ => Self::Exact(value),
        }
    }
}

fn held(held: Held) -> Condition {
    Formula::Atom(Atom::Token(held))
}

fn claim(claim: &[String], test: Test) -> Condition {
    held(Held::Claim(claim.to_vec(), test))
}

fn matches(name: &[String], pattern: String) -> Condition {
    claim(name, Test::Matches(pattern))
}

/// `ISSUER/SUBJECT`, with a `*` at one end or alone.
pub(super) fn principal(value: &str, issuers: &Issuers) -> Result<Condition, Problem> {
    let sub = [String::from("sub")];
    let whole = Value::new(value);
    let inner = match whole {
        Value::Present => return Ok(matches(&sub, String::from("*"))),
        Value::Ends(text) | Value::Exact(text) | Value::Starts(text) => text,
    };
    let mut found = Vec::new();
    for issuer in &issuers.all {
        let prefix = format!("{}/", issuer.iss);
        let rest = inner.strip_prefix(prefix.as_str());
        let tests = match whole {
            Value::Exact(_) => rest.map(|rest| claim(&sub, Test::Equals(rest.to_string()))).into_iter().collect(),
            Value::Starts(_) if prefix.starts_with(inner) => vec![matches(&sub, String::from("*"))],
            Value::Starts(_) => rest.map(|rest| matches(&sub, format!("{rest}*"))).into_iter().collect(),
            Value::Ends(_) => ends(inner, &prefix, &sub),
            Value::Present => Vec::new(),
        };
        if !tests.is_empty() {
            let is_from = held(Held::Issuer(issuer.name.clone()));
            found.push(Formula::All(vec![is_from, Formula::Any(tests)]));
        }
    }
    let has_star = inner.contains('*') && !matches!(whole, Value::Exact(_));
    if has_star && !found.is_empty() {
        return Err(String::from("it has a `*` in the middle"));
    }
    Ok(Formula::Any(found))
}

/// The subjects with which `ISSUER/SUBJECT` ends so.
fn ends(end: &str, prefix: &str, sub: &[String]) -> Vec<Condition> {
    let mut tests = vec![matches(sub, format!("*{end}"))];
    for (index, _) in end.char_indices().skip(1).chain([(end.len(), ' ')]) {
        let (before, subject) = end.split_at_checked(index).unwrap_or((end, ""));
        if !before.is_empty() && prefix.ends_with(before) {
            tests.push(claim(sub, Test::Equals(subject.to_string())));
        }
    }
    tests
}

/// A value of the claim that a path of names leads to: a string, or a list of strings of which one is enough.
pub(super) fn value_of_claim(
    name: &[String],
    value: &str,
    bound: Bound,
    issuers: &Issuers,
) -> Result<Condition, Problem> {
    let is_split = matches!(name, [name] if issuers.splits(name));
    let read = Value::new(value);
    let text = match read {
        Value::Present => "",
        Value::Ends(text) | Value::Exact(text) | Value::Starts(text) => text,
    };
    if let ([name], Value::Exact(scope)) = (name, &read)
        && name == "scope"
        && is_split
        && is_scope(scope)
    {
        return Ok(held(Held::Scope((*scope).to_string())));
    }
    if is_split && text.contains(' ') {
        // Nothing that is split has a blank in it.
        return Ok(Formula::FALSE);
    }
    let has_star = text.contains('*') && (is_split || !matches!(read, Value::Exact(_)));
    if has_star {
        return Err(String::from("it has a `*` in the middle"));
    }
    let around =
        |patterns: &[String]| patterns.iter().map(|pattern| matches(name, pattern.clone())).collect::<Vec<_>>();
    let mut tests = match read {
        Value::Exact(_) => {
            // Of a text as well as of a list.
            let mut tests = vec![claim(name, Test::Any(text.to_string()))];
            if is_split {
                tests.extend(around(&[format!("{text} *"), format!("* {text}"), format!("* {text} *")]));
            }
            return Ok(Formula::Any(tests));
        }
        Value::Present => {
            let is_empty = claim(name, Test::Equals(String::new()));
            vec![Formula::All(vec![matches(name, String::from("*")), is_empty.not()])]
        }
        Value::Starts(_) => {
            around(&if is_split { vec![format!("{text}*"), format!("* {text}*")] } else { vec![format!("{text}*")] })
        }
        Value::Ends(_) => {
            around(&if is_split { vec![format!("*{text}"), format!("*{text} *")] } else { vec![format!("*{text}")] })
        }
    };
    // The elements of a list cannot be matched by their beginning.
    if bound == Bound::Above {
        tests = vec![claim(name, Test::Exists)];
    }
    Ok(Formula::Any(tests))
}

/// Whether a value of a claim can be matched only where the claim is a string.
pub(super) fn leaves_lists_out(value: &str) -> bool {
    !matches!(Value::new(value), Value::Exact(_))
}

/// A value of `request.auth.audiences`.
pub(super) fn audience(value: &str) -> Result<Condition, Problem> {
    match Value::new(value) {
        Value::Exact(audience) => Ok(held(Held::Audience(audience.to_string()))),
        _ => Err(String::from("audiences are compared whole")),
    }
}

/// A value of `request.auth.presenter`.
pub(super) fn presenter(value: &str) -> Result<Condition, Problem> {
    match Value::new(value) {
        Value::Exact(presenter) => Ok(claim(&[String::from("azp")], Test::Equals(presenter.to_string()))),
        _ => Err(String::from("presenters are compared whole")),
    }
}

/// The names in `request.auth.claims[a][b]`.
pub(super) fn names_of_claim(key: &str) -> Option<Vec<String>> {
    let inner = key.strip_prefix("request.auth.claims[")?.strip_suffix(']')?;
    let names: Vec<_> = inner.split("][").map(String::from).collect();
    names.iter().all(|name| !name.is_empty() && !name.contains(['[', ']'])).then_some(names)
}

/// RFC 6749 §3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
