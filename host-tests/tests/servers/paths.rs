//! Paths: the canonical one is what rules, Envoy's routes and the server see.

use real_envoy::http::Request;

use crate::check::{AMBIGUOUS_PATH, Checks, Expect};
use crate::server::{ALL, Kind};
use crate::world::{Outcome, Version, World};

/// These decode the path before they compare it; Express compares it as it came.
const DECODING: [Kind; 7] = [
    Kind::DjangoOnGunicorn,
    Kind::DjangoOnUvicorn,
    Kind::FlaskOnGunicorn,
    Kind::FlaskOnWerkzeug,
    Kind::NodeHttp,
    Kind::StarletteOnHypercorn,
    Kind::StarletteOnUvicorn,
];

fn refused(targets: &[&str]) {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for target in targets {
        checks.send(&world, &ALL, Version::Http1, target, &Request::get(target), AMBIGUOUS_PATH);
        let request = Request::get(target).header("x-server", "express");
        // The library refuses some of them itself.
        if let Ok(response) = Version::Http2.try_send(&request, world.gateway("strict")) {
            checks.judge(&format!("Http2, {target}"), &Outcome::of(&response), AMBIGUOUS_PATH);
        }
    }
    checks.finish();
}

#[test]
fn servers_differ_in_what_they_decode() {
    let Some(world) = World::shared() else { return };
    for kind in DECODING {
        assert_eq!(world.ask(kind, &Request::get("/%70ublic/x")).handler(), "public", "{kind:?}");
        assert_eq!(world.ask(kind, &Request::get("/jobs/1%3Adelete")).handler(), "purge", "{kind:?}");
    }
    assert_eq!(world.ask(Kind::Express, &Request::get("/%70ublic/x")).handler(), "rest");
    assert_eq!(world.ask(Kind::Express, &Request::get("/jobs/1%3Adelete")).handler(), "job");
}

#[test]
fn the_canonical_path_is_forwarded() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for (target, handler, path) in [
            ("/public/x", "public", "/public/x"),
            ("/%70ublic/x", "public", "/public/x"),
            ("/%70%75%62%6c%69%63/x", "public", "/public/x"),
            ("/public/%7e%2d%5F%2ea", "public", "/public/~-_.a"),
            ("/public/caf%c3%a9", "public", "/public/caf%C3%A9"),
            ("/public/caf%C3%a9%20", "public", "/public/caf%C3%A9%20"),
            ("/public/%78?q=%70%2f%c3//../;x", "public", "/public/x?q=%70%2f%c3//../;x"),
            ("/public/x?", "public", "/public/x?"),
            ("/%61dmin/x", "admin", "/admin/x"),
            ("/admi%6e/%78", "admin", "/admin/x"),
            ("/items/%31", "read-item", "/items/1"),
            ("/static/%61.%63ss", "style", "/static/a.css"),
            ("/static/%73ecret.json", "secret", "/static/secret.json"),
        ] {
            checks.send(&world, &ALL, version, target, &Request::get(target), Expect::Sees(handler, path));
        }
        for (target, handler, path) in [
            ("/x/%7badmin%7d/y", "braces", "/x/%7Badmin%7D/y"),
            ("/x/%7Badmin%7D/y", "braces", "/x/%7Badmin%7D/y"),
            ("/p%7cq", "pipe", "/p%7Cq"),
            ("/jobs/1%3adelete", "purge", "/jobs/1%3Adelete"),
        ] {
            checks.send(&world, &DECODING, version, target, &Request::get(target), Expect::Sees(handler, path));
            checks.send(&world, &[Kind::Express], version, target, &Request::get(target), Expect::Harmless);
        }
    }
    checks.finish();
}

#[test]
fn raw_characters_that_clients_escape_are_refused() {
    refused(&[
        "/x/{admin}/y",
        "/x/{admin%7D/y",
        "/x/%7Badmin}/y",
        "/x/{admin/y",
        "/p|q",
        "/jobs/1|",
        "/jobs/^1",
        "/jobs/`1`",
        "/jobs/\"1\"",
        "/jobs/<1",
        "/jobs/1>",
        "/public/{x}",
        "/public/a|b",
        "/public/a^b",
        "/public/a`b",
        "/public/a\"b",
        "/public/<a>",
        "/public/{}?{}",
    ]);
}

/// What a rule with an escape in its pattern protects has another spelling.
#[test]
fn a_pattern_with_an_escape_is_met_by_the_character_too() {
    refused(&["/jobs/1:delete", "/jobs/%31:delete", "/jobs/:delete:delete"]);
}

/// `secret.json` is what servers read that split a query off after decoding.
#[test]
fn what_another_rule_would_take_once_decoded_is_refused() {
    refused(&[
        "/static/secret.json%3F.css",
        "/static/secret.json%3f.css",
        "/static/secret.json%23.css",
        "/static/secret.json%3B.css",
        "/static/secret.json%3b.css",
        "/static/secret.json%3F.css?x",
        "/static/secret.json%3Fx=1&y.css",
        "/static/secret.json%23%3F.css",
        "/static/%73ecret.json%3F.css",
        "/static/secret.json%00.css",
        "/static/secret.json%0a.css",
        "/static/secret.json;.css",
        "/static/secret.json;a=.css",
    ]);
}

#[test]
fn escapes_are_well_formed() {
    refused(&[
        "/public/%25u0041",
        "/public/%25u002e%25u002e",
        "/public/%u0041",
        "/public/%25%75002f",
        "/public/%ff",
        "/public/%fe",
        "/public/%80",
        "/public/%bf",
        "/public/%c3",
        "/public/%c3/",
        "/public/%c3%28",
        "/public/%c3a9",
        "/public/%a9%c3",
        "/public/%c0%ae",
        "/public/%c0%af",
        "/public/%c1%81",
        "/public/%e0%80%af",
        "/public/%e2%82",
        "/public/%e2%82x",
        "/public/%e2%28%a1",
        "/public/%ed%a0%80",
        "/public/%ed%bf%bf",
        "/public/%f0%80%80%af",
        "/public/%f0%9f%98",
        "/public/%f4%90%80%80",
        "/public/%f5%80%80%80",
        "/public/%f8%88%80%80%80",
        "/public/%fc%80%80%80%80%af",
        "/public/%2541",
        "/public/%25252e",
        "/public/%",
        "/public/%4",
        "/public/%4g",
        "/public/%%41",
    ]);
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for target in ["/public/%25", "/public/100%25x", "/public/%C3%A9", "/public/%E2%82%AC", "/public/%F0%9F%98%80"] {
        checks.send(&world, &ALL, Version::Http1, target, &Request::get(target), Expect::Sees("public", target));
    }
    checks.finish();
}
