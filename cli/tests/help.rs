//! What `jotgate --help` and `jotgate completions` print.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::process::Command;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_jotgate")).args(arguments).output().expect("starts");
    (output.status.code(), String::from_utf8(output.stdout).expect("is text"))
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let (_, help) = run(&["--help"]);
    let list = help.split("Commands:\n").nth(1).expect("lists commands").split("\n\n").next().expect("ends");
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(String::from).collect()
}

#[test]
fn the_help_of_every_command_has_examples() {
    let commands = commands();
    assert!(commands.len() > 3, "{commands:?}");
    let page = std::fs::read_to_string("../docs/command-line.md").expect("is there");
    for command in commands {
        let (status, help) = run(&[&command, "--help"]);
        assert!(status == Some(0) && help.contains("Example"), "{help}");
        let examples = help.split("Example").nth(1).expect("has some");
        assert!(examples.contains(&format!("jotgate {command}")), "{command}: {examples}");
        assert!(page.contains(&format!("| `jotgate {command}")), "docs/command-line.md does not tell of {command}");
        let lines = help.lines().map(|line| line.chars().count());
        assert!(lines.max() <= Some(120), "{help}");
    }
}

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let (status, script) = run(&["completions", shell]);
        assert_eq!(status, Some(0));
        for command in commands() {
            assert!(script.contains(&command), "{shell} does not complete {command}");
        }
    }
    assert_eq!(run(&["completions", "cmd"]).0, Some(2));
}

#[test]
fn bash_can_read_its_script() {
    let (_, script) = run(&["completions", "bash"]);
    let path = format!("{}/completions.bash", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, script).expect("can be written");
    let status = Command::new("bash").args(["-n", &path]).status().expect("bash is there");
    let _ = std::fs::remove_file(path);
    assert!(status.success());
}
