//! Mistakes in the configuration show as they are typed.

use serde_json::{Value, json};

use crate::page::{Page, jotgate, source, words};
use browsers::chromium::wait;

#[test]
fn a_mistake_shows_with_its_line_as_it_is_typed() {
    let Some(page) = Page::open() else { return };
    assert_eq!(page.text("#findings-count"), "fine");
    let line =
        source("example.yaml").lines().position(|line| line.contains("access: public")).expect("it is there") + 1;
    // At the end of a line, where people type.
    page.run(
        "const field = document.getElementById('configuration'); field.focus();
        const place = field.value.indexOf('access: public') + 'access: public'.length; field.setSelectionRange(place, place);",
    );
    page.type_here("ly");
    // Not before: it may judge what is there between two letters.
    page.wait_for("#findings", "found publicly");
    page.wait_for("#findings-count", "1 error");
    let shown = page.text("#findings");
    assert!(shown.contains(&format!("line {line}")), "{shown}");
    assert!(shown.contains("rules[0].access"), "{shown}");
    assert_eq!(page.text(".marks mark.error"), "publicly");
    assert_eq!(page.text(".numbers .error"), line.to_string());
    assert_ne!(page.text("#decision .what"), "Admitted", "what cannot be decided is not");

    page.click("#findings button");
    let selected =
        "const field = document.activeElement; return field.value.slice(field.selectionStart, field.selectionEnd)";
    assert_eq!(page.run(selected), json!("publicly"));
    page.type_here("public");
    page.wait_for("#findings-count", "fine");
    page.wait_for("#decision .what", "Admitted");
}

#[test]
fn findings_are_those_of_the_command_line() {
    let Some(page) = Page::open() else { return };
    for text in [
        "issuers: []\nrules:\n- {match: {path: [/a]}, access: public}\ndefault: anyone\n",
        "issuers:\n- {name: a, issuer: \"http://a.example\", audiences: any, keys: {discovery: {}, cluster: a}}\ndefault: public\n",
        "a: [",
        "{\"issuers\": 1, \"issuers\": 2}",
        "",
    ] {
        page.enter("#configuration", text);
        let expected = checked(text);
        let parts: Vec<_> = expected
            .iter()
            .flat_map(|finding| {
                [format!("line {}", finding["line"]), text_of(&finding["message"]), text_of(&finding["help"])]
            })
            .map(|part| words(&part))
            .collect();
        let list = "return document.querySelectorAll('#findings li').length";
        // What was typed before shows until the last key is checked.
        wait(&format!("{parts:?}"), || {
            let shown = words(&page.text("#findings"));
            let all = page.run(list) == expected.len() && parts.iter().all(|part| shown.contains(part));
            all.then_some(())
        });
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// What `jotgate check --json` finds.
fn checked(text: &str) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("jotgate.yaml");
    std::fs::write(&path, text).expect("can be written");
    let output = jotgate(&["check", "--json", &path.display().to_string()]);
    output["files"][0]["findings"].as_array().cloned().unwrap_or_default()
}
