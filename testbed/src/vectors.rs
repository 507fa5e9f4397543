//! Test vectors from outside the project, read from `JOTGATE_VECTORS` (default: `../shared/vectors` beside the
//! checkout).

#![expect(clippy::panic, reason = "only tests read them, and fail by panicking")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Whether there are no vectors: a test that needs them then has nothing to do.
///
/// # Panics
///
/// Where `CI` is set, which must not pass without them.
pub fn are_absent() -> bool {
    let root = root();
    if root.exists() {
        return false;
    }
    let text = format!("there are no test vectors at {}: set JOTGATE_VECTORS to their folder", root.display());
    assert!(env::var_os("CI").is_none(), "{text}");
    eprintln!("SKIPPED: {text}");
    true
}

/// The file or folder at `path` below the vectors.
///
/// # Panics
///
/// If it is missing.
pub fn path(path: &str) -> PathBuf {
    let path = root().join(path);
    assert!(path.exists(), "{} is missing from the test vectors", path.display());
    path
}

/// The bytes of the file at `path`.
///
/// # Panics
///
/// If it cannot be read.
pub fn read(path: &str) -> Vec<u8> {
    let path = self::path(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of the file at `path`, without the line break at its end.
///
/// # Panics
///
/// If it is no text.
pub fn read_text(path: &str) -> String {
    let text = String::from_utf8(read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.trim_end_matches('\n').to_owned()
}

/// The JSON document at `path`.
///
/// # Panics
///
/// If it is none of that type.
pub fn read_json<T: DeserializeOwned>(path: &str) -> T {
    serde_json::from_slice(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Relative paths start at the root of the checkout.
fn root() -> PathBuf {
    let given = env::var_os("JOTGATE_VECTORS").unwrap_or_else(|| "../shared/vectors".into());
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(given)
}
