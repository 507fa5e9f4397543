//! Headers that rules name: one line, and a value that nobody takes for another.

use real_envoy::http::Request;

use crate::check::{AMBIGUOUS_REQUEST, Checks, Expect};
use crate::server::{ALL, Kind};
use crate::world::{Version, World};

/// Values of the lines of `X-Tenant`, beside the `acme` of a rule.
const ODD: [&[&str]; 24] = [
    &["acme", "other"],
    &["acme", ""],
    &["", "acme"],
    &["other", "acme"],
    &["acme", "acme"],
    &["acme", "acme", "acme"],
    &["", ""],
    &["other", "other"],
    &["Acme"],
    &["ACME"],
    &["acmE"],
    &["acme,"],
    &["acme,,"],
    &[",acme"],
    &["acme ,"],
    &[", acme"],
    &[" , acme , "],
    &["acme\t,"],
    &["ACME,"],
    &["acme,other"],
    &["acme, other"],
    &["other,acme"],
    &["other , acme"],
    &["other,ACME,"],
];

fn tenant(lines: &[&str]) -> Request {
    lines.iter().fold(Request::get("/tenant/x"), |request, value| request.header("x-tenant", value))
}

#[test]
fn some_frameworks_take_the_first_of_two_lines() {
    let Some(world) = World::shared() else { return };
    let run = |kind| world.ask(kind, &tenant(&["acme", ""])).handler() == "acme";
    let running: Vec<Kind> = ALL.into_iter().filter(|kind| run(*kind)).collect();
    assert!(running.contains(&Kind::StarletteOnUvicorn), "{running:?}");
}

#[test]
fn a_second_line_or_a_neighbouring_value_is_refused() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for lines in ODD {
            checks.send(&world, &ALL, version, &format!("{lines:?}"), &tenant(lines), AMBIGUOUS_REQUEST);
        }
    }
    checks.finish();
}

#[test]
fn one_line_is_compared_as_it_is() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for (lines, handler) in [
            (&["acme"][..], "acme"),
            (&["other"], "tenant"),
            (&["acme2"], "tenant"),
            (&[""], "tenant"),
            (&[], "tenant"),
        ] {
            checks.send(&world, &ALL, version, &format!("{lines:?}"), &tenant(lines), Expect::Runs(handler));
        }
    }
    for blanks in [" acme", "acme ", "\tacme\t", "  acme  "] {
        checks.send(&world, &ALL, Version::Http1, blanks, &tenant(&[blanks]), Expect::Runs("acme"));
        // Envoy leaves blanks in HTTP/2 as they are, and servers drop them.
        checks.send(&world, &ALL, Version::Http2, blanks, &tenant(&[blanks]), AMBIGUOUS_REQUEST);
    }
    checks.finish();
}

/// CGI, and what came of it, knows no difference between `-` and `_`.
#[test]
fn another_spelling_of_the_name_is_not_taken_for_it() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for name in ["x_tenant", "X_Tenant", "x.tenant", "x~tenant", "x-tenant_", "http_x_tenant", "HTTP_X_TENANT"] {
        for lines in [&[][..], &["other"]] {
            let request = tenant(lines).header(name, "acme");
            for version in Version::BOTH {
                checks.send(&world, &ALL, version, &format!("{name}, {lines:?}"), &request, Expect::Harmless);
            }
        }
    }
    checks.finish();
}
