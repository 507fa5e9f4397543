//! A short run of the real thing: every kind of gate, in real Envoys.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn bench(out: &Path, only: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--quick", "--rounds", "2", "--requests", "20", "--tokens", "200", "--only", only, "--out"])
        .arg(out)
        .output()
        .unwrap()
}

/// Every kind of gate and credential, but logins.
const VARIANTS: [&str; 14] = [
    "native-repeated",
    "jotgate-repeated",
    "jotgate-requests",
    "module-unlogged",
    "open-logged",
    "native-logged",
    "module-logged",
    "module-exchanged",
    "module-introspected",
    "jotgate-dpop",
    "native-es256",
    "module-es256",
    "hop-http",
    "hop-grpc",
];

#[test]
fn a_run_leaves_a_report_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bench");
    let output = bench(&out, &VARIANTS.join(","));
    let (text, progress) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{progress}");
    assert!(progress.contains("round 2 of 2"), "{progress}");
    assert!(text.contains("| repeated token / native with its cache | 0.8 | "), "{text}");
    let read = |name: &str| fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(text.trim(), read("report.md").trim());

    let figures: Value = serde_json::from_str(&read("figures.json")).unwrap();
    let variants = figures["cpu"][0]["variants"].as_array().unwrap();
    // And no filter.
    assert_eq!(variants.len(), VARIANTS.len() + 1);
    for variant in variants {
        let micros = variant["cpu_us"]["median"].as_f64().unwrap();
        assert!((1.0..100_000.0).contains(&micros), "{variant}");
    }
    assert_eq!(figures["targets"].as_array().unwrap().len(), 7);
    // Each variant in each round, below a line of names.
    assert_eq!(read("rounds.csv").lines().count(), 1 + (VARIANTS.len() + 1) * 2);
    assert!(read("cpu.svg").contains("Jotgate, repeated token"));
}

#[test]
fn a_name_that_does_not_exist_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(&folder.path().join("bench"), "fast");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("bench: there is no `fast`; the sections are cpu,"));
}
