//! What pages say of browsers: of sessions, and of where logins go.

use crate::command::explain;

const OPERATOR: &str = r#"{"sub": "alice", "groups": ["ops"], "exp": 1800003600}"#;
const DEVELOPER: &str = r#"{"sub": "bob", "groups": ["dev"]}"#;
const GITHUB: &str = r#"{"iss": "https://github.com", "sub": "583231", "groups": ["octo/ops"]}"#;
const EXPIRED: &str = r#"{"sub": "alice", "exp": 1700000000}"#;
const BROWSER: &str = "Accept: text/html";

fn page(request: &str, more: &[&str]) -> String {
    let request = format!("GET https://dash.example.com{request}");
    let (text, status) = explain(&[&["tests/explain/login.yaml", "--request", &request], more].concat());
    format!("{} {}\n{text}exit status: {status}\n", request, more.join(" "))
}

#[test]
fn a_session_is_a_caller_as_a_token_is() {
    insta::assert_snapshot!(page("/admin/users", &["--session", OPERATOR]));
    insta::assert_snapshot!(page("/admin/users", &["--session", DEVELOPER]));
    insta::assert_snapshot!(page("/code/", &["--session", GITHUB]));
}

#[test]
fn a_session_that_is_over_is_none() {
    insta::assert_snapshot!(page("/admin/users", &["--session", EXPIRED, "--header", BROWSER]));
}

#[test]
fn pages_show_where_a_login_goes() {
    insta::assert_snapshot!(page("/admin/users", &["--header", BROWSER]));
    let github = page("/code/", &["--header", BROWSER]);
    // What of it is drawn at random.
    let without = |text: &str, from: &str| {
        let (before, rest) = text.split_once(from).expect("is there");
        format!(
            "{before}{from}…{}",
            rest.trim_start_matches(|one: char| one.is_ascii_alphanumeric() || "-_.".contains(one))
        )
    };
    let github = ["state=", "code_challenge=", "jotgate-login="].iter().fold(github, |text, from| without(&text, from));
    insta::assert_snapshot!(github);
}

#[test]
fn what_is_no_navigation_is_told_how_to_be_one() {
    let hint = "note: a browser that navigates there is sent to the login `github`";
    assert!(page("/code/", &[]).contains(hint) && !page("/api/", &[]).contains("note:"));
    assert!(!page("/code/", &["--session", OPERATOR]).contains("note:"));
    let elsewhere = ["tests/explain/login.yaml", "--request", "GET https://other.example.com/code/"];
    let hint = "note: browsers are sent to log in from the host of `session.publicUrl` and the origins of `returnTo` alone: see \
                --request 'GET https://dash.example.com/'";
    assert!(explain(&elsewhere).0.contains(hint));
}

#[test]
fn the_own_paths_are_answered_before_any_rule() {
    insta::assert_snapshot!(page("/.jotgate/session", &["--session", OPERATOR]));
}

#[test]
fn sessions_that_cannot_be_are_reported() {
    let config = "tests/explain/page.yaml";
    let without_login = explain(&[config, "--request", "GET /", "--session", "{}"]);
    let reports: Vec<_> =
        ["[]", "{", r#"{"iss": "https://other.example.com"}"#, "@no-such-file", "@tests/explain/login.rs"]
            .into_iter()
            .map(|claims| page("/", &["--session", claims]))
            .collect();
    insta::assert_snapshot!(format!("{}{}\n{}", without_login.0, without_login.1, reports.join("\n")));
}

#[test]
fn pages_show_which_credentials_the_upstream_gets_and_nothing_that_is_secret() {
    let page = |path: &str, session: &str| {
        let request = format!("GET https://dash.example.com{path}");
        explain(&["tests/explain/upstream.yaml", "--request", &request, "--session", session]).0
    };
    insta::assert_snapshot!(page("/orders", r#"{"sub": "alice", "email": "a@example.com", "groups": ["dev"]}"#));
    insta::assert_snapshot!(page("/admin/users", r#"{"sub": "alice", "groups": ["dev"]}"#));
}

#[test]
fn pages_say_what_depends_on_others() {
    let page = |path: &str, claims: &str| {
        let request = format!("GET https://dash.example.com{path}");
        let arguments = ["tests/explain/upstream-sources.yaml", "--request", &request, "--session", claims];
        explain(&[&arguments[..], &["--header", "sec-fetch-mode: navigate"]].concat()).0
    };
    let pages = [
        page("/orders", r#"{"sub": "alice"}"#),
        page("/", r#"{"sub": "alice", "groups": ["dev"]}"#),
        page("/", r#"{"sub": "alice", "groups": ["ops"]}"#),
    ];
    insta::assert_snapshot!(pages.join("\n"));
}
