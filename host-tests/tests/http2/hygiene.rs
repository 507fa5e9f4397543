//! Whatever names a client makes up, on every kind of route: the upstream sees the identity that the gate decided on,
//! and routes are chosen by nothing else.

use real_envoy::http::{Request, Response};
use real_envoy::http2::Connection;
use serde_json::{Value, json};
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

use crate::client::Version;
use crate::seeded;
use crate::world::{World, config, refused, verdict};
use test_support::random::Random;

const REQUESTS: usize = 1500;

/// Some are the gate's, some only look like it.
const NAMES: [&str; 16] = [
    "x-auth-request-user",
    "x-auth-request-groups",
    "x-auth-request-token-scopes",
    "x-auth-request-email",
    "x-auth-request-issuer",
    "x-auth-request-",
    "x-auth-request-client-ip",
    "x-tenant-id",
    "x-tenant-ids",
    "x-tenant",
    "x-auth-requests-user",
    "x-auth-request",
    "xx-auth-request-user",
    "x-api-token",
    "remote-user",
    "x-forwarded-user",
];
/// Bytes, and how the upstream's echo writes them.
const VALUES: [(&[u8], &str); 9] = [
    (b"admin", "admin"),
    (b"alice", "alice"),
    (b"", ""),
    (b"a,admin", "a,admin"),
    (b"\xff\xfe", "\\xFF\\xFE"),
    (b"admin\tadmin", "admin\tadmin"),
    (b"\"admin\"; q=1", "\"admin\"; q=1"),
    ("Jos\u{e9}".as_bytes(), "Jos\u{e9}"),
    (b"Bearer a.b.c", "Bearer a.b.c"),
];

/// The lines that the upstream sees, sorted.
type Lines = Vec<(String, String)>;

struct Gate {
    world: World,
    admins: Upstream,
}

impl Gate {
    /// Whoever is `admin` is routed to an upstream of their own. All upstreams hear HTTP/2, for the trailers.
    fn start() -> Self {
        let admins = Upstream::start(0).unwrap();
        let issuer = Issuer::start(Options { algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap();
        let changes = json!({
            "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-token"}],
            "rules": [
                {"match": {"paths": ["/public/**"]}, "access": "public"},
                {"match": {"paths": ["/optional/**"]}, "access": "optional"},
                {"match": {"paths": ["/private/**"]}, "access": "authenticated"},
                {"match": {"paths": ["/audited/**"]}, "access": "deny", "mode": "audit"},
            ],
            "default": "optional",
            "corsPreflight": "pass",
            "identityHeaders": {"X-Auth-Request-User": "sub", "X-Tenant-Id": "tenant"},
        });
        let config = config(&issuer, &changes);
        let admin = json!({"name": "x-auth-request-user", "string_match": {"contains": "admin"}});
        let present = |name: &str| json!({"name": name, "present_match": true});
        let route = |headers: Vec<Value>, cluster: &str| json!({"match": {"prefix": "/", "headers": headers}, "route": {"cluster": cluster}});
        let routes = json!([
            route(vec![admin], "admins"),
            route(vec![present("x_auth_request_user")], "admins"),
            route(vec![present("x-auth-request-groups")], "admins"),
            route(vec![], "upstream"),
        ]);
        let world = World::add(issuer, |bootstrap| {
            bootstrap
                .cluster("admins", admins.address())
                .http2("admins")
                .http2("upstream")
                .routes(&routes)
                .connection_manager("http_protocol_options/enable_trailers", &json!(true))
                .plugin(&config.to_string())
        });
        Self { world, admins }
    }

    fn token(&self, subject: &str) -> String {
        let Value::Object(claims) = json!({"tenant": format!("tenant of {subject}")}) else { panic!("not an object") };
        self.world.token(&TokenRequest { claims, ..TokenRequest::subject(subject) })
    }
}

#[test]
fn no_spelling_is_taken_for_the_gates_word_and_all_else_passes() {
    let random = &mut seeded();
    let gate = Gate::start();
    let users = ["alice", "admin"].map(|subject| (subject, gate.token(subject)));
    let address = gate.world.envoy.address("gateway");
    let connection = Connection::open(address).unwrap();
    for number in 0..REQUESTS {
        let (request, subject) = decided(random, &users);
        let most = if random.once_in(4) { 6 } else { 1 };
        // What trailers follow is no preflight.
        let most = if request.method() == "OPTIONS" { 1 } else { most };
        let (headers, trailers) = (forged(random, 12), forged(random, most));
        let request = headers.iter().fold(request, |request, (name, (bytes, _))| request.header(name, bytes));
        let request = trailers.iter().fold(request, |request, (name, (bytes, _))| request.trailer(name, bytes));
        let is_http1 = number % 5 == 0;
        let response = match is_http1 {
            true => Version::Http1.send(&request, address),
            false => connection.send(&request).unwrap(),
        };
        assert_eq!(verdict(&response), refused(200, ""), "{request:?}");
        let mut expected = harmless(&headers);
        if let Some(subject) = subject {
            expected.push(("x-auth-request-user".into(), subject.into()));
            expected.push(("x-tenant-id".into(), format!("tenant of {subject}")));
        }
        expected.sort();
        assert_eq!(seen(&response, "headers"), expected, "{request:?}");
        assert_eq!(seen(&response, "trailers"), harmless(&trailers), "{request:?}");
        let is_admin = subject == Some("admin");
        assert_eq!((gate.admins.count(), gate.world.upstream.count()), (u64::from(is_admin), u64::from(!is_admin)));
        gate.admins.forget();
        gate.world.upstream.forget();
    }
}

/// A request of some kind that passes, and as whom.
fn decided<'u>(random: &mut Random, users: &'u [(&'u str, String)]) -> (Request, Option<&'u str>) {
    let (subject, token) = &users[random.below(users.len())];
    let get = |path: &str| Request::get(path);
    match random.below(10) {
        0 => (get("/public/a"), None),
        1 => (get("/public/a").bearer(token), None),
        2 => (get("/optional/a"), None),
        3 => (get("/optional/a").bearer(token), Some(subject)),
        4 => (get("/elsewhere"), None),
        5 => (get("/elsewhere").bearer(token), Some(subject)),
        6 => (
            Request::new("OPTIONS", "/private/a")
                .header("origin", "https://app.example.com")
                .header("access-control-request-method", "PUT"),
            None,
        ),
        7 => (Request::new("POST", "/private/a").bearer(token).body("abc"), Some(subject)),
        8 => (get("/audited/a"), None),
        _ => (get("/private/a").bearer(token), Some(subject)),
    }
}

type Forged = Vec<(String, (&'static [u8], &'static str))>;

fn forged(random: &mut Random, below: usize) -> Forged {
    (0..random.below(below)).map(|_| (spelling(random), VALUES[random.below(VALUES.len())])).collect()
}

/// A name in which some dashes are something else; other characters change as well, now and then.
fn spelling(random: &mut Random) -> String {
    let name = NAMES[random.below(NAMES.len())];
    let mut spelt: String = name
        .chars()
        .map(|character| match character {
            '-' if random.once_in(3) => char::from(b"_.~!*'|^"[random.below(8)]),
            letter if random.once_in(12) => letter.to_ascii_uppercase(),
            _ if random.once_in(80) => '1',
            other => other,
        })
        .collect();
    // As it stands it would be a credential.
    if spelt.eq_ignore_ascii_case("x-api-token") {
        spelt = "x-api_token".into();
    }
    spelt
}

/// Whether the gate keeps a name for itself: the rule of the contract, said once more.
fn is_kept(name: &str) -> bool {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let folded: String = name.chars().map(letter).collect();
    let is_identity = folded.starts_with("x-auth-request-") || folded == "x-tenant-id";
    is_identity || ["x-api-token", "authorization"].contains(&folded.as_str())
}

fn harmless(forged: &Forged) -> Lines {
    let harmless = forged.iter().filter(|(name, _)| !is_kept(name));
    let mut lines: Lines = harmless.map(|(name, (_, text))| (name.to_ascii_lowercase(), (*text).into())).collect();
    lines.sort();
    lines
}

/// What the upstream saw, without what the proxy and the client's library send by themselves.
fn seen(response: &Response, part: &str) -> Lines {
    let echo = response.json();
    let lines = echo[part].as_array().cloned().unwrap_or_default();
    let mut lines: Lines =
        lines.iter().map(|line| (line[0].as_str().unwrap().into(), line[1].as_str().unwrap().into())).collect();
    let by_itself = [
        "accept",
        "access-control-request-method",
        "content-length",
        "host",
        "origin",
        "te",
        "trailer",
        "transfer-encoding",
        "user-agent",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-external-address",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
    ];
    lines.retain(|(name, _)| !by_itself.contains(&name.as_str()));
    lines.sort();
    lines
}
