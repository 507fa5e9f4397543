//! Requests from a seed: what the policy has rules for, with odd pieces in some of the dimensions.

use real_envoy::http::Request;
use test_support::random::Random;

use crate::world::Version;

/// A request to be.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) version: Version,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

const METHODS: [&str; 6] = ["GET", "GET", "DELETE", "POST", "PUT", "HEAD"];
const ODD_METHODS: [&str; 10] =
    ["delete", "Delete", "dELETE", "DELETe", "get", "Get", "post", "PROPFIND", "DELETE2", "XDELETE"];
const NAMES: [&str; 3] = ["public.example.com", "api.example.com", "other.example.com"];
const SUFFIXES: [&str; 20] = [
    ".", "..", ":", ":80", ":443", ":1", ":8443", ":0443", ":080", ":65535", ":65536", ":+80", ":8o", ".:80", ":80.",
    "::80", "%2e", ",", " ", "\t",
];
const USERS: [&str; 5] = ["user@", "@", "api.example.com@", "public.example.com@", "."];
const TENANTS: [&[&str]; 14] = [
    &["acme"],
    &["acme"],
    &["other"],
    &["acme", ""],
    &["", "acme"],
    &["acme", "other"],
    &["other", "acme"],
    &["ACME"],
    &["Acme"],
    &["acme,"],
    &[",acme"],
    &["acme "],
    &["acme,other"],
    &["acmes"],
];
const OVERRIDES: [(&str, &str); 16] = [
    ("X-HTTP-Method-Override", "DELETE"),
    ("x-http-method-override", "delete"),
    ("X_HTTP_Method_Override", "DELETE"),
    ("X-HTTP-Method", "DELETE"),
    ("X-Method-Override", "DELETE"),
    ("X-Original-URL", "/admin/x"),
    ("x_original_url", "/admin/x"),
    ("X-Rewrite-URL", "/static/secret.json"),
    ("X-Forwarded-Host", "api.example.com"),
    ("X-Forwarded-Host", "public.example.com"),
    ("X_Forwarded_Host", "api.example.com"),
    ("X-Forwarded-Prefix", "/admin"),
    ("Forwarded", "host=api.example.com"),
    ("x_tenant", "acme"),
    ("PATH_INFO", "/admin/x"),
    ("SCRIPT_NAME", "/admin"),
];
const PATHS: [&str; 18] = [
    "/items/1",
    "/items/1",
    "/tenant/x",
    "/tenant/x",
    "/jobs/1%3Adelete",
    "/jobs/1:delete",
    "/jobs/1",
    "/static/a.css",
    "/static/secret.json",
    "/x/%7Badmin%7D/y",
    "/x/y",
    "/p%7Cq",
    "/public/x",
    "/admin/x",
    "/admin",
    "/site",
    "/site",
    "/",
];
/// What is put between, in front of, behind and into them.
const PIECES: [&str; 90] = [
    "/",
    "//",
    "/./",
    "/../",
    "/..;/",
    "..",
    ".",
    "%2e",
    "%2E%2e",
    "%2F",
    "%2f",
    "\\",
    "%5C",
    "%00",
    "%0a",
    "%0d",
    "%09",
    "%7f",
    "%20",
    "+",
    " ",
    "\t",
    ";",
    ";x=1",
    "%3B",
    "%3b",
    "?",
    "?x=/../",
    "%3F",
    "%3f",
    "#",
    "%23",
    "%",
    "%4",
    "%zz",
    "%25",
    "%2541",
    "%252e",
    "%25u0041",
    "%u0041",
    "%25%32%65",
    "%c3%a9",
    "%C3%A9",
    "%c3",
    "%ff",
    "%c0%ae",
    "%e0%80%af",
    "%ed%a0%80",
    "%E2%80%AE",
    "%E2%80%A8",
    "%EF%BC%8F",
    "%EF%BC%8E",
    "%C2%A0",
    "%C4%B0",
    "%E2%84%AA",
    "%F0%9F%98%80",
    "{",
    "}",
    "%7B",
    "%7D",
    "|",
    "%7C",
    "^",
    "%5E",
    "`",
    "%60",
    "\"",
    "%22",
    "<",
    ">",
    "%3C",
    "%3E",
    ":",
    "%3A",
    "@",
    "%40",
    "&",
    "%26",
    "=",
    "%3D",
    ",",
    "%2C",
    "'",
    "%27",
    "*",
    "%2A",
    "$",
    "!",
    "(",
    "~",
];

impl Case {
    pub(crate) fn generate(random: &mut Random) -> Self {
        let method = if random.once_in(10) { random.pick(&ODD_METHODS) } else { random.pick(&METHODS) };
        let target = target(random);
        let host = if random.once_in(3) || target.contains("site") { host(random) } else { "localhost".into() };
        let mut headers = Vec::new();
        if random.once_in(3) || target.contains("tenant") {
            headers.extend(random.pick(&TENANTS).iter().map(|value| ("x-tenant", *value)));
        }
        if random.once_in(6) {
            headers.push(random.pick(&OVERRIDES));
        }
        let version = random.pick(&Version::BOTH);
        Self { version, method: method.into(), target, host, headers }
    }

    pub(crate) fn request(&self) -> Request {
        let request = Request::new(&self.method, &self.target).header("host", &self.host);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

fn host(random: &mut Random) -> String {
    let mut host = random.pick(&NAMES).to_string();
    if random.once_in(4) {
        host = mixed_case(random, &host, 3);
    }
    if random.once_in(3) {
        host.push_str(random.pick(&SUFFIXES));
    }
    if random.once_in(16) {
        host.insert_str(0, random.pick(&USERS));
    }
    host
}

fn target(random: &mut Random) -> String {
    let mut target = random.pick(&PATHS).to_string();
    if random.once_in(6) {
        // From one to another.
        target = format!("{target}{}{}", random.pick(&PIECES), random.pick(&PATHS).trim_start_matches('/'));
    }
    for _ in 0..random.below(3) {
        let at = 1 + random.below(target.len());
        let at = target.floor_char_boundary(at);
        // Not inside an escape, most of the time.
        if !random.once_in(8) && target.as_bytes()[..at].iter().rev().take(2).any(|byte| *byte == b'%') {
            continue;
        }
        target.insert_str(at, random.pick(&PIECES));
    }
    if random.once_in(3) {
        target = escaped(random, &target);
    }
    if random.once_in(12) {
        target = mixed_case(random, &target, 4);
    }
    if random.once_in(12) {
        target.push('/');
    }
    if random.once_in(8) {
        target.push_str(random.pick(&["?", "?x=1", "?_method=DELETE", "?/admin/x", "?x=%2e%2F;"]));
    }
    target
}

/// Some characters as escapes, with digits in any case.
fn escaped(random: &mut Random, target: &str) -> String {
    let mut written = String::new();
    for (index, character) in target.char_indices() {
        let is_in_escape = target.as_bytes()[..index].iter().rev().take(2).any(|byte| *byte == b'%');
        if index == 0 || is_in_escape || !character.is_ascii() || character == '%' || !random.once_in(6) {
            written.push(character);
        } else if random.once_in(2) {
            written.extend(["%".to_string(), format!("{:02x}", u32::from(character))]);
        } else {
            written.extend(["%".to_string(), format!("{:02X}", u32::from(character))]);
        }
    }
    written
}

fn mixed_case(random: &mut Random, text: &str, times: usize) -> String {
    text.chars().map(|letter| if random.once_in(times) { letter.to_ascii_uppercase() } else { letter }).collect()
}
