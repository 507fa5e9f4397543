//! Odd paths, whatever Envoy makes of them before the gate and whatever a server makes of them behind it.

use real_envoy::Bootstrap;
use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::issuer::{Issuer, Options};
use testbed::raw::RawServer;

use crate::world::{World, add, config, refused, verdict};

/// How one gets from `/public` to `/admin`.
const UPWARDS: [&str; 14] = [
    "..",
    "%2e%2E",
    ".%2e",
    "..;",
    "..;x=1",
    "%2e%2e;",
    "..%3B",
    "..%3f",
    "..%23",
    "..%20",
    "..%00",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%25%32%65%25%32%65",
];
const SLASHES: [&str; 8] = ["/", "//", "/./", ";/", "\\", "%2f", "%5C", "%c0%af"];
/// Other ways to write what a rule protects, and paths that harm nobody.
const OTHERS: [&str; 34] = [
    "/admin/x",
    "/admin",
    "/%61dmin/x",
    "/admi%6e",
    "/admin;x/y",
    "/admin;/x",
    "/;/admin/x",
    "/;x=1/admin/x",
    "//admin/x",
    "///admin//x",
    "/./admin/x",
    "/%2e/admin/x",
    "/x/../admin/x",
    "/x/..;/admin/x",
    "/admin%3Bx/y",
    "/admin%3bx",
    "/admin%3Fx",
    "/admin%23x",
    "/admin%2fx",
    "/%2fadmin/x",
    "/%5cadmin/x",
    "/\\admin/x",
    "/admin\\x",
    "/admin%00/x",
    "/%25%36%31dmin/x",
    "/%2561dmin/x",
    "/public/x?/../../admin",
    "/admin#/public/x",
    "/public/x#/../../admin",
    "http://localhost/admin/x",
    "http://localhost/public/../admin/x",
    "/public/caf%c3%a9",
    "/public/a%3Ab%20c",
    "/%70ublic/x",
];

fn targets() -> Vec<String> {
    let climbs = UPWARDS.iter().flat_map(|up| SLASHES.map(|slash| format!("/public{slash}{up}{slash}admin/x")));
    climbs.chain(OTHERS.map(String::from)).collect()
}

/// A server that reads paths in its own way.
#[derive(Clone, Copy, Debug)]
struct Server {
    decodes: usize,
    /// Takes an escaped `?` or `#` for a plain one.
    cuts_twice: bool,
    resolves_first: bool,
}

impl Server {
    fn all() -> impl Iterator<Item = Self> {
        let flags = [(false, false), (false, true), (true, false), (true, true)];
        (1..=2).flat_map(move |decodes| {
            flags.map(|(cuts_twice, resolves_first)| Self { decodes, cuts_twice, resolves_first })
        })
    }

    /// The path that it serves.
    fn reads(self, target: &str) -> String {
        let cut = |path: &str| path.split(['?', '#']).next().unwrap_or_default().to_string();
        let mut path = cut(target);
        if self.resolves_first {
            path = resolved(&path);
        }
        for _ in 0..self.decodes {
            path = decoded(&path);
        }
        resolved(&if self.cuts_twice { cut(&path) } else { path })
    }
}

/// Decodes all escapes, overlong ones too; what is no escape stays.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| str::from_utf8(digits).ok()).filter(|_| first == b'%');
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    let mut text = String::new();
    let mut bytes = bytes.into_iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0xc0 | 0xc1 => text.extend(bytes.next().map(|next| char::from((byte & 1) << 6 | next & 0x3f))),
            _ => text.push(char::from(byte)),
        }
    }
    text
}

/// Without parameters, blanks and zeros at ends, backslashes, empty segments and dots.
fn resolved(path: &str) -> String {
    let mut kept = Vec::new();
    for segment in path.replace('\\', "/").split('/') {
        let name = segment.split([';', '\0']).next().unwrap_or_default().trim();
        match name {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(name.to_string()),
        }
    }
    format!("/{}", kept.join("/"))
}

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Two ways to write rules, in both modes: what is protected stands first and all else is public, and the reverse.
fn gateways() -> Vec<(String, Value)> {
    let protected_first = json!([{"match": {"paths": ["/admin/**"]}, "access": "authenticated"}, {"access": "public"}]);
    let public_first = json!([{"match": {"paths": ["/public/**"]}, "access": "public"}, {"access": "authenticated"}]);
    let mut gateways = Vec::new();
    for mode in ["strict", "lenient"] {
        for (order, rules) in [("open", &protected_first), ("closed", &public_first)] {
            gateways.push((format!("{mode}-{order}"), json!({"paths": mode, "rules": rules})));
        }
    }
    gateways
}

/// What passed without a token is, for every server, no path that a rule protects.
fn check(settings: &Value) {
    let upstream = RawServer::start().unwrap();
    let issuer = Issuer::start(Options::default()).unwrap();
    let mut bootstrap = Bootstrap::new(upstream.address()).cluster("issuer", issuer.address());
    for (member, value) in settings.as_object().unwrap() {
        bootstrap = bootstrap.connection_manager(member, value);
    }
    for (name, changes) in gateways() {
        bootstrap = bootstrap.gateway(&name, &config(&issuer, &changes).to_string());
    }
    let envoy = add(&bootstrap);
    for (name, _) in gateways() {
        let mut passed = 0;
        for target in targets() {
            let status = Request::get(&target).send(envoy.address(&name)).unwrap().status;
            for path in upstream.take_asked() {
                assert_eq!(status, 404, "the upstream has nothing: {target}");
                passed += 1;
                for server in Server::all() {
                    let read = server.reads(&path);
                    let is_public =
                        if name.ends_with("open") { !is_below(&read, "/admin") } else { is_below(&read, "/public") };
                    assert!(is_public, "{settings} {name}: {target} became {path}, which {server:?} reads as {read}");
                }
            }
        }
        assert!(passed >= 4, "{settings} {name}: only {passed} passed");
    }
}

#[test]
fn most_of_these_paths_are_dangerous() {
    let is_dangerous = |target: &String| Server::all().any(|server| is_below(&server.reads(target), "/admin"));
    let (all, dangerous) = (targets().len(), targets().iter().filter(|target| is_dangerous(target)).count());
    assert!(dangerous * 5 > all * 4, "{dangerous} of {all}");
}

#[test]
fn no_odd_path_gets_past_a_rule_where_envoy_leaves_paths_alone() {
    check(&json!({"normalize_path": false, "merge_slashes": false}));
}

#[test]
fn no_odd_path_gets_past_a_rule_where_envoy_normalises() {
    check(&json!({"normalize_path": true}));
    check(
        &json!({"normalize_path": true, "merge_slashes": true, "path_with_escaped_slashes_action": "KEEP_UNCHANGED"}),
    );
}

#[test]
fn no_odd_path_gets_past_a_rule_whatever_envoy_does_with_escaped_slashes() {
    for action in ["REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"] {
        check(&json!({"normalize_path": true, "merge_slashes": true, "path_with_escaped_slashes_action": action}));
    }
    check(
        &json!({"normalize_path": false, "merge_slashes": false, "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD"}),
    );
}

#[test]
fn a_lenient_path_is_what_routes_and_the_upstream_see() {
    let route = |prefix: &str, action: Value| json!({"match": {"prefix": prefix}, "direct_response": action});
    let routes = json!([
        route("/direct", json!({"status": 200, "body": {"inline_string": "direct"}})),
        {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
    ]);
    let changes = json!({
        "paths": "lenient",
        "credentials": [{"query": "access_token"}],
        "rules": [{"match": {"paths": ["/public/**", {"regex": "/v[0-9]+/open"}]}, "access": "public"}, {"access": "authenticated"}],
    });
    let world = World::shared_with(&changes, |bootstrap| {
        bootstrap.routes(&routes).connection_manager("normalize_path", &json!(false))
    });
    let token = world.alice();
    let path = |target: &str| world.send(&Request::get(target)).json()["path"].as_str().unwrap_or_default().to_string();
    assert_eq!(path("//public/./a;v=1/../%62?x=/../;y"), "/public/b?x=/../;y");
    assert_eq!(path(&format!("/public/../x/;a?a&access_token={token}&b=%7e")), "/x/?a&b=%7e");
    assert_eq!(path(&format!("/public/..;/x?access_token={token}")), "/x");
    assert_eq!(path("/v1/./open"), "/v1/open");
    let status = |target: &str| verdict(&world.send(&Request::get(target)));
    assert_eq!(status("/public/../x"), refused(401, "missing_token"));
    assert_eq!(status("/v1/open/../x"), refused(401, "missing_token"));
    assert_eq!(status("/public/%2e%2e%2fx"), refused(400, "ambiguous_path"));
    // The route was chosen for `/public/…`, and is chosen anew for what the path has become.
    let direct = world.send(&Request::get(&format!("/public/../direct?access_token={token}")));
    assert_eq!((direct.status, direct.text().as_str()), (200, "direct"));
    let upstream = world.send(&Request::get(&format!("/direct/../x?access_token={token}")));
    assert_eq!(upstream.json()["path"], "/x");
}
