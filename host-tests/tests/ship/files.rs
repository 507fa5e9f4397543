//! What lies in `dist/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use test_support::workspace;
use wasmtime::{Engine, Module};

/// A file of `dist/`, which `make image` writes.
pub(crate) fn dist(name: &str) -> PathBuf {
    let path = workspace().join("dist").join(name);
    assert!(path.exists(), "there is no {}: run `make image`", path.display());
    path
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(dist(name)).expect("can be read")
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_slice(&read(name)).expect("is JSON")
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Identifier, name where it is a custom one, and content of each section.
fn sections(module: &[u8]) -> Vec<(u8, String, Vec<u8>)> {
    let number = |place: &mut usize| {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = module[*place];
            *place += 1;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    };
    let (mut place, mut sections) = (8, Vec::new());
    while place < module.len() {
        let id = module[place];
        place += 1;
        let end = number(&mut place) + place;
        let mut name = String::new();
        if id == 0 {
            let length = number(&mut place);
            name = String::from_utf8(module[place..place + length].to_vec()).expect("is text");
        }
        sections.push((id, name, module[place..end].to_vec()));
        place = end;
    }
    sections
}

#[test]
fn the_unstripped_twin_has_the_same_code_and_names_besides() {
    let (shipped, twin) = (sections(&read("jotgate.wasm")), sections(&read("jotgate.unstripped.wasm")));
    assert!(shipped.iter().all(|(id, ..)| *id != 0), "custom sections ship");
    let (custom, rest): (Vec<_>, Vec<_>) = twin.into_iter().partition(|(id, ..)| *id == 0);
    assert_eq!(rest, shipped);
    let (.., names) = custom.iter().find(|(_, name, _)| name == "name").expect("has names");
    let names = String::from_utf8_lossy(names);
    assert!(names.contains("proxy_on_request_headers") && names.contains("gate"), "names no functions");
    Module::validate(&Engine::default(), &read("jotgate.unstripped.wasm")).expect("is a module");
}

/// `make reproducible` compares a second build; this is what most often makes one differ.
#[test]
fn the_module_names_no_place_of_this_machine() {
    let home = std::env::var("HOME").expect("is set");
    let checkout = workspace().canonicalize().expect("exists").display().to_string();
    for name in ["jotgate.wasm", "jotgate.unstripped.wasm"] {
        let module = read(name);
        let text = String::from_utf8_lossy(&module);
        for place in [format!("{home}/"), checkout.clone(), "/registry/src/".into(), "/.rustup/".into()] {
            assert!(!text.contains(&place), "{name} holds `{place}`");
        }
        assert!(text.contains("/crates/"), "what is looked for would have been found: it has paths of crates");
    }
}

#[test]
fn the_checksum_is_that_of_the_module() {
    let output =
        Command::new("sha256sum").args(["--check", "--strict", "jotgate.wasm.sha256"]).current_dir(dist("")).output();
    let output = output.expect("sha256sum runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "jotgate.wasm: OK\n");
}

#[test]
fn the_bill_of_materials_lists_every_crate_of_the_module() {
    let bill = json("jotgate.cdx.json");
    assert_eq!((bill["bomFormat"].as_str(), bill["specVersion"].as_str()), (Some("CycloneDX"), Some("1.6")));
    let plugin = &bill["metadata"]["component"];
    assert_eq!(plugin["hashes"][0]["content"], sha256(&read("jotgate.wasm")));

    let components = bill["components"].as_array().expect("is a list");
    let listed: BTreeSet<_> =
        components.iter().map(|component| component["bom-ref"].as_str().expect("has one")).collect();
    assert_eq!(listed.len(), components.len(), "one is listed twice");
    for component in components {
        let licences = component["licenses"].as_array().expect("is a list");
        assert!(licences.iter().all(|licence| licence["expression"].is_string()) && !licences.is_empty());
        // Only our own are from no registry.
        let is_ours =
            ["abi", "aws", "driver", "filter", "gate", "jose", "oauth"].iter().any(|name| component["name"] == *name);
        assert_eq!(component.get("purl").is_none(), is_ours, "{component}");
        assert_eq!(component.get("hashes").is_none(), is_ours || component["name"] == "rust-std", "{component}");
    }
    // Each is reached from the plugin, and all that is used is listed.
    let dependencies = bill["dependencies"].as_array().expect("is a list");
    let mut reached = BTreeSet::new();
    let mut next = vec![plugin["bom-ref"].as_str().expect("has one")];
    while let Some(reference) = next.pop() {
        let entry = dependencies.iter().find(|entry| entry["ref"] == reference).expect("every one has an entry");
        let uses = entry["dependsOn"].as_array().into_iter().flatten().map(|used| used.as_str().expect("is text"));
        next.extend(uses.filter(|used| reached.insert(*used)));
    }
    assert_eq!(reached, listed);

    // A crate whose functions are in the module is listed: the names of functions tell.
    let (.., names) =
        sections(&read("jotgate.unstripped.wasm")).into_iter().find(|(_, name, _)| name == "name").expect("has names");
    let names = String::from_utf8_lossy(&names);
    for name in ["curve25519_dalek", "p384", "regex_lite", "sha2"] {
        assert!(names.contains(name), "{name} has no function in the module");
        let reference = format!("{}@", name.replace('_', "-"));
        assert!(listed.iter().any(|listed| listed.starts_with(&reference)), "{name} is not listed");
    }
}
