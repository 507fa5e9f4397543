//! Decisions, and that they are those of the command line.

use serde_json::{Value, json};

use crate::page::{Page, jotgate, source, words};

/// The examples: how each ends, and for which reason.
const EXAMPLES: [(&str, &str, &str); 9] = [
    ("Admitted", "Admitted", ""),
    ("Expired token", "Refused: 401", "expired"),
    ("Missing scope", "Refused: 403", "insufficient_scope"),
    ("No rule matches", "Refused: 403", "no_rule"),
    ("No token", "Refused: 401", "missing_token"),
    ("Token for somebody else", "Refused: 401", "wrong_audience"),
    ("Changed token", "Refused: 401", "bad_signature"),
    ("Forged identity", "Admitted", ""),
    ("Ambiguous path", "Refused: 400", "ambiguous_path"),
];

/// What a reader sees of the decision and its steps, with single blanks.
fn shown(page: &Page) -> String {
    words(&page.text(".decision"))
}

#[test]
fn each_example_has_its_decision() {
    let Some(page) = Page::open() else { return };
    let names = page.run("return [...document.getElementById('example').options].map((option) => option.text)");
    assert_eq!(names, json!(EXAMPLES.map(|(name, ..)| name)));
    for (name, title, reason) in EXAMPLES {
        page.choose(name);
        assert_eq!(page.text("#decision .what"), title, "{name}");
        assert!(page.text("#decision .why").ends_with(reason), "{name}: {}", page.text("#decision .why"));
    }
}

#[test]
fn steps_and_headers_are_those_of_the_command_line() {
    let Some(page) = Page::open() else { return };
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("jotgate.yaml");
    std::fs::write(&file, source("example.yaml")).expect("can be written");
    for (name, ..) in EXAMPLES {
        page.choose(name);
        let expected = explained(&page, &file.display().to_string());
        let shown = shown(&page);
        for told in texts(&expected) {
            let told = words(&told);
            assert!(shown.contains(&told), "{name}: `{told}` is not in\n{shown}");
        }
    }
}

/// What `jotgate explain --json` says of what is in the page's fields.
fn explained(page: &Page, file: &str) -> Value {
    let headers = page.value("headers");
    let (token, url, time) = (page.value("token"), page.value("url"), page.value("time"));
    let request = format!("{} {url}", page.value("method"));
    let mut arguments = vec!["explain", "--json", file, "--at", &time, "--request", &request];
    if !token.is_empty() {
        arguments.extend(["--token", &token]);
    }
    for line in headers.lines() {
        arguments.extend(["--header", line]);
    }
    jotgate(&arguments)
}

/// The sentences and values of an explanation that people are to see.
fn texts(explanation: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(String::from);
    let all = |list: &Value, member: &str| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|step| text(&step[member])).collect()
    };
    let decision = &explanation["decision"];
    let mut found = Vec::new();
    for value in ["detail", "reason", "rule", "log"] {
        found.extend(text(&decision[value]));
    }
    found.extend(text(&explanation["path"]["canonical"]));
    found.extend(text(&explanation["path"]["problem"]));
    found.extend(all(&explanation["rules"], "rule"));
    found.extend(text(&explanation["access"]["requirement"]["asks"]));
    found.extend(all(&explanation["token"]["checks"], "check"));
    let made = explanation["token"]["checks"].as_array().into_iter().flatten();
    found.extend(made.filter(|check| check["outcome"] != "skipped").filter_map(|check| text(&check["detail"])));
    found.extend(decision["answer"]["status"].as_u64().map(|status| status.to_string()));
    found.extend(text(&decision["answer"]["body"]));
    for line in decision["upstream"]["set"].as_array().into_iter().flatten() {
        found.extend([text(&line[0]), text(&line[1])].into_iter().flatten());
    }
    found.extend(decision["upstream"]["removed"].as_array().into_iter().flatten().filter_map(text));
    assert!(found.len() > 3, "{explanation}");
    found
}

#[test]
fn an_expired_token_shows_when_it_expired() {
    let Some(page) = Page::open() else { return };
    page.choose("Expired token");
    let decoded = page.text("#decoded");
    assert!(decoded.contains("\"sub\": \"alice\""), "{decoded}");
    assert!(decoded.contains("exp 2027-01-15T07:50:00Z, 10 minutes before the request"), "{decoded}");
    // Half an hour earlier it was good.
    page.enter("#time", "2027-01-15T07:30:00Z");
    page.wait_for("#decision .what", "Admitted");
    page.wait_for("#decoded", "20 minutes after the request");
}

#[test]
fn what_cannot_be_read_is_reported() {
    let Some(page) = Page::open() else { return };
    for (field, text, expected) in [
        ("#time", "yesterday", "expected a time such as 2027-01-15T08:00:00Z"),
        ("#headers", "nonsense", "expected a header such as x-tenant: acme, found nonsense"),
        ("#url", "https://", ""),
        ("#token", "a.b", "this is not a JWT"),
    ] {
        page.choose("Admitted");
        page.enter(field, text);
        page.wait_for("main", expected);
        assert_ne!(page.text("#decision .what"), "", "{field}");
    }
}

/// The example of RFC 9449 §7.1, whose token only its issuer can read.
#[test]
fn a_bound_opaque_token_passes_with_an_answer_and_a_proof() {
    const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let Some(page) = Page::open() else { return };
    let entry = json!({
        "name": "as", "issuer": "https://server.example.com", "endpoint": "https://server.example.com/introspect",
        "cluster": "as", "match": {"prefix": "Kz~"}, "client": {"id": "gate", "secret": {"env": "SECRET"}}, "audiences": "any",
    });
    let rules = json!([{"name": "all", "access": "authenticated"}]);
    page.enter("#configuration", &json!({"introspection": [entry], "rules": rules}).to_string());
    page.enter("#url", "https://resource.example.org/protectedresource");
    page.enter("#time", "2019-07-04T17:50:20Z");
    page.enter("#token", TOKEN);
    page.wait_for("#decision .what", "Undecided");
    // The fields for what is missing open by themselves.
    let cnf = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    page.enter("#introspection", &json!({"active": true, "sub": "alice", "cnf": cnf}).to_string());
    page.wait_for("#decision .why", "proof_missing");
    page.enter("#proof", PROOF);
    page.wait_for("#decision .what", "Admitted");
    assert!(shown(&page).contains("the token is bound: jkt"), "{}", shown(&page));
}

#[test]
fn keys_can_be_given_where_the_configuration_has_none() {
    let Some(page) = Page::open() else { return };
    let example = source("example.yaml");
    let (before, rest) = example.split_once("    inline:").expect("it is there");
    let (inline, after) = rest.split_once("\n\n").expect("it is there");
    let key = inline.split_once("- {").and_then(|(_, key)| key.split_once('}')).expect("there is a key").0;
    let members = key.split(", ").map(|member| member.split_once(": ").expect("is a member"));
    let key: Value =
        members.map(|(name, value)| (name.to_string(), json!(value))).collect::<serde_json::Map<_, _>>().into();
    let text = format!("{before}    jwksUri: https://idp.example.com/jwks\n    cluster: idp\n\n{after}");
    page.run(&format!(
        "const field = document.getElementById('configuration'); field.value = {}; field.dispatchEvent(new Event('input'))",
        json!(text)
    ));
    page.wait_for("#decision .what", "Undecided");
    // The field for them has opened.
    page.enter("#keys", &json!({"keys": [key]}).to_string());
    page.wait_for("#decision .what", "Admitted");
}
