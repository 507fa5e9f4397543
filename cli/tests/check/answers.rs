//! How `jotgate check` answers: its status, its options, its JSON.

use std::io::Write as _;
use std::process::{Command, Stdio};

use clap::Parser as _;
use cli::arguments::Arguments;

/// What it prints, without colours, and its status.
pub(crate) fn check(arguments: &[&str]) -> (String, u8) {
    let arguments = Arguments::try_parse_from([&["jotgate", "check"], arguments].concat()).expect("is a command line");
    match cli::run(&arguments) {
        Ok(outcome) => (anstream::adapter::strip_str(&outcome.output).to_string(), outcome.status),
        Err(error) => (error.0, 2),
    }
}

/// The program itself: its status and what it prints, given a text as its standard input.
pub(crate) fn run(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jotgate"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("is piped").write_all(input.as_bytes()).expect("is read");
    let output = child.wait_with_output().expect("ends");
    let text = |bytes| String::from_utf8(bytes).expect("is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const GOOD: &str = "tests/check/cases/good.yaml";
const WARNED: &str = "tests/check/cases/public-first.yaml";
const WRONG: &str = "tests/check/cases/crlf.yaml";

#[test]
fn the_exit_status_distinguishes_errors_from_unreadable_files() {
    for (arguments, status) in [
        (&["check", GOOD][..], 0),
        (&["check", GOOD, WARNED], 0),
        (&["check", GOOD, WRONG], 1),
        (&["check", "--strict", WARNED], 1),
        (&["check", "--strict", "--allow", "public-first", WARNED], 0),
        (&["check", "no-such-file.yaml"], 2),
        (&["check", "tests"], 2),
        (&["check"], 2),
        (&["check", "--allow", "everything", GOOD], 2),
        (&["chekc", GOOD], 2),
    ] {
        let (code, output, error) = run(arguments, "");
        assert_eq!(code, Some(status), "{arguments:?}\n{output}\n{error}");
        assert_eq!(status == 2, output.is_empty(), "{arguments:?}: {output}");
        assert_eq!(status == 2, !error.is_empty(), "{arguments:?}: {error}");
    }
}

#[test]
fn a_configuration_may_come_by_the_standard_input() {
    let (code, output, _) = run(&["check", "-"], "\u{feff}issuers: []\n");
    assert_eq!(code, Some(1));
    assert!(output.contains("--> <stdin>:1:10"), "{output}");
}

#[test]
fn colours_are_for_terminals() {
    let (_, output, _) = run(&["check", WRONG], "");
    assert!(!output.contains('\u{1b}'), "{output}");
    let arguments = Arguments::try_parse_from(["jotgate", "check", WRONG]).expect("is a command line");
    assert!(cli::run(&arguments).expect("runs").output.contains('\u{1b}'), "there are some to be taken out");
}

#[test]
fn programs_get_the_same() {
    let (text, status) = check(&["--json", "tests/check/cases/wasm-plugin.yaml", GOOD]);
    assert_eq!(status, 1);
    insta::assert_snapshot!(text);
}

#[test]
fn every_warning_is_described_in_the_documentation() {
    let page = std::fs::read_to_string("../docs/command-line.md").expect("is there");
    for (name, meaning) in inspect::check::LINTS {
        assert!(page.contains(&format!("| `{name}` | {meaning} |")), "{name} is not in docs/command-line.md");
    }
    let cases = std::fs::read_dir("tests/check/snapshots").expect("is a folder");
    let told: String =
        cases.map(|case| std::fs::read_to_string(case.expect("is there").path()).expect("is text")).collect();
    for (name, _) in inspect::check::LINTS {
        assert!(told.contains(&format!("warning[{name}]")), "no case shows the warning {name}");
    }
}
