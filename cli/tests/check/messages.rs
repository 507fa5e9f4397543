//! What is reported for each file in `cases/`.

use std::fs;

use crate::answers::check;

#[test]
fn every_mistake_is_reported_with_its_line() {
    let mut files: Vec<_> = fs::read_dir("tests/check/cases")
        .expect("is a folder")
        .map(|entry| entry.expect("can be read").path())
        .collect();
    files.sort();
    assert!(files.len() > 30, "{}", files.len());
    for file in files {
        let name = file.file_stem().and_then(|stem| stem.to_str()).expect("is text").to_string();
        let (text, status) = check(&[file.to_str().expect("is text")]);
        insta::assert_snapshot!(name, format!("{text}exit status: {status}\n"));
    }
}
