//! The configurations of this repository.

use std::fs;
use std::path::{Path, PathBuf};

use inspect::document::{self, JsonText, Node};
use serde_json::Value;

/// A usable key set.
pub(crate) const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"}]}"#;

/// A key to sign with (RFC 8037 App. A.1).
pub(crate) const PRIVATE_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// The root of the checkout.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("cli is a folder of the workspace").to_path_buf()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files in a folder and in those below it that end so, sorted.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("is a folder").map(|entry| entry.expect("can be read").path());
    let mut found: Vec<_> = entries
        .flat_map(|path| if path.is_dir() { files(&path, extension) } else { vec![path] })
        .filter(|path| path.to_string_lossy().ends_with(extension))
        .collect();
    found.sort();
    found
}

/// The configurations in a text of YAML: what has `issuers` that are objects.
pub(crate) fn configurations(text: &str) -> Vec<Value> {
    let documents = document::read(text).unwrap_or_default();
    documents.iter().flat_map(|document| inside(&document.root)).map(value).collect()
}

fn inside(node: &Node) -> Vec<&Node> {
    if node.get("issuers").is_some_and(|issuers| issuers.elements().iter().any(Node::is_map)) {
        return vec![node];
    }
    let members = node.members().iter().map(|member| &member.value);
    members.chain(node.elements()).flat_map(inside).collect()
}

pub(crate) fn value(node: &Node) -> Value {
    serde_json::from_str(&JsonText::new(node).text).expect("is JSON")
}

/// The fenced blocks of YAML in a page.
pub(crate) fn blocks(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}
