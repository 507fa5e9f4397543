//! The samples of this repository have nothing to be warned of.

use std::path::{Path, PathBuf};

use crate::answers::check;

#[test]
fn the_samples_are_fine_to_the_strict() {
    let folder = Path::new("../envoy-config");
    let files = folder.read_dir().expect("is a folder").map(|entry| entry.expect("can be read").path());
    let files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|name| name == "yaml")).collect();
    assert!(files.len() > 3, "{files:?}");
    for file in files.iter().map(PathBuf::as_path).chain([Path::new("../wasm-plugin.yaml")]) {
        let (text, status) = check(&["--strict", file.to_str().expect("is text")]);
        assert_eq!((text.as_str(), status), ("1 configuration: fine\n", 0), "{}", file.display());
    }
}
