//! Objects against the definitions of their kinds, as an API server with strict validation judges them.
//!
//! The definitions lie in `JOTGATE_CRDS`, or in `../shared/k8s` beside the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use jsonschema::Validator;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use test_support::workspace;

use crate::rules::Rules;

/// A kind, as `apiVersion` and `kind` name it.
type Kind = (String, String);

struct Definition {
    schema: Value,
    validator: Validator,
}

static DEFINITIONS: LazyLock<BTreeMap<Kind, Definition>> = LazyLock::new(|| read(&folder()));

fn folder() -> PathBuf {
    workspace().join(env::var_os("JOTGATE_CRDS").unwrap_or_else(|| "../shared/k8s".into()))
}

/// Whether there are no definitions: that is said loudly, and CI does not pass without them.
pub(crate) fn are_absent() -> bool {
    let (is_absent, folder) = (!folder().exists(), folder());
    let text = format!("there are no definitions of kinds at {}: set JOTGATE_CRDS to their folder", folder.display());
    assert!(!is_absent || env::var_os("CI").is_none(), "{text}");
    if is_absent {
        eprintln!("SKIPPED: {text}");
    }
    is_absent
}

/// What an API server objects to: nothing, where it takes the object.
pub(crate) fn errors(object: &Value) -> Vec<String> {
    let text = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let kind = (text("apiVersion"), text("kind"));
    let Some(definition) = DEFINITIONS.get(&kind) else {
        return vec![format!("no kind is known as {kind:?}, but {:?}", DEFINITIONS.keys())];
    };
    let mut object = object.clone();
    set_defaults(&definition.schema, &mut object);
    let errors = definition.validator.iter_errors(&object);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The documents of a text in YAML.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents = yaml_serde::Deserializer::from_str(text).map(Value::deserialize);
    let documents = documents.map(|document| document.unwrap_or_else(|error| panic!("{error}:\n{text}")));
    documents.filter(|document| !document.is_null()).collect()
}

fn read(folder: &Path) -> BTreeMap<Kind, Definition> {
    let files = fs::read_dir(folder).expect("can be read").map(|entry| entry.expect("can be read").path());
    let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let mut definitions = BTreeMap::new();
    for definition in texts.flat_map(|path| documents(&fs::read_to_string(path).expect("is text"))) {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().expect("is text").to_owned();
        for version in spec["versions"].as_array().expect("has versions") {
            let kind = (format!("{}/{}", text(&spec["group"]), text(&version["name"])), text(&spec["names"]["kind"]));
            definitions.insert(kind, compile(&version["schema"]["openAPIV3Schema"]));
        }
    }
    definitions
}

fn compile(schema: &Value) -> Definition {
    let mut schema = schema.clone();
    for name in ["apiVersion", "kind"] {
        schema["properties"][name] = json!({"type": "string"});
    }
    schema["properties"]["metadata"] = metadata();
    make_strict(&mut schema);
    let options = jsonschema::options().with_keyword("x-kubernetes-validations", |_, rules, _| {
        Ok(Box::new(Rules::new(rules)) as Box<dyn for<'i> jsonschema::Keyword<'i>>)
    });
    let validator = options.build(&schema).unwrap_or_else(|error| panic!("{error}"));
    Definition { schema, validator }
}

/// What all objects have: the part of it that is used here.
fn metadata() -> Value {
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let label = json!({"type": "string", "maxLength": 63, "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"});
    let name = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 253, "pattern": name},
            "namespace": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
            "annotations": texts,
            "labels": {"type": "object", "additionalProperties": label},
        },
    })
}

/// From Kubernetes' dialect to JSON Schema: members that are not listed are errors, and its extensions are spelt out.
fn make_strict(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    let is_open = members.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if members.get("type") == Some(&json!("object")) && !is_open {
        members.entry("additionalProperties").or_insert(json!(false));
    }
    if members.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        members.insert("type".into(), json!(["integer", "string"]));
    }
    if members.get("nullable") == Some(&json!(true)) {
        let kind = members["type"].clone();
        members.insert("type".into(), json!([kind, "null"]));
    }
    for inner in children(members) {
        make_strict(inner);
    }
}

/// The schemas of what is inside. (Those below `oneOf` and the like only narrow what stands here.)
fn children(schema: &mut Map<String, Value>) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for (name, value) in schema {
        match name.as_str() {
            "properties" => found.extend(value.as_object_mut().expect("is an object").values_mut()),
            "items" | "additionalProperties" => found.push(value),
            _ => {}
        }
    }
    found
}

/// An API server does so before it looks at the rules.
fn set_defaults(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                if let Some(default) = inner.get("default") {
                    members.entry(name).or_insert_with(|| default.clone());
                }
                if let Some(member) = members.get_mut(name) {
                    set_defaults(inner, member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| set_defaults(&schema["items"], item)),
        _ => {}
    }
}
