//! The real Helm, as `make helm` installs it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use test_support::workspace;

use crate::crds::documents;

pub(crate) const CHART: &str = "charts/jotgate";

fn binary() -> PathBuf {
    test_support::tool("bin/helm")
}

/// Whether `make helm` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub(crate) fn is_installed() -> bool {
    let is_installed = binary().exists();
    if !is_installed {
        eprintln!("SKIPPED: Helm is not installed: run `make helm`");
    }
    is_installed
}

/// What Helm prints, or what it says is wrong.
pub(crate) fn helm(arguments: &[&str], values: &Value) -> Result<String, String> {
    let home = tempfile::tempdir().expect("there is room");
    let file = home.path().join("values.yaml");
    // JSON is YAML, but for what is a line break in YAML alone, or a mark of its beginning.
    let escaped = |text: String, odd: char| text.replace(odd, &format!("\\u{:04x}", u32::from(odd)));
    let text = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'].into_iter().fold(values.to_string(), escaped);
    fs::write(&file, text).expect("can be written");
    let mut command = Command::new(binary());
    command.args(arguments).arg("--values").arg(file).current_dir(workspace());
    // Neither a cluster nor settings of whoever runs this.
    command.env_clear().env("HOME", home.path());
    let output = command.output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// The objects that an installation makes.
pub(crate) fn render(values: &Value) -> Result<Vec<Value>, String> {
    helm(&["template", "gate", CHART, "--namespace", "edge"], values).map(|text| documents(&text))
}
