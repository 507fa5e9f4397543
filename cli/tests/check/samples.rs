//! The samples of this repository, and the examples of its pages, have nothing to be warned of.

use std::path::{Path, PathBuf};

use crate::answers::{check, run};

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

/// The pages in a folder, and in those below it.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("is a folder").map(|entry| entry.expect("can be read").path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| pages(folder));
    files.into_iter().filter(|path| path.extension().is_some_and(|name| name == "md")).chain(below).collect()
}

/// What a reader copies is what `check` has no word against.
#[test]
fn the_examples_of_the_pages_are_fine_to_the_strict() {
    let mut tried = 0;
    for page in [vec![PathBuf::from("../README.md")], pages(Path::new("../docs"))].concat() {
        let text = std::fs::read_to_string(&page).expect("can be read");
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        for block in blocks.filter(|block| block.starts_with("issuers:")) {
            let (status, output, _) = run(&["check", "--strict", "-"], block);
            assert_eq!(status, Some(0), "{}:\n{output}", page.display());
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} examples");
}
