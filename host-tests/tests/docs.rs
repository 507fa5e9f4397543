//! The pages: what they link to is there, and so are the commands that they tell people to type.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use test_support::workspace;

/// Every Markdown page of the project, by its path.
fn pages() -> Vec<(PathBuf, String)> {
    let listed =
        Command::new("git").args(["ls-files", "-co", "--exclude-standard", "*.md"]).current_dir(workspace()).output();
    let listed = String::from_utf8(listed.expect("git runs").stdout).expect("is text");
    let read = |name: &str| fs::read_to_string(workspace().join(name)).ok().map(|text| (PathBuf::from(name), text));
    listed.lines().filter_map(read).collect()
}

/// A page without its blocks and spans of code, in which nothing is a link.
fn prose(page: &str) -> String {
    // What opens and closes a block is, in pairs, the same as what does so with a span.
    page.split('`').step_by(2).collect()
}

/// The targets of `[text](target)`.
fn links(page: &str) -> Vec<String> {
    let prose = prose(page);
    let behind = prose.split("](").skip(1);
    behind.filter_map(|rest| Some(rest.split_once(')')?.0.to_string())).collect()
}

/// What headings of a page are called in links, as GitHub makes it.
fn anchors(page: &str) -> BTreeSet<String> {
    let outside = page.split("```").step_by(2).collect::<Vec<_>>().join("\n");
    let headings = outside.lines().filter(|line| line.starts_with('#'));
    let kept = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let named = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    named.map(|name| name.chars().filter(|letter| kept(*letter)).collect::<String>().replace(' ', "-")).collect()
}

/// What is wrong with the links of a page.
fn broken(path: &Path, page: &str) -> Vec<String> {
    let folder = workspace().join(path.parent().unwrap_or_else(|| Path::new("")));
    let is_outside = |link: &str| link.starts_with("https://") || link.starts_with("mailto:");
    let mut broken = Vec::new();
    for link in links(page).into_iter().filter(|link| !is_outside(link)) {
        let (file, anchor) = link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
        let target = if file.is_empty() { workspace().join(path) } else { folder.join(file) };
        let has_anchor = |anchor: &str| fs::read_to_string(&target).is_ok_and(|page| anchors(&page).contains(anchor));
        if !target.exists() || anchor.is_some_and(|anchor| !has_anchor(anchor)) {
            broken.push(format!("{}: {link}", path.display()));
        }
    }
    broken
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    let broken: Vec<_> = pages.iter().flat_map(|(path, page)| broken(path, page)).collect();
    assert_eq!(broken, [""; 0]);
    let links: usize = pages.iter().map(|(_, page)| links(page).len()).sum();
    assert!(pages.len() > 20 && links > 100, "{} pages, {links} links", pages.len());
    let wrong =
        "[a](docs/no-such-page.md) [b](README.md#no-such-heading) [c](#nor-this) `[d](code)` [e](docs/rules.md#access)";
    assert_eq!(self::broken(Path::new("README.md"), wrong).len(), 3, "what leads nowhere is found");
}

/// The targets that `make` is told to make in blocks and spans of code.
fn made(page: &str) -> BTreeSet<String> {
    let code = page.split('`').skip(1).step_by(2);
    let lines = code.flat_map(str::lines).filter_map(|line| line.trim_start_matches("$ ").strip_prefix("make "));
    let is_target = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    lines.flat_map(|line| line.split_whitespace().take_while(is_target).map(str::to_string)).collect()
}

#[test]
fn what_make_is_told_to_make_it_can() {
    let makefile = fs::read_to_string(workspace().join("Makefile")).expect("is there");
    let is_target = |name: &str| makefile.lines().any(|line| line.starts_with(&format!("{name}:")));
    let mut all = BTreeSet::new();
    for (path, page) in pages() {
        for name in made(&page) {
            assert!(is_target(&name), "{}: make {name}", path.display());
            all.insert(name);
        }
    }
    assert!(all.len() > 5 && made("`make nonsense`").contains("nonsense"), "{all:?}");
}

/// Every page in `docs/` can be found from the README; a decision from the list of decisions, which is in the README.
#[test]
fn every_page_can_be_found() {
    let linked_from = |page: &str| -> BTreeSet<PathBuf> {
        let text = fs::read_to_string(workspace().join(page)).expect("is there");
        links(&text).iter().map(|link| Path::new(page).with_file_name("").join(link)).collect()
    };
    let mut linked = linked_from("README.md");
    linked.extend(linked_from("docs/decisions/README.md"));
    for (path, _) in pages().iter().filter(|(path, _)| path.starts_with("docs")) {
        assert!(linked.contains(path), "{} is not in the README", path.display());
    }
}

/// The names of all test binaries.
fn test_binaries() -> BTreeSet<String> {
    let listed = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("is JSON");
    let packages = listed["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let tests = targets.filter(|target| target["kind"] == json!(["test"]));
    tests.filter_map(|target| Some(target["name"].as_str()?.to_string())).collect()
}

/// The parts of `make test` choose binaries by name: none is left out.
#[test]
fn make_test_runs_every_test_binary() {
    let makefile = fs::read_to_string(workspace().join("Makefile")).expect("is there");
    let runs = makefile.lines().filter(|line| line.contains("$(call run_tests,"));
    let named: BTreeSet<_> = runs.flat_map(|line| line.split([' ', ',', ')'])).collect();
    let binaries = test_binaries();
    let left_out: Vec<_> = binaries.iter().filter(|name| !named.contains(name.as_str())).collect();
    assert_eq!(left_out, [""; 0]);
    assert!(binaries.len() > 15, "{binaries:?}");
}
