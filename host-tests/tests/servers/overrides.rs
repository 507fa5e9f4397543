//! Headers that override what was decided on: each application here honours all of them.

use real_envoy::http::Request;
use serde_json::json;

use crate::check::{Checks, Expect};
use crate::server::{ALL, Kind};
use crate::world::{Version, World};

const METHOD: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
const URL: [&str; 2] = ["X-Original-URL", "X-Rewrite-URL"];
/// These have no middleware.
const FRAMEWORKS: [Kind; 7] = [
    Kind::DjangoOnGunicorn,
    Kind::DjangoOnUvicorn,
    Kind::Express,
    Kind::FlaskOnGunicorn,
    Kind::FlaskOnWerkzeug,
    Kind::StarletteOnHypercorn,
    Kind::StarletteOnUvicorn,
];

fn overridden(name: &str, value: &str) -> Request {
    let method = if value == "DELETE" { "POST" } else { "GET" };
    let path = if value == "api.example.com" { "/site" } else { "/items/1" };
    Request::new(method, path).header("host", "public.example.com").header(name, value)
}

fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    let methods = METHOD.map(|name| (name, "DELETE", "delete-item"));
    let urls = URL.map(|name| (name, "/admin/x", "admin"));
    [&methods[..], &urls[..], &[("X-Forwarded-Host", "api.example.com", "api-site")]].concat()
}

#[test]
fn every_framework_honours_them() {
    let Some(world) = World::shared() else { return };
    for (name, value, handler) in all() {
        for kind in FRAMEWORKS {
            let outcome = world.ask(kind, &overridden(name, value));
            assert_eq!(outcome.handler(), handler, "{kind:?}, {name}: {outcome:?}");
        }
    }
}

#[test]
fn what_overrides_a_decision_is_removed() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for (name, value, handler) in all() {
            let underscored = name.replace('-', "_");
            for spelling in [name, &name.to_ascii_lowercase(), &underscored, &name.replacen('-', "_", 1)] {
                let once = overridden(spelling, value);
                let twice = overridden(name, "").header(spelling, value);
                for request in [once, twice] {
                    for kind in FRAMEWORKS {
                        let outcome = world.send("strict", kind, version, &request);
                        let what = format!("{kind:?}, {version:?}, {spelling}: {value}: found {outcome:?}");
                        checks.that(outcome.handler() != handler, &what);
                        checks.judge(&what, &outcome, Expect::Harmless);
                    }
                }
            }
        }
    }
    checks.finish();
}

/// Names that some server or framework reads besides.
#[test]
fn neighbours_reach_no_other_handler() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for (name, value) in [
        ("PATH_INFO", "/admin/x"),
        ("SCRIPT_NAME", "/admin"),
        ("SCRIPT_NAME", "/items"),
        ("SCRIPT_NAME", "/public"),
        ("script_name", "/public"),
        ("REQUEST_METHOD", "DELETE"),
        ("REQUEST_URI", "/admin/x"),
        ("HTTP_HOST", "api.example.com"),
        ("X-Forwarded-Prefix", "/admin"),
        ("X-Forwarded-Path", "/admin/x"),
        ("X-Forwarded-Uri", "/admin/x"),
        ("X-Original-URI", "/admin/x"),
        ("X-Request-URI", "/admin/x"),
        ("X-Original-Host", "api.example.com"),
        ("X-Host", "api.example.com"),
        ("X-HTTP-Host-Override", "api.example.com"),
        ("X-Forwarded-Server", "api.example.com"),
        ("Forwarded", "host=api.example.com"),
        ("X-Original-Method", "DELETE"),
        ("X-Forwarded-Method", "DELETE"),
        ("X-HTTP-Verb", "DELETE"),
        (":path", "/admin/x"),
    ] {
        let request = Request::get("/items/1").header("host", "public.example.com").header(name, value);
        let below = Request::get("/public/admin/x").header(name, value);
        let site = Request::get("/site").header("host", "public.example.com").header(name, value);
        for request in [request, below, site] {
            checks.send(&world, &ALL, Version::Http1, &format!("{name}: {value}"), &request, Expect::Harmless);
        }
    }
    checks.finish();
}

#[test]
fn they_stay_where_the_configuration_says_so() {
    let Some(world) = World::shared() else { return };
    let envoy = world.envoy(&[("keeps", || json!({"overrideHeaders": "keep"}))]);
    for (name, value, handler) in all() {
        let outcome =
            world.send_at(envoy.address("keeps"), Kind::FlaskOnWerkzeug, Version::Http1, &overridden(name, value));
        assert_eq!(outcome.handler(), handler, "{name}: {outcome:?}");
    }
}
