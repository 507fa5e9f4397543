//! The native module's image, checksum and SBOM, packed of a library that only has a header.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;
use test_support::target;

use crate::files::sha256;

/// The header of a shared library for x86-64.
fn library() -> Vec<u8> {
    [&b"\x7fELF\x02\x01\x01\0"[..], &[0; 8], &[3, 0, 62, 0], b"and so on"].concat()
}

fn pack(module: &Path) -> bool {
    Command::new(target().join("debug/ship")).arg("pack-native").arg(module).status().expect("runs").success()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("is there")).expect("is JSON")
}

#[test]
fn the_native_module_is_one_file_of_an_image_beside_its_checksum_and_sbom() {
    let folder = tempfile::tempdir().expect("there is room");
    let folder = folder.path();
    let module = folder.join("libjotgate.so");
    fs::write(&module, library()).expect("is written");
    assert!(pack(&module));

    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "libjotgate.so.sha256"]).current_dir(folder);
    assert!(check.status().expect("runs").success());
    let bill = json(&folder.join("libjotgate.cdx.json"));
    assert_eq!(bill["metadata"]["component"]["hashes"][0]["content"], sha256(&library()));
    let names: Vec<_> = bill["components"].as_array().expect("is a list").iter().map(|it| &it["name"]).collect();
    assert!(
        ["dynamic-module", "module-abi", "gate", "getrandom"].iter().all(|name| names.contains(&&Value::from(*name)))
    );
    assert!(!names.contains(&&Value::from("filter")) && !names.contains(&&Value::from("testbed")), "{names:?}");

    let layout = folder.join("module-image");
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("has one");
        let bytes = fs::read(layout.join("blobs/sha256").join(digest)).expect("is there");
        assert_eq!(sha256(&bytes), digest);
        bytes
    };
    let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).expect("is JSON");
    let manifest = parse(blob(&json(&layout.join("index.json"))["manifests"][0]));
    let config = parse(blob(&manifest["config"]));
    assert_eq!([&config["os"], &config["architecture"]], ["linux", "amd64"]);
    let layer = blob(&manifest["layers"][0]);
    let mut archive = tar::Archive::new(GzDecoder::new(layer.as_slice()));
    let mut entries = archive.entries().expect("is an archive");
    let mut entry = entries.next().expect("has a file").expect("is readable");
    assert_eq!(entry.path().expect("has one").as_os_str(), "libjotgate.so");
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).expect("is readable");
    assert_eq!(bytes, library());
    assert!(entries.next().is_none());

    fs::write(&module, "no library").expect("is written");
    assert!(!pack(&module));
}
