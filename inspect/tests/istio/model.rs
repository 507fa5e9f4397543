//! What Istio does with a request, by its reference of `AuthorizationPolicy`, `RequestAuthentication` and conditions.
//!
//! Written from the reference, and apart from what it tests: policies are read as JSON, and conditions one by one.

use regex_lite::Regex;
use serde_json::Value;

/// A request that reached a workload, its token verified.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) header: Option<String>,
    pub(crate) claims: Option<Value>,
    /// What Jotgate does not see: who the peer is, where it is, and which port it asked for.
    pub(crate) peer: Value,
}

/// Whether every one of `policies` lets the request pass. What an external authorizer is asked about does not.
pub(crate) fn passes(policies: &[Value], request: &Request) -> bool {
    let enforced = policies.iter().filter(|policy| policy["metadata"]["annotations"]["istio.io/dry-run"] != "true");
    let enforced: Vec<_> = enforced.collect();
    let action = |policy: &Value| policy["spec"]["action"].as_str().unwrap_or("ALLOW").to_string();
    let of = |wanted: &str| enforced.iter().filter(|policy| action(policy) == wanted).collect::<Vec<_>>();
    let matches = |policy: &&&Value| list(&policy["spec"]["rules"]).iter().any(|rule| matches_rule(rule, request));
    let allows = of("ALLOW");
    !of("CUSTOM").iter().any(&matches)
        && !of("DENY").iter().any(&matches)
        && (allows.is_empty() || allows.iter().any(&matches))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn matches_rule(rule: &Value, request: &Request) -> bool {
    let any = |list: &[Value], holds: &dyn Fn(&Value) -> bool| list.is_empty() || list.iter().any(holds);
    any(list(&rule["from"]), &|from| all_fields(&from["source"], request))
        && any(list(&rule["to"]), &|to| all_fields(&to["operation"], request))
        && list(&rule["when"]).iter().all(|when| {
            let key = when["key"].as_str().expect("is a key");
            let (values, others) = (list(&when["values"]), list(&when["notValues"]));
            (values.is_empty() || values.iter().any(|value| holds(key, value, request)))
                && !others.iter().any(|value| holds(key, value, request))
        })
}

fn all_fields(fields: &Value, request: &Request) -> bool {
    fields.as_object().expect("is an object").iter().all(|(name, values)| {
        let any = |name: &str| list(values).iter().any(|value| holds(name, value, request));
        match name.strip_prefix("not") {
            Some(rest) => !any(&format!("{}{}", rest[..1].to_lowercase(), &rest[1..])),
            None => any(name),
        }
    })
}

/// Whether a request has a value of a field or key.
fn holds(name: &str, value: &Value, request: &Request) -> bool {
    let value = value.as_str().expect("is text");
    let claims = request.claims.as_ref();
    match name {
        "methods" => like(value, &request.method),
        "hosts" => like(&value.to_lowercase(), &request.host.to_lowercase()),
        "paths" if value.contains('{') => like_template(value, &request.path),
        "paths" => like(value, &request.path),
        "requestPrincipals" | "request.auth.principal" => principal(claims).is_some_and(|found| like(value, &found)),
        "request.auth.audiences" => claims.is_some_and(|claims| has(&claims["aud"], value)),
        "request.auth.presenter" => claims.is_some_and(|claims| has(&claims["azp"], value)),
        "request.headers[x-t]" => request.header.as_ref().is_some_and(|found| like(value, found)),
        _ => match name.strip_prefix("request.auth.claims[").and_then(|rest| rest.strip_suffix(']')) {
            Some(names) => claims.is_some_and(|claims| has_claim(claims, names, value)),
            None => request.peer[name].as_str().is_some_and(|found| like(value, found)),
        },
    }
}

fn principal(claims: Option<&Value>) -> Option<String> {
    let claims = claims?;
    Some(format!("{}/{}", claims["iss"].as_str()?, claims["sub"].as_str()?))
}

fn has_claim(claims: &Value, names: &str, value: &str) -> bool {
    let found = names.split("][").fold(claims, |found, name| &found[name]);
    // These hold several values with blanks in between.
    match found.as_str().filter(|_| ["scope", "permission"].contains(&names)) {
        Some(text) => text.split(' ').any(|part| like(value, part)),
        None => has(found, value),
    }
}

/// A string, or a list of strings of which one is enough. Nothing else matches.
fn has(found: &Value, value: &str) -> bool {
    let is_like = |found: &Value| found.as_str().is_some_and(|text| like(value, text));
    is_like(found) || list(found).iter().any(is_like)
}

/// Exact, `prefix*`, `*suffix`, or `*` for whatever is not empty.
fn like(value: &str, text: &str) -> bool {
    match (value.strip_suffix('*'), value.strip_prefix('*')) {
        _ if value == "*" => !text.is_empty(),
        (Some(prefix), _) => text.starts_with(prefix),
        (_, Some(suffix)) => text.ends_with(suffix),
        _ => value == text,
    }
}

/// `{*}` is one segment, `{**}` any number of them.
fn like_template(value: &str, path: &str) -> bool {
    let characters = r"a-zA-Z0-9\-._~%!$&'()+,;:@=";
    let regex = value.replace('.', r"\.");
    let regex = regex.replace("{**}", &format!("[{characters}/]*")).replace("{*}", &format!("[{characters}]+"));
    Regex::new(&format!("^{regex}$")).expect("is an expression").is_match(path)
}
