//! Authorization policies as one condition: who may pass.

use super::atoms::{Atom, Condition, Host};
use super::formula::{Bound, Formula};
use super::issuers::Issuers;
use super::notes::Notes;
use super::pattern::Pattern;
use super::resources::{Action, AuthorizationPolicy, Condition as When, From, Resource, Rule, To};
use super::tokens::{self, Problem};

/// Who may pass by all of `policies`.
pub(super) fn allowed(policies: &[&Resource<AuthorizationPolicy>], issuers: &Issuers, notes: &mut Notes) -> Condition {
    let enforced: Vec<_> = policies.iter().filter(|policy| is_enforced(policy, notes)).collect();
    let mut matching = |action, bound| -> Vec<Condition> {
        let chosen = enforced.iter().filter(|policy| policy.spec.action == action);
        chosen.flat_map(|policy| rules(policy, bound, issuers, notes)).collect()
    };
    let mut denied = matching(Action::Deny, Bound::Above);
    denied.extend(matching(Action::Custom, Bound::Above));
    let allow = matching(Action::Allow, Bound::Below);
    // Where something is allowed, all else is not.
    let has_allow = enforced.iter().any(|policy| policy.spec.action == Action::Allow);
    let allow = if has_allow { Formula::Any(allow) } else { Formula::TRUE };
    Formula::All(vec![Formula::Any(denied).not(), allow])
}

fn is_enforced(policy: &Resource<AuthorizationPolicy>, notes: &mut Notes) -> bool {
    if policy.is_dry_run {
        notes.other(format!("{} is a dry run (istio.io/dry-run), and skipped", policy.title));
        return false;
    }
    match policy.spec.action {
        Action::Allow | Action::Deny => true,
        Action::Audit => {
            notes.other(format!("{} only logs requests: Jotgate logs and counts what it denies", policy.title));
            false
        }
        Action::Custom => {
            notes.stricter(format!(
                "{} asks an external authorizer, which Jotgate does not: the requests that it matches are denied",
                policy.title
            ));
            true
        }
    }
}

fn rules(policy: &Resource<AuthorizationPolicy>, bound: Bound, issuers: &Issuers, notes: &mut Notes) -> Vec<Condition> {
    let all = policy.spec.rules.iter().enumerate();
    all.map(|(index, rule)| {
        let location = format!("{}, rules[{index}]", policy.title);
        Reader { location, issuers, notes }.rule(rule, bound)
    })
    .collect()
}

/// Reads a rule.
struct Reader<'r> {
    /// Its policy and index.
    location: String,
    issuers: &'r Issuers,
    notes: &'r mut Notes,
}

impl Reader<'_> {
    fn rule(&mut self, rule: &Rule, bound: Bound) -> Condition {
        let from: Vec<_> = rule.from.iter().map(|from| self.source(from, bound)).collect();
        let to: Vec<_> = rule.to.iter().map(|to| self.operation(to, bound)).collect();
        let mut all: Vec<_> = rule.when.iter().map(|when| self.when(when, bound)).collect();
        all.extend([from, to].into_iter().filter(|any| !any.is_empty()).map(Formula::Any));
        Formula::All(all)
    }

    fn source(&mut self, from: &From, bound: Bound) -> Condition {
        let fields = from.source.iter().filter(|(_, values)| !values.is_empty());
        let fields: Vec<_> = fields
            .map(|(name, values)| match name.as_str() {
                "requestPrincipals" => self.any(name, values, bound, |reader, value, _| reader.principal(value)),
                "notRequestPrincipals" => {
                    self.any(name, values, bound.flipped(), |reader, value, _| reader.principal(value)).not()
                }
                _ => self.unknown(&format!("source.{name}"), bound),
            })
            .collect();
        Formula::All(fields)
    }

    fn operation(&mut self, to: &To, bound: Bound) -> Condition {
        let fields = to.operation.iter().filter(|(_, values)| !values.is_empty());
        let fields: Vec<_> = fields
            .map(|(name, values)| match name.as_str() {
                "hosts" => self.any(name, values, bound, |reader, value, bound| reader.host(value, values, bound)),
                "notHosts" => {
                    let bound = bound.flipped();
                    self.any(name, values, bound, |reader, value, bound| reader.host(value, values, bound)).not()
                }
                "methods" => self.any(name, values, bound, |_, value, _| method(value)),
                "notMethods" => self.any(name, values, bound.flipped(), |_, value, _| method(value)).not(),
                "paths" => self.any(name, values, bound, Self::path),
                "notPaths" => self.any(name, values, bound.flipped(), Self::path).not(),
                _ => self.unknown(&format!("operation.{name}"), bound),
            })
            .collect();
        Formula::All(fields)
    }

    fn when(&mut self, when: &When, bound: Bound) -> Condition {
        let Some(read) = Self::key(&when.key) else { return self.unknown(&when.key, bound) };
        let mut all = Vec::new();
        if !when.values.is_empty() {
            all.push(self.any(&when.key, &when.values, bound, &read));
        }
        if !when.not_values.is_empty() {
            all.push(self.any(&when.key, &when.not_values, bound.flipped(), &read).not());
        }
        Formula::All(all)
    }

    /// How the values of a key are read; `None` if Jotgate does not know it.
    #[expect(clippy::type_complexity, reason = "it is what `any` takes")]
    fn key<'k>(key: &'k str) -> Option<Box<dyn Fn(&mut Self, &str, Bound) -> Result<Condition, Problem> + 'k>> {
        if let Some(names) = tokens::names_of_claim(key) {
            return Some(Box::new(move |reader, value, bound| reader.claim(&names, value, bound)));
        }
        let header = key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = header {
            let name = name.to_ascii_lowercase();
            return Some(Box::new(move |_, value, _| header_value(&name, value)));
        }
        match key {
            "request.auth.principal" => Some(Box::new(|reader, value, _| reader.principal(value))),
            "request.auth.audiences" => Some(Box::new(|_, value, _| tokens::audience(value))),
            "request.auth.presenter" => Some(Box::new(|_, value, _| tokens::presenter(value))),
            _ => None,
        }
    }

    /// One of the values. Where one cannot be carried over, what is made of it errs on the safe side.
    fn any(
        &mut self,
        name: &str,
        values: &[String],
        bound: Bound,
        read: impl Fn(&mut Self, &str, Bound) -> Result<Condition, Problem>,
    ) -> Condition {
        let mut any = Vec::new();
        for value in values {
            any.push(read(self, value, bound).unwrap_or_else(|problem| {
                self.say(&format!("`{value}` of `{name}`"), &problem, bound);
                Formula::unknown(bound)
            }));
        }
        Formula::Any(any)
    }

    fn unknown(&mut self, name: &str, bound: Bound) -> Condition {
        self.say(&format!("`{name}`"), "Jotgate does not match that", bound);
        Formula::unknown(bound)
    }

    fn say(&mut self, what: &str, problem: &str, bound: Bound) {
        let consequence = match bound {
            Bound::Below => "it is taken not to hold, so that what it would let pass is denied",
            Bound::Above => "it is taken to hold, so that more is denied than in Istio",
        };
        self.notes.stricter(format!("{}: {what}: {problem}; {consequence}", self.location));
    }

    fn principal(&mut self, value: &str) -> Result<Condition, Problem> {
        let found = tokens::principal(value, self.issuers)?;
        if found.is_false() {
            self.notes.other(format!("{}: `{value}` is not of a known issuer: it never matches", self.location));
        }
        Ok(found)
    }

    fn claim(&mut self, names: &[String], value: &str, bound: Bound) -> Result<Condition, Problem> {
        if tokens::leaves_lists_out(value) {
            let text = match bound {
                Bound::Below => "is searched in strings, not in lists, so that tokens with a list are denied",
                Bound::Above => "matches any value, since lists are not searched, so that more is denied",
            };
            self.notes.stricter(format!("{}: `{value}` of the claim `{}` {text}", self.location, names.join(".")));
        }
        tokens::value_of_claim(names, value, bound, self.issuers)
    }

    fn path(&mut self, value: &str, _: Bound) -> Result<Condition, Problem> {
        if value == "*" {
            return Ok(Formula::TRUE);
        }
        let Some(pattern) = Pattern::parse(value)?.canonical() else {
            self.notes
                .other(format!("{}: `{value}` never matches: Jotgate denies such a path as ambiguous", self.location));
            return Ok(Formula::FALSE);
        };
        Ok(Formula::Atom(Atom::Path(pattern)))
    }

    /// Rules see hosts without their port, so that `example.com` also matches `example.com:*`.
    fn host(&mut self, value: &str, all: &[String], bound: Bound) -> Result<Condition, Problem> {
        if value == "*" {
            return Ok(Formula::TRUE);
        }
        let has = |wanted: String| all.contains(&wanted);
        let (name, port) = value.split_once(':').map_or((value, None), |(name, port)| (name, Some(port)));
        let is_whole = port.is_none() || (port == Some("*") && has(name.to_string()));
        let found = Host::parse(name).filter(|_| is_whole || bound == Bound::Above);
        let Some(host) = found else {
            let problem = "only hosts such as `example.com` and `*.example.com` can be matched, and not their ports";
            return Err(String::from(problem));
        };
        if !is_whole || (port.is_none() && !has(format!("{name}:*"))) {
            let text = format!("{}: `{value}` of `hosts` matches that host with any port", self.location);
            match bound {
                Bound::Below => self.notes.weaker(text),
                Bound::Above => self.notes.stricter(text),
            }
        }
        Ok(Formula::Atom(Atom::Host(host)))
    }
}

fn method(value: &str) -> Result<Condition, Problem> {
    let is_method =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    match value {
        "*" => Ok(Formula::TRUE),
        _ if is_method => Ok(Formula::Atom(Atom::Method(value.to_string()))),
        _ => Err(String::from("only whole methods in capitals can be matched")),
    }
}

fn header_value(name: &str, value: &str) -> Result<Condition, Problem> {
    match value.contains('*') || name.starts_with(':') || name == "host" {
        true => Err(String::from("only whole values of ordinary headers can be matched")),
        false => Ok(Formula::Atom(Atom::Header(name.to_string(), value.to_string()))),
    }
}
