//! Rules in CEL (`x-kubernetes-validations`), with the functions that Kubernetes adds.

use std::collections::HashMap;
use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, Program, Value as Cel};
use jsonschema::{Keyword, ValidationError};
use serde_json::Value;

/// The rules of one schema.
pub(crate) struct Rules(Vec<Rule>);

struct Rule {
    program: Program,
    text: String,
    message: String,
}

impl Rules {
    pub(crate) fn new(rules: &Value) -> Self {
        let rules = rules.as_array().expect("is a list").iter().map(|rule| {
            let text = rule["rule"].as_str().expect("is text").to_owned();
            let program = Program::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            Rule { program, message: rule["message"].as_str().unwrap_or(&text).to_owned(), text }
        });
        // What compares with an earlier object says nothing of a new one.
        Self(rules.filter(|rule| !rule.text.contains("oldSelf")).collect())
    }

    /// What is said of the first rule that does not hold.
    fn broken(&self, instance: &Value) -> Option<String> {
        let mut context = context();
        context.add_variable_from_value("self", from_json(instance));
        self.0.iter().find_map(|rule| match rule.program.execute(&context) {
            Ok(Cel::Bool(true)) => None,
            Ok(Cel::Bool(false)) => Some(rule.message.clone()),
            // What has the wrong type is told by the schema, too; else this is a rule that is not understood here.
            other => Some(format!("`{}` gives {other:?}", rule.text)),
        })
    }
}

/// With the functions of Kubernetes that rules here use.
fn context() -> Context<'static, 'static> {
    let mut context = Context::default();
    let added = [
        context.add_function("isURL", |text: Arc<String>| scheme(&text).is_some()),
        // An URL is passed on as its text.
        context.add_function("url", |text: Arc<String>| text),
        context.add_function("getScheme", |This(url): This<Arc<String>>| scheme(&url).unwrap_or_default().to_owned()),
    ];
    assert!(added.iter().all(Result::is_ok), "{added:?}");
    context
}

impl<'i> Keyword<'i> for Rules {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        self.broken(instance).map_or(Ok(()), |message| Err(ValidationError::custom(message)))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.broken(instance).is_none()
    }
}

/// The scheme of an absolute URL.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_name(scheme) && !rest.contains(|character: char| character.is_whitespace())).then_some(scheme)
}

/// In CEL the integers of JSON have a sign.
fn from_json(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64().expect("is a number").into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(from_json).collect::<Vec<_>>().into(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect::<HashMap<_, _>>().into()
        }
    }
}
