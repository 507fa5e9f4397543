//! The configurations that people copy are good ones.

use std::fs;
use std::sync::LazyLock;

use serde_json::Value;
use strict_host::VmOptions;
use test_support::workspace;
use testbed::keys::{Algorithm, SigningKey, jwk_set};

use crate::world::plugin;

fn read(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap()
}

/// Whether the plugin takes it, with all variables that it asks for; its errors, where not.
fn load(config: &Value) -> Result<(), Vec<String>> {
    let options =
        variables("", config).into_iter().fold(VmOptions::new(), |options, (name, value)| options.env(name, value));
    plugin().check(&config.to_string(), options)
}

/// The variables in what a member has, each with a value: keys are no text that anybody writes.
fn variables(member: &str, value: &Value) -> Vec<(String, String)> {
    let key = || SigningKey::generate(Algorithm::EdDSA);
    match value {
        Value::Object(members) => match members.get("env").and_then(Value::as_str) {
            Some(name) => {
                let text = match member {
                    "inline" => jwk_set([&key()]).to_string(),
                    "keys" | "privateKey" => key().private_jwk().unwrap().to_string(),
                    _ => String::from("a-value-of-no-fewer-than-32-octets"),
                };
                vec![(name.to_string(), text)]
            }
            None => members.iter().flat_map(|(member, value)| variables(member, value)).collect(),
        },
        Value::Array(items) => items.iter().flat_map(|item| variables(member, item)).collect(),
        _ => Vec::new(),
    }
}

/// The members of a configuration.
static MEMBERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema = fs::read_to_string(workspace().join("docs/schema/jotgate.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    schema["properties"].as_object().unwrap().keys().cloned().collect()
});

/// What a part of a configuration is tried with.
const REST: &str = "
issuers: [{name: main, issuer: https://idp.example.com, audiences: [api], keys: {discovery: {}, cluster: idp}}]
rules: [{access: authenticated}]
";

/// The files in a folder of the workspace and in those below it that end so, sorted.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(workspace().join(folder)).unwrap().map(|entry| entry.unwrap());
    let mut found: Vec<String> = entries
        .flat_map(|entry| {
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() { files(&path, extension) } else { vec![path] }
        })
        .filter(|path| path.ends_with(extension))
        .collect();
    found.sort();
    found
}

/// The plugin's configurations inside a document: what has `issuers` that are objects.
fn configurations(document: &Value) -> Vec<&Value> {
    if document["issuers"].as_array().is_some_and(|issuers| issuers.iter().any(Value::is_object)) {
        return vec![document];
    }
    match document {
        Value::Array(items) => items.iter().flat_map(configurations).collect(),
        Value::Object(members) => members.values().flat_map(configurations).collect(),
        _ => Vec::new(),
    }
}

/// The fenced blocks of YAML in a page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Whether the block is a configuration, or a part of one.
fn is_ours(block: &str) -> bool {
    MEMBERS.iter().any(|name| block.starts_with(&format!("{name}:")))
}

/// What is tried of a block: the configurations in it, or the part of one that it is with all that it lacks.
fn samples(block: &str) -> Vec<Value> {
    let Ok(document) = yaml_serde::from_str::<Value>(block) else { return Vec::new() };
    let whole: Vec<_> = configurations(&document).into_iter().cloned().collect();
    if !whole.is_empty() || !is_ours(block) {
        return whole;
    }
    let mut config: Value = yaml_serde::from_str(REST).unwrap();
    config.as_object_mut().unwrap().extend(document.as_object().unwrap().clone());
    vec![config]
}

#[test]
fn every_configuration_in_the_documentation_is_taken() {
    let mut tried = Vec::new();
    for page in [vec!["README.md".to_string()], files("docs", ".md")].concat() {
        let text = read(&page);
        for block in blocks(&text) {
            let configs = samples(block);
            assert!(!configs.is_empty() || !is_ours(block), "{page}: is no YAML:\n{block}");
            for config in configs {
                assert_eq!(load(&config), Ok(()), "{page}:\n{block}");
                tried.push(page.clone());
            }
        }
    }
    for page in ["README.md", "docs/identity-headers.md", "docs/rules.md"] {
        assert!(tried.iter().any(|name| name == page), "{page}: no configuration was found");
    }
}

/// What is looked for can be found.
#[test]
fn a_mistake_in_a_sample_is_noticed() {
    let readme = read("README.md");
    let whole = blocks(&readme).into_iter().find(|block| block.starts_with("issuers:")).unwrap();
    assert_eq!(samples(&format!("spec: {{a: [{{{whole}}}]}}")).len(), 0, "is no YAML");
    let mistaken = whole.replace("audiences", "audience");
    assert!(load(&samples(&mistaken)[0]).is_err());
    assert!(load(&samples("identityHeaders: {X-User: $nobody}\n")[0]).is_err());
    assert_eq!(samples("http_filters: []\n"), [Value::Null; 0]);
}

#[test]
fn the_configurations_for_envoy_are_taken() {
    let files = files("envoy-config", ".yaml");
    assert!(files.len() > 3, "{files:?}");
    for file in files {
        let document: Value = yaml_serde::from_str(&read(&file)).unwrap();
        let configs = configurations(&document);
        assert!(!configs.is_empty(), "{file}: no configuration was found");
        for config in configs {
            assert_eq!(load(config), Ok(()), "{file}");
        }
    }
}
