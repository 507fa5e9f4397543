//! Hosts: what Envoy's virtual hosts, the server and the rules see is one name.

use real_envoy::http::Request;
use serde_json::json;

use crate::check::{AMBIGUOUS_REQUEST, Checks, Expect};
use crate::policy;
use crate::server::{ALL, Kind};
use crate::world::{Outcome, Version, World};

const PUBLIC: &str = "public.example.com";

/// What follows the name, or stands before it.
const ODD: [&str; 32] = [
    "public.example.com.",
    "public.example.com..",
    "public.example.com:",
    "public.example.com::",
    "public.example.com:0",
    "public.example.com:1",
    "public.example.com:8080",
    "public.example.com:0443",
    "public.example.com:080",
    "public.example.com:00080",
    "public.example.com:65536",
    "public.example.com:65616",
    "public.example.com:99999",
    "public.example.com:4294967376",
    "public.example.com:+80",
    "public.example.com:-80",
    "public.example.com:8o",
    "public.example.com:0x50",
    "public.example.com:80:80",
    "public.example.com:80.",
    "public.example.com.:80",
    "public.example.com.:443",
    "user@public.example.com",
    "user:80@public.example.com",
    "@public.example.com",
    "api.example.com@public.example.com",
    "public.example.com@api.example.com",
    "public.example.com:80@api.example.com",
    ".public.example.com",
    "public..example.com",
    "public.example.com,api.example.com",
    "public.example.com%2e",
];

fn site(host: &str) -> Request {
    Request::get("/site").header("host", host)
}

#[test]
fn an_odd_spelling_of_a_host_is_refused() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for host in ODD.iter().flat_map(|host| [(*host).to_string(), host.replace(PUBLIC, "api.example.com")]) {
        checks.send(&world, &ALL, Version::Http1, &host, &site(&host), AMBIGUOUS_REQUEST);
        // The library refuses some of them itself.
        let request = site(&host).header("x-server", "django-uvicorn");
        if let Ok(response) = Version::Http2.try_send(&request, world.gateway("strict")) {
            checks.judge(&format!("Http2, {host}"), &Outcome::of(&response), AMBIGUOUS_REQUEST);
        }
    }
    checks.finish();
}

/// Envoy's routes and servers compare it as it is forwarded.
#[test]
fn the_canonical_host_is_forwarded() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for version in Version::BOTH {
        for (suffix, what) in [("", "as it is"), (":80", "HTTP's port"), (":443", "the port of HTTPS")] {
            for (name, handler, route) in
                [(PUBLIC, "public-site", "public-site"), ("api.example.com", "api-site", "rest")]
            {
                for host in [format!("{name}{suffix}"), format!("{}{suffix}", name.to_ascii_uppercase())] {
                    for kind in ALL {
                        let outcome = world.send("strict", kind, version, &site(&host));
                        let is_met = matches!(&outcome, Outcome::Ran(seen)
                            if seen.handler == handler && seen.rule == handler && seen.route == route && seen.host == name);
                        checks.that(is_met, &format!("{kind:?}, {version:?}, {host} ({what}): found {outcome:?}"));
                    }
                }
            }
        }
        checks.send(&world, &ALL, version, "another host", &site("other.example.com"), Expect::Runs("other-site"));
    }
    checks.finish();
}

#[test]
fn a_port_is_one_that_a_rule_names() {
    let Some(world) = World::shared() else { return };
    let envoy = world.envoy(&[("ports", || {
        let access = json!({"scopes": {"all": ["all"]}});
        json!({"rules": [
            {"name": "api-site", "match": {"hosts": ["api.example.com:8443"]}, "access": access},
            {"name": "public-site", "match": {"hosts": ["public.example.com:*"]}, "access": "public"},
            {"name": "rest", "access": access},
        ]})
    })]);
    let mut checks = Checks::default();
    for (host, expected) in [
        ("api.example.com:8443", Ok("api-site")),
        ("api.example.com:8444", Err(())),
        ("api.example.com:08443", Err(())),
        ("api.example.com:8443.", Err(())),
        ("api.example.com.:8443", Err(())),
        ("public.example.com", Ok("public-site")),
        ("public.example.com:8443", Ok("public-site")),
        ("public.example.com:65535", Ok("public-site")),
        ("public.example.com:65536", Err(())),
        ("public.example.com:", Err(())),
        ("public.example.com.:8443", Err(())),
    ] {
        let outcome = world.send_at(envoy.address("ports"), Kind::DjangoOnGunicorn, Version::Http1, &site(host));
        let is_met = match expected {
            Ok(rule) => matches!(&outcome, Outcome::Ran(seen) if seen.rule == rule && seen.host == host),
            Err(()) => outcome == Outcome::refused(400, "ambiguous_request"),
        };
        checks.that(is_met, &format!("{host}: expected {expected:?}, found {outcome:?}"));
    }
    assert!(policy::is_meant("api-site", "api-site"));
    checks.finish();
}

/// Envoy refuses more than one `Host`, or joins them to what is no host.
#[test]
fn there_is_one_host() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    for others in [["host", PUBLIC], ["Host", "api.example.com"], ["HOST", ""]] {
        let request = site(PUBLIC).header(others[0], others[1]);
        // Of an empty one nothing is left.
        let expect = if others[1].is_empty() { Expect::Harmless } else { AMBIGUOUS_REQUEST };
        checks.send(&world, &ALL, Version::Http1, &format!("{others:?}"), &request, expect);
    }
    for target in ["http://api.example.com/site", "http://public.example.com./site", "http://public.example.com:1/site"]
    {
        let request = Request::get(target).header("host", PUBLIC);
        checks.send(&world, &ALL, Version::Http1, target, &request, Expect::Harmless);
    }
    checks.finish();
}
