//! What `jotgate test` says.

#![expect(clippy::expect_used, reason = "tests fail by panicking")]

use std::path::PathBuf;

use clap::Parser as _;
use cli::arguments::Arguments;

const GATE: &str = "tests/cases/gate.yaml";
const GOOD: &str = "tests/cases/good.yaml";
const OPAQUE: &str = "tests/cases/opaque.yaml";
const BAD: &str = "tests/cases/bad.yaml";

/// What it prints, without colours, and its status.
fn test(arguments: &[&str]) -> (String, u8) {
    let arguments = Arguments::try_parse_from([&["jotgate", "test"], arguments].concat()).expect("is a command line");
    let (text, status) = match cli::run(&arguments) {
        Ok(outcome) => (outcome.output, outcome.status),
        Err(error) => (error.0, 2),
    };
    (anstream::adapter::strip_str(&text).to_string(), status)
}

/// A file for one test, which takes it away at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("can be written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("is text")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn cases_that_hold_are_counted() {
    let (text, status) = test(&["--every-rule", GATE, GOOD]);
    let expected = std::fs::read_to_string(GOOD).expect("is there").matches("- {name: ").count();
    assert!(status == 0 && !text.contains("FAIL") && text.matches("ok  ").count() >= expected, "{text}");
}

#[test]
fn tokens_are_made_as_issuers_of_each_kind_make_them() {
    let (text, status) = test(&["tests/cases/issuers.yaml", "tests/cases/issuers-cases.yaml"]);
    assert_eq!(status, 0, "{text}");
}

#[test]
fn browsers_have_sessions_and_are_sent_to_log_in() {
    let (text, status) = test(&["tests/explain/login.yaml", "tests/cases/logins-cases.yaml"]);
    assert_eq!(status, 0, "{text}");
}

#[test]
fn opaque_tokens_are_made_with_what_their_issuers_say() {
    let (text, status) = test(&["--every-rule", OPAQUE, "tests/cases/opaque-cases.yaml"]);
    assert_eq!(status, 0, "{text}");
}

#[test]
fn a_case_that_fails_shows_what_differs() {
    let (text, status) = test(&[GATE, BAD]);
    assert_eq!(status, 1);
    insta::assert_snapshot!(text);
}

#[test]
fn a_rule_that_no_case_reaches_may_be_a_failure() {
    let cases = Scratch::new("one.yaml", "cases: [{name: health, request: GET /healthz, expect: pass}]");
    let (text, status) = test(&[GATE, cases.path()]);
    assert!(status == 0 && text.contains("no case reaches the rules write, partners, trial"), "{text}");
    let (text, status) = test(&["--every-rule", GATE, cases.path()]);
    assert!(status == 1 && text.contains("failed: no case reaches the rules"), "{text}");
}

#[test]
fn programs_get_the_same() {
    let (text, status) = test(&["--json", GATE, BAD]);
    assert_eq!(status, 1);
    let told: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    let differences = told.pointer("/cases/2/differences/0").expect("is there");
    assert_eq!(*differences, serde_json::json!({"what": "reason", "expected": "expired", "found": "missing_token"}));
    assert_eq!(told.pointer("/cases/2/place"), Some(&"tests/cases/bad.yaml:4".into()));
}

#[test]
fn cases_that_cannot_be_run_are_reported_with_their_line() {
    let all: Vec<_> = [
        "cases: [{name: a, request: GET, expect: pass}]",
        "cases: [{name: a, request: GET /, expect: 7 lives}]",
        "cases: [{name: a, request: GET /, expect: {pass: true, status: 200}}]",
        "cases: [{name: a, request: GET /, expect: {pas: true}}]",
        "cases:\n- name: a\n  request: GET /\n  expct: pass\n",
        "cases: [{name: a, request: GET /, expect: pass, headers: {a: 1}}]",
        "cases: [{name: a, request: GET /, expect: pass, credential: {cookie: a, query: b}}]",
        "cases: [{name: a, request: GET /, expect: pass, claims: {}, token: x}]",
        "cases: [{name: a, request: GET /, expect: pass, claims: {}, issuer: nobody}]",
        "now: tomorrow\ncases: []",
        "cases: [{name: a, name: b}]",
        "cases: [",
        "",
    ]
    .iter()
    .map(|text| {
        let cases = Scratch::new("broken.yaml", text);
        let (text, status) = test(&[GATE, cases.path()]);
        assert_eq!(status, 2, "{text}");
        text.replace(cases.path(), "broken.yaml")
    })
    .collect();
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn opaque_tokens_that_cannot_be_made_are_reported() {
    let cannot = [
        "{name: a, request: GET /, expect: pass, claims: {}, issuer: hex}",
        "{name: a, request: GET /, expect: pass, claims: {}, token: zz}",
        "{name: a, request: GET /, expect: pass, claims: {}, signature: bad}",
        "{name: a, request: GET /, expect: pass, claims: {}, tokenHeader: {kid: a}}",
    ];
    let all = cannot.map(|case| {
        let cases = Scratch::new("opaque.yaml", &format!("cases: [{case}]"));
        let (text, status) = test(&[OPAQUE, cases.path()]);
        assert_eq!(status, 2, "{text}");
        text.replace(cases.path(), "opaque.yaml")
    });
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn cases_are_not_run_against_an_invalid_configuration() {
    let (text, status) = test(&["tests/check/cases/crlf.yaml", GOOD]);
    assert!(status == 2 && text.contains("expected `audit` or `enforce`, found `watch`"), "{text}");
}

#[test]
fn cases_are_not_run_against_a_configuration_that_readers_of_yaml_read_differently() {
    let gate = std::fs::read_to_string(GATE).expect("is there");
    for value in ["on", "yes", "N", "0o17", "017", "1_000", ".inf"] {
        let rule = format!("- {{name: odd, match: {{paths: [/odd]}}, access: {{claims: {{beta: {value}}}}}}}");
        let file = Scratch::new(
            &format!("odd-{}.yaml", value.trim_start_matches('.')),
            &gate.replace("rules:\n", &format!("rules:\n{rule}\n")),
        );
        let (text, status) = test(&[file.path(), GOOD]);
        assert!(status == 2 && text.contains(&format!("`{value}` is")), "{value}: {text}");
    }
    let twice = Scratch::new("twice.yaml", &format!("{gate}\nmode: audit\nmode: enforce\n"));
    assert_eq!(test(&[twice.path(), GOOD]).1, 2);
    let quoted =
        gate.replace("rules:\n", "rules:\n- {name: odd, match: {paths: [/odd]}, access: {claims: {beta: \"on\"}}}\n");
    let file = Scratch::new("quoted.yaml", &quoted);
    assert_eq!(test(&[file.path(), GOOD]).1, 0);
}

#[test]
fn of_several_configurations_one_is_chosen() {
    let plugin = |name: &str, rule: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: jotgate-{name}}}\nspec:\n  \
             pluginConfig: {{issuers: [{{name: a, issuer: https://a, audiences: any, keys: {{discovery: {{}}, cluster: \
             a}}}}], rules: [{{access: {rule}}}]}}\n---\n"
        )
    };
    let file = Scratch::new("two.yaml", &(plugin("one", "public") + &plugin("two", "deny")));
    let cases = Scratch::new("any.yaml", "cases: [{name: any, request: GET /, expect: pass}]");
    let (text, status) = test(&[file.path(), cases.path()]);
    assert!(status == 2 && text.contains("`WasmPlugin jotgate-one`, `WasmPlugin jotgate-two`"), "{text}");
    assert_eq!(test(&["--configuration", "WasmPlugin jotgate-one", file.path(), cases.path()]).1, 0);
    assert_eq!(test(&["--configuration", "WasmPlugin jotgate-two", file.path(), cases.path()]).1, 1);
    assert_eq!(test(&["--configuration", "WasmPlugin jotgate", file.path(), cases.path()]).1, 2);
}

#[test]
fn a_secret_is_no_key_where_the_configuration_has_none() {
    let cases = Scratch::new(
        "hmac.yaml",
        "cases: [{name: a, request: GET /, claims: {}, tokenHeader: {alg: HS256}, expect: 401 unsupported_algorithm}]",
    );
    let secret =
        "{kty: oct, k: AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow}";
    for (keys, status) in [("discovery: {}, cluster: a", 0), (format!("inline: {{keys: [{secret}]}}").as_str(), 1)] {
        let config = format!(
            "issuers: [{{name: a, issuer: https://a, audiences: any, algorithms: [ES256, HS256], keys: {{{keys}}}}}]\n\
             default: authenticated\n"
        );
        let config = Scratch::new("hmac-gate.yaml", &config);
        let (text, found) = test(&[config.path(), cases.path()]);
        assert_eq!(found, status, "{text}");
    }
}

#[test]
fn the_cases_of_the_documentation_hold() {
    let page = std::fs::read_to_string("../docs/command-line.md").expect("is there");
    let block = page.split("```yaml\n").find(|block| block.starts_with("cases:")).expect("shows some cases");
    let cases = Scratch::new("page.yaml", block.split("```").next().expect("ends"));
    let (text, status) = test(&["../envoy-config/quickstart.yaml", cases.path()]);
    assert_eq!(status, 0, "{text}");
}
