//! Tokens that only their issuer can read.

use std::path::PathBuf;

use crate::command::explain;

const GATE: &str = "tests/explain/introspection.yaml";

fn asked(name: &str, answer: Option<&str>) -> (String, u8) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let request = ["--request", "GET /data/x", "--token", "gt-0123.secret"];
    let Some(answer) = answer else { return explain(&[&[GATE], &request[..]].concat()) };
    std::fs::write(&file, answer).expect("can be written");
    let path = file.to_str().expect("is text");
    let found = explain(&[&[GATE], &request[..], &["--introspection", path]].concat());
    std::fs::remove_file(&file).expect("can be removed");
    found
}

#[test]
fn an_answer_is_explained_as_a_token_is() {
    let good = r#"{"active": true, "username": "alice", "scope": "read:data", "aud": "data", "exp": 1800000300}"#;
    let (text, status) = asked("good.json", Some(good));
    assert_eq!(status, 0, "{text}");
    insta::assert_snapshot!("answer", text);
}

#[test]
fn what_is_wrong_with_an_answer_is_named() {
    for (name, answer, reason) in [
        ("inactive.json", r#"{"active": false}"#, "inactive_token"),
        ("text.json", r#"{"active": "true", "aud": "data"}"#, "introspection_unavailable"),
        ("twice.json", r#"{"active": true, "active": true, "aud": "data"}"#, "introspection_unavailable"),
        ("other.json", r#"{"active": true, "aud": "other"}"#, "wrong_audience"),
        ("issuer.json", r#"{"active": true, "aud": "data", "iss": "https://other"}"#, "unknown_issuer"),
        ("scope.json", r#"{"active": true, "aud": "data", "scope": "write:data"}"#, "insufficient_scope"),
    ] {
        let (text, status) = asked(name, Some(answer));
        assert!(status == 1 && text.contains(reason), "{name}: {text}");
    }
}

#[test]
fn notes_are_about_what_the_issuer_says() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (gate, answer) = (folder.join("email.yaml"), folder.join("email.json"));
    let text =
        std::fs::read_to_string(GATE).expect("is there") + "identityHeaders: {x-email: $verifiedEmail, x-a: a.b}\n";
    std::fs::write(&gate, text).expect("can be written");
    let said = r#"{"active":true,"aud":"data","scope":"read:data","email":"a@b.c","email_verified":false,"a.b":"x"}"#;
    std::fs::write(&answer, said).expect("can be written");
    let path = |file: &PathBuf| file.to_str().expect("is text").to_owned();
    let request = ["--request", "GET /data/x", "--token", "gt-0123.secret", "--introspection", &path(&answer)];
    let (text, _) = explain(&[&[path(&gate).as_str()], &request[..]].concat());
    assert!(text.contains("`$verifiedEmail` has no value (`email_verified` is false)"), "{text}");
    assert!(text.contains("`identityHeaders.x-a`: `a.b` is a path"), "{text}");
    for file in [gate, answer] {
        std::fs::remove_file(file).expect("can be removed");
    }
}

#[test]
fn a_token_that_no_entry_has_is_told_to_be_read_as_a_jwt() {
    let (text, _) = explain(&[GATE, "--request", "GET /data/x", "--token", "xx.yy.zz"]);
    assert!(text.contains("note: no entry of `introspection` has this token"), "{text}");
}

#[test]
fn without_an_answer_nothing_is_certain() {
    let (text, status) = asked("", None);
    assert_eq!(status, 1, "{text}");
    insta::assert_snapshot!("question", text);
}
