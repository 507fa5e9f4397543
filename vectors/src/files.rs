//! The folder of vectors: `JOTGATE_VECTORS` when the tests are built, or `../shared/vectors` beside the checkout.
//!
//! Tests of `wasm32-unknown-unknown` run under Node, and read the same files through it.

use serde::de::DeserializeOwned;

/// What is in the folder, and where it comes from; `make vectors` lists it.
const SOURCES: &str = include_str!("../sources.tsv");

/// Relative paths start at the root of the checkout.
fn path(path: &str) -> String {
    let name = path.split('/').next().unwrap_or_default();
    let is_listed = SOURCES.lines().any(|line| line.split('\t').next() == Some(name));
    assert!(is_listed || path.is_empty(), "`{name}` is not in vectors/sources.tsv");
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
    let is_absent = !system::exists(&path(""));
    let text = format!("there are no test vectors at {}: set JOTGATE_VECTORS to their folder", path(""));
    assert!(!is_absent || option_env!("CI").is_none(), "{text}");
    if is_absent {
        system::warn(&format!("SKIPPED: {text}"));
    }
    is_absent
}

/// The octets of a file.
///
/// # Panics
///
/// Where it cannot be read.
pub fn read(file: &str) -> Vec<u8> {
    system::read(&path(file)).unwrap_or_else(|error| panic!("{}: {error}", path(file)))
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
    let mut names = system::list(&path(folder)).unwrap_or_else(|error| panic!("{}: {error}", path(folder)));
    names.sort_unstable();
    names
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_a_name_a_subject_and_an_origin() {
        let sources: Vec<_> = SOURCES.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(sources.len() > 5, "{sources:?}");
        for source in sources {
            let columns: Vec<_> = source.split('\t').collect();
            assert!(columns.len() == 3 && columns.iter().all(|column| !column.is_empty()), "{source}");
        }
    }

    #[test]
    #[should_panic(expected = "`elsewhere` is not in vectors/sources.tsv")]
    fn a_file_without_an_origin_is_not_read() {
        read("elsewhere/tokens.json");
    }
}

#[cfg(not(target_family = "wasm"))]
mod system {
    use std::fs;

    pub(super) fn exists(path: &str) -> bool {
        fs::exists(path).unwrap_or(false)
    }

    pub(super) fn read(path: &str) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(|error| error.to_string())
    }

    pub(super) fn list(path: &str) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(path).map_err(|error| error.to_string())?;
        entries
            .map(|entry| entry.map_err(|error| error.to_string()))
            .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    pub(super) fn warn(text: &str) {
        eprintln!("{text}");
    }
}

#[cfg(target_family = "wasm")]
mod system {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen(module = "fs")]
    extern "C" {
        #[wasm_bindgen(js_name = existsSync)]
        pub(super) fn exists(path: &str) -> bool;
        #[wasm_bindgen(js_name = readFileSync, catch)]
        fn read_file(path: &str) -> Result<js_sys::Uint8Array, JsValue>;
        #[wasm_bindgen(js_name = readdirSync, catch)]
        fn read_dir(path: &str) -> Result<js_sys::Array, JsValue>;
    }

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = console, js_name = warn)]
        pub(super) fn warn(text: &str);
    }

    pub(super) fn read(path: &str) -> Result<Vec<u8>, String> {
        read_file(path).map(|octets| octets.to_vec()).map_err(|error| format!("{error:?}"))
    }

    pub(super) fn list(path: &str) -> Result<Vec<String>, String> {
        let names = read_dir(path).map_err(|error| format!("{error:?}"))?;
        Ok(names.iter().filter_map(|name| name.as_string()).collect())
    }
}
