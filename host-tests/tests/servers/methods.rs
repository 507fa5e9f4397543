//! Methods: a lower-case letter is refused, since some frameworks compare methods without their case.

use real_envoy::http::Request;

use crate::check::{AMBIGUOUS_REQUEST, Checks, Expect};
use crate::server::{ALL, Kind};
use crate::world::{Outcome, Version, World};

const ODD: [&str; 14] = [
    "delete", "Delete", "dELETE", "DELETe", "DeLeTe", "get", "Get", "head", "post", "Put", "patch", "options", "purge",
    "x-delete",
];

#[test]
fn some_frameworks_run_a_handler_whatever_the_case_of_the_method() {
    let Some(world) = World::shared() else { return };
    let run = |kind| world.ask(kind, &Request::new("delete", "/items/1")).handler() == "delete-item";
    let running: Vec<Kind> = ALL.into_iter().filter(|kind| run(*kind)).collect();
    assert!(running.contains(&Kind::DjangoOnUvicorn) && running.contains(&Kind::FlaskOnWerkzeug), "{running:?}");
}

#[test]
fn a_method_with_a_lower_case_letter_is_refused() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for method in ODD {
            for path in ["/items/1", "/public/x"] {
                let request = Request::new(method, path);
                checks.send(&world, &ALL, version, &format!("{method} {path}"), &request, AMBIGUOUS_REQUEST);
            }
        }
    }
    checks.finish();
}

#[test]
fn other_methods_pass_as_they_are() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for (method, path, expect) in [
            ("DELETE", "/items/1", Expect::Runs("delete-item")),
            ("GET", "/items/1", Expect::Runs("read-item")),
            ("PUT", "/public/x", Expect::Runs("public")),
            ("PROPFIND", "/items/1", Expect::Harmless),
            ("M-SEARCH", "/items/1", Expect::Harmless),
        ] {
            checks.send(&world, &ALL, version, &format!("{method} {path}"), &Request::new(method, path), expect);
        }
        let anonymous = world.send_anonymous("strict", Kind::NodeHttp, version, &Request::new("DELETE", "/items/1"));
        checks.that(anonymous == Outcome::refused(401, "missing_token"), &format!("{anonymous:?}"));
    }
    checks.finish();
}

/// What is no method, or has something around it, reaches no handler.
#[test]
fn what_is_no_method_is_refused() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for method in
        ["DELETE\t", "\tDELETE", " DELETE", "DELETE ", "DELETE\u{a0}", "DELETE\0", "DELETE,GET", "(DELETE)", ""]
    {
        let request = Request::new(method, "/items/1").header("x-server", "flask-werkzeug");
        let response = request.send(world.gateway("strict"));
        let outcome = response.as_ref().map_or(Outcome::refused(400, ""), Outcome::of);
        // Envoy takes some of them for `DELETE`, and hands that on.
        let is_refused = matches!(outcome, Outcome::Refused(400 | 401, _));
        checks.that(is_refused, &format!("{method:?}: expected a refusal, found {outcome:?}"));
    }
    checks.finish();
}
