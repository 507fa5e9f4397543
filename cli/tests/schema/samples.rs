//! Every configuration in this repository is one to both.

use serde_json::{Value, json};

use crate::judges::{JUDGES, engine, schema_value};
use crate::world::{KEYS, blocks, configurations, files, read, workspace};

#[test]
fn the_configurations_for_envoy_and_istio_are_taken() {
    for file in [files(&workspace().join("envoy-config"), ".yaml"), vec![workspace().join("wasm-plugin.yaml")]].concat()
    {
        let found = configurations(&read(&file));
        assert!(!found.is_empty(), "{}: no configuration was found", file.display());
        for config in &found {
            JUDGES.take(config);
        }
    }
}

#[test]
fn the_configurations_in_the_documentation_are_taken() {
    let properties = schema_value()["properties"].clone();
    let rest = json!([{"name": "main", "issuer": "https://idp.example.com", "audiences": ["api"],
        "keys": {"discovery": {}, "cluster": "idp"}}]);
    let mut tried = 0;
    for page in [files(&workspace().join("docs"), ".md"), vec![workspace().join("README.md")]].concat() {
        for block in blocks(&read(&page)) {
            let found = configurations(block);
            for config in &found {
                JUDGES.take(config);
            }
            tried += found.len();
            // A block that shows a part of a configuration is tried with what it lacks.
            let name = block.split(':').next().unwrap_or_default();
            if found.is_empty() && properties.get(name).is_some() {
                let part = configurations(&format!("{block}\nissuers: {rest}\n"));
                assert_eq!(part.len(), 1, "{}: is no YAML:\n{block}", page.display());
                JUDGES.take(&part[0]);
                tried += 1;
            }
        }
    }
    assert!(tried > 8, "{tried}");
}

#[test]
fn the_configurations_of_the_plugins_cases_are_judged_alike() {
    let cases = files(&workspace().join("host-tests/cases"), ".yaml");
    let taken =
        cases.iter().flat_map(|file| configurations(&read(file))).filter(|config| JUDGES.agree(&filled(config)).engine);
    assert!(taken.count() > 10, "of {} files", cases.len());
}

/// A case's configuration, with placeholders replaced by names and keys of issuers.
fn filled(config: &Value) -> Value {
    let keys: Value = serde_json::from_str(KEYS).expect("is JSON");
    match config {
        Value::String(text) if text.starts_with("{{keys") => keys,
        Value::String(text) if text.starts_with("{{issuer") => json!("https://idp.example.com"),
        Value::Array(elements) => elements.iter().map(filled).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), filled(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_configurations_of_the_fuzz_target_are_judged_alike() {
    let corpus = files(&workspace().join("fuzz/corpus/configuration"), "");
    let texts = corpus.iter().filter_map(|file| std::fs::read(file).ok());
    let found: Vec<Value> =
        texts.filter_map(|text| serde_json::from_slice(&text).ok()).filter(Value::is_object).collect();
    assert!(found.len() > 20 && found.iter().any(|config| engine(config).is_ok()), "{}", found.len());
    for config in &found {
        JUDGES.agree(config);
    }
}
