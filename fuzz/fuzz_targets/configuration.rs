//! Configurations: whatever is handed over becomes a policy or a list of errors that point to their causes, and
//! it does not matter whether it comes as JSON or as a `google.protobuf.Struct`.

#![no_main]

use std::collections::BTreeMap;

use driver::memory::{Exchange, Outcome, Proxy};
use fuzz::json::{self, Shape, Tree};
use fuzz::proxy::Gullible;
use fuzz::signed;
use gate::{ConfigErrors, Gate, Policy, Timestamp};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

/// RFC 8037 App. A.1.
const PRIVATE_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fuzz_target!(|input: &[u8]| {
    let found = parse(input);
    let tree = json::read(input).ok().filter(Tree::is_object);
    if let Err(errors) = &found {
        check_errors(errors, input, tree.as_ref());
    }
    if let Some(form) = tree.as_ref().and_then(to_struct) {
        check_that_forms_agree(input, &found, &parse(&form.encode_to_vec()));
    }
    if let Ok(policy) = found {
        check_use(policy);
    }
});

fn parse(configuration: &[u8]) -> Result<Policy, ConfigErrors> {
    Policy::parse(configuration, &|name| match name {
        "JWKS" => Some(signed::KEYS.to_string()),
        "KEY" => Some(String::from(PRIVATE_KEY)),
        _ => None,
    })
}

/// Each error says where it is and what it is about, in a line that a log can carry.
fn check_errors(errors: &ConfigErrors, input: &[u8], tree: Option<&Tree<'_>>) {
    assert!(errors.iter().next().is_some());
    let mut offsets = Offsets::new();
    if let Some(tree) = tree {
        collect_offsets(tree, String::new(), input, &mut offsets);
    }
    for error in errors.iter() {
        let message = error.problem.to_string();
        assert!(!message.is_empty() && message.len() < 2 * input.len() + 4096, "{message}");
        assert!(tree.is_none() || offsets.contains_key(&error.path) || is_left_out(&error.path, &offsets), "{error}");
        if let Some(Some(offset)) = offsets.get(&error.path) {
            assert_eq!(error.offset, *offset, "{error}");
        }
    }
}

/// The offset of the value at each path, where there is one.
type Offsets = BTreeMap<String, Option<usize>>;

/// Whether a path leads to a member with a default, which is not there.
fn is_left_out(path: &str, offsets: &Offsets) -> bool {
    let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
    offsets.contains_key(parent)
}

/// Where each value stands, by its path. Names may hold dots: two values may have the same path.
fn collect_offsets(tree: &Tree<'_>, path: String, input: &[u8], offsets: &mut Offsets) {
    for (index, element) in tree.elements().iter().enumerate() {
        collect_offsets(element, format!("{path}[{index}]"), input, offsets);
    }
    for (name, member) in tree.members() {
        let dot = if path.is_empty() { "" } else { "." };
        collect_offsets(member, format!("{path}{dot}{name}"), input, offsets);
    }
    let offset = tree.text.as_ptr() as usize - input.as_ptr() as usize;
    offsets.entry(path).and_modify(|offset| *offset = None).or_insert(Some(offset));
}

/// A Struct that says the same; `None` where it could not: numbers there are doubles.
fn to_struct(tree: &Tree<'_>) -> Option<Struct> {
    match to_value(tree)?.kind? {
        Kind::StructValue(found) => Some(found),
        _ => None,
    }
}

fn to_value(tree: &Tree<'_>) -> Option<Value> {
    let kind = match &tree.shape {
        Shape::Array(elements) => {
            Kind::ListValue(ListValue { values: elements.iter().map(to_value).collect::<Option<_>>()? })
        }
        Shape::Bool(truth) => Kind::BoolValue(*truth),
        Shape::Null => Kind::NullValue(0),
        Shape::Number => {
            let is_exact = |number: &f64| number.fract() == 0.0 && number.abs() < 1e15 && tree.text.len() < 16;
            Kind::NumberValue(tree.text.parse().ok().filter(is_exact)?)
        }
        Shape::Object(members) => {
            let fields = members.iter().map(|(name, member)| Some((name.clone(), to_value(member)?)));
            Kind::StructValue(Struct { fields: fields.collect::<Option<_>>()? })
        }
        Shape::String(text) => Kind::StringValue(text.clone()),
    };
    Some(Value { kind: Some(kind) })
}

/// A Struct is a map: it says what the text says whose members are sorted. The order decides which of two members is
/// the second one, and nothing else.
fn check_that_forms_agree(text: &[u8], found: &Result<Policy, ConfigErrors>, form: &Result<Policy, ConfigErrors>) {
    let value: serde_json::Value = serde_json::from_slice(text).expect("was read before");
    let sorted = parse(value.to_string().as_bytes());
    let paths = |found: &Result<Policy, ConfigErrors>| -> Option<Vec<String>> {
        Some(found.as_ref().err()?.iter().map(|error| error.path.clone()).collect())
    };
    assert_eq!(paths(&sorted), paths(form), "\n{sorted:?}\n{form:?}");
    assert_eq!(found.is_ok(), sorted.is_ok(), "\n{found:?}\n{sorted:?}");
}

/// A policy decides, and no request without a token passes with an identity.
fn check_use(policy: Policy) {
    let now = Timestamp::from_secs(1_800_000_000);
    let mut proxy = Proxy::new(Gate::new(policy, now, 1), Gullible, now);
    for path in ["/", "/a/b", "/healthz", "*"] {
        let sent = Exchange::new([
            (":method", "GET"),
            (":path", path),
            (":authority", "api.example.com"),
            ("x-auth-request-user", "mallory"),
        ]);
        let decided = proxy.decide(sent.clone());
        match &decided.outcome {
            Outcome::Forwarded => {
                assert_ne!(path, "*");
                assert_eq!(decided.properties["jotgate_decision"], "allowed");
                let forwarded = &decided.headers;
                assert!(forwarded.0.iter().all(|line| sent.headers.0.contains(line)), "{forwarded:?}");
            }
            Outcome::Replied { reply, .. } => assert!((400..=503).contains(&reply.status)),
            Outcome::Waiting => panic!("waits without a token"),
        }
    }
}
