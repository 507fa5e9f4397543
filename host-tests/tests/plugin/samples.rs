//! The configurations that people copy are good ones.

use std::fs;

use host_tests::envoy::workspace;
use host_tests::host::VmOptions;
use serde::Deserialize as _;
use serde_json::Value;

use crate::world::{plugin, proxy};

fn read(name: &str) -> String {
    fs::read_to_string(workspace().join(name)).unwrap()
}

/// Whether the plugin takes it; its errors, where not.
fn load(config: &Value) -> Result<(), Vec<String>> {
    let vm = proxy().vm(plugin(), VmOptions::new());
    vm.start(config.to_string()).map(drop).map_err(|_| vm.log_at_least(host_tests::host::LogLevel::Error))
}

#[test]
fn the_configuration_of_the_readme_is_taken() {
    let readme = read("README.md");
    let blocks: Vec<_> = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let block = |start| blocks.iter().find(|block| block.starts_with(start)).unwrap();
    let whole = block("issuers:");
    assert_eq!(load(&yaml_serde::from_str(whole).unwrap()), Ok(()));
    assert_eq!(load(&yaml_serde::from_str(&format!("{whole}{}", block("credentials:"))).unwrap()), Ok(()));
    // What is looked for can be found.
    assert!(load(&yaml_serde::from_str(&whole.replace("audiences", "audience")).unwrap()).is_err());
}

#[test]
fn the_configuration_of_the_wasm_plugin_is_taken() {
    let text = read("wasm-plugin.yaml");
    let documents: Vec<Value> =
        yaml_serde::Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap()).collect();
    let kinds: Vec<_> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["WasmPlugin", "ServiceEntry", "DestinationRule"]);
    assert_eq!(load(&documents[0]["spec"]["pluginConfig"]), Ok(()));
    // The issuer's cluster is the one that the ServiceEntry makes.
    let entry = &documents[1]["spec"];
    let cluster = format!("outbound|{}||{}", entry["ports"][0]["number"], entry["hosts"][0].as_str().unwrap());
    assert_eq!(documents[0]["spec"]["pluginConfig"]["issuers"][0]["keys"]["cluster"], cluster);
    assert_eq!(documents[2]["spec"]["host"], entry["hosts"][0]);
}
