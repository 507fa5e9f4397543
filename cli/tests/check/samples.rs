//! The samples of this repository have nothing to be warned of.

use std::path::{Path, PathBuf};

use crate::answers::check;

fn yaml(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(folder);
    let files = folder.read_dir().expect("is a folder").map(|entry| entry.expect("can be read").path());
    files.filter(|path| path.extension().is_some_and(|name| name == "yaml")).collect()
}

#[test]
fn the_samples_are_fine_to_the_strict() {
    let mut files = vec![PathBuf::from("../wasm-plugin.yaml")];
    for (folder, least) in [("../envoy-config", 4), ("../manifests/istio", 2), ("../manifests/envoy-gateway", 1)] {
        let found = yaml(folder);
        assert!(found.len() >= least, "{folder}: {found:?}");
        files.extend(found);
    }
    for file in files {
        let (text, status) = check(&["--strict", file.to_str().expect("is text")]);
        assert_eq!((text.as_str(), status), ("1 configuration: fine\n", 0), "{}", file.display());
    }
}
