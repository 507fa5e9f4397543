//! The folder of vectors: `JOTGATE_VECTORS` when the tests are built, or `../shared/vectors` beside the checkout.
//!
//! Tests that run as Wasm read the same files through WASI.

use serde::de::DeserializeOwned;
use std::{fs, io};

/// Relative paths start at the root of the checkout.
fn path(path: &str) -> String {
    let folder = option_env!("JOTGATE_VECTORS").unwrap_or("../shared/vectors");
    match folder.starts_with('/') {
        true => format!("{folder}/{path}"),
        false => format!("{}/../{folder}/{path}", env!("CARGO_MANIFEST_DIR")),
    }
}

/// Whether there are no vectors: that is said loudly, and CI does not pass without them.
///
/// # Panics
///
/// Where `CI` is set and there are none.
pub fn are_absent() -> bool {
    let is_absent = !fs::exists(path("")).unwrap_or(false);
    let text = format!("there are no test vectors at {}: set JOTGATE_VECTORS to their folder", path(""));
    assert!(!is_absent || option_env!("CI").is_none(), "{text}");
    if is_absent {
        eprintln!("SKIPPED: {text}");
    }
    is_absent
}

/// The octets of a file.
///
/// # Panics
///
/// Where it cannot be read.
pub fn read(file: &str) -> Vec<u8> {
    fs::read(path(file)).unwrap_or_else(|error| panic!("{}: {error}", path(file)))
}

/// A file's text, without the line break at its end.
///
/// # Panics
///
/// Where it cannot be read, or is no text.
pub fn read_text(file: &str) -> String {
    let text = String::from_utf8(read(file)).expect("is text");
    text.trim_end_matches('\n').to_owned()
}

/// A JSON file.
///
/// # Panics
///
/// Where it cannot be read, or is no JSON of that type.
pub fn read_json<T: DeserializeOwned>(file: &str) -> T {
    serde_json::from_slice(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The names of the files in a folder, sorted.
///
/// # Panics
///
/// Where it cannot be read.
pub fn list(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", path(folder)));
    let mut names: Vec<_> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
