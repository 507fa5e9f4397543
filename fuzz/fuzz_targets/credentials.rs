//! Credentials: whatever header lines are sent, the upstream sees no credential that it should not, and is told of a
//! caller by the engine alone, who carried exactly one good token.
//!
//! An input is a list of header lines, each `name: value`. `$T` stands for the token that was signed, `$F` for one with
//! another payload; `$U` and `$P` for the signed one as user name and as password (RFC 7617).

#![no_main]

use std::sync::LazyLock;

use driver::Action;
use driver::memory::{Exchange, HeaderLines, Outcome, Proxy};
use fuzz::json::{self, Tree};
use fuzz::location::{Found, Location};
use fuzz::proxy::{self, folded};
use fuzz::signed;
use gate::http::CanonicalPath;
use gate::{Gate, Request, Timestamp};
use jose::Algorithm;
use jose::base64url;
use jose::jwk::KeyMaterial;
use jose::signature::SignatureVerifier;
use libfuzzer_sys::fuzz_target;

/// The locations where a token may stand. One more line here, and one more location is configured and watched.
const LOCATIONS: &[Location] = &[
    Location::Header { name: "authorization", scheme: Some("Bearer") },
    Location::Header { name: "authorization", scheme: Some("Token") },
    Location::Header { name: "x-api-token", scheme: None },
    Location::Header { name: "x-forwarded-jwt", scheme: Some("JWT") },
    Location::Basic,
    Location::Cookie { name: "session", scheme: None },
    Location::Cookie { name: "access", scheme: Some("Bearer") },
    Location::Query("access_token"),
    Location::WebSocketProtocol("jotgate.bearer."),
    Location::WebSocketPair("jwt"),
];

const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main", "issuer": "https://idp.example.com", "audiences": ["api"], "keys": {"inline": KEYS}
    }],
    "credentials": LOCATIONS,
    "rules": [
        {"match": {"paths": ["/public"]}, "access": "public"},
        {"match": {"paths": ["/optional"]}, "access": "optional"},
        {"match": {"paths": ["/kept"]}, "access": "authenticated", "forwardToken": true},
        {"match": {"paths": ["/foreign"]}, "access": "public", "foreignCredentials": "forward"},
        {"match": {"paths": ["/either"]}, "access": "optional", "foreignCredentials": "forward"}
    ],
    "default": "authenticated",
    "credentialConflict": "CONFLICT",
    "stripHeaders": ["X-Auth-Request-*", "X-Remote-User"]
}"#;

/// The identity headers that the upstream receives for the signed token.
const IDENTITY: [(&str, &str); 2] =
    [("x-auth-request-user", "alice"), ("x-auth-request-issuer", "https://idp.example.com")];

static TOKEN: LazyLock<&str> = LazyLock::new(|| signed::TOKENS[0].1);
static FORGED: LazyLock<String> = LazyLock::new(|| {
    let parts: Vec<_> = TOKEN.split('.').collect();
    let claims = r#"{"iss":"https://idp.example.com","sub":"root","aud":"api","exp":1800003600}"#;
    format!("{}.{}.{}", parts[0], base64url::encode(claims.as_bytes()), parts[2])
});
static USER: LazyLock<String> = LazyLock::new(|| basic(&format!("{}:x-oauth-basic", *TOKEN)));
static PASSWORD: LazyLock<String> = LazyLock::new(|| basic(&format!("x-oauth-basic:{}", *TOKEN)));
thread_local! {
    static REFUSING: Gate = gate("refuse");
    static SETTLING: Gate = gate("first");
}

fn gate(conflict: &str) -> Gate {
    let locations: Vec<_> = LOCATIONS.iter().map(Location::configuration).collect();
    let configuration = CONFIGURATION.replace("LOCATIONS", &format!("[{}]", locations.join(",")));
    proxy::gate(&configuration.replace("CONFLICT", conflict), NOW)
}

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fuzz_target!(|input: &[u8]| {
    run(input, &REFUSING.with(Gate::clone), false);
    run(input, &SETTLING.with(Gate::clone), true);
});

/// Sends the lines of an input to a gate, which takes the first of several credentials or refuses them.
fn run(input: &[u8], gate: &Gate, takes_first: bool) {
    let mut proxy = Proxy::new(gate.clone(), Notary, NOW);
    let sent = read(input);
    let trailers = trailers(&sent);
    let id = proxy.send(Exchange { headers: sent.clone(), trailers, ..Exchange::default() });
    assert_eq!(proxy.send_trailers(id), Action::Continue);
    let decided = proxy.take(id).expect("was sent");
    let lines = sent.lines();
    let request = Request::new(&lines);
    let path = CanonicalPath::strict(request.path());
    let path = path.as_ref().map_or("", CanonicalPath::as_str);
    let found = credentials(&sent);
    match &decided.outcome {
        Outcome::Forwarded => {
            assert_ne!(path, "");
            check_forwarded(path, &sent, &decided.headers, &found, takes_first);
        }
        Outcome::Replied { reply, .. } => {
            assert!(path.is_empty() || must_pass(path, &sent, &found).is_none(), "{reply:?}");
            assert!(!reply.body.contains("eyJ") && !reply.headers.iter().any(|(_, value)| value.contains("eyJ")));
            let shown = [request.path_without_query(), request.method()].concat();
            let log = decided.log.last().expect("refusals are logged");
            assert!(!log.contains("eyJ") || shown.windows(3).any(|part| part == b"eyJ"), "{log}");
            let body = json::read(reply.body.as_bytes()).ok();
            let reason = body.as_ref().and_then(|body| body.get("reason")).and_then(Tree::string);
            assert!(!path.is_empty() || request.is_grpc() || reason == Some("ambiguous_path"), "{reply:?}");
        }
        Outcome::Waiting => panic!("waits for keys that it has"),
    }
    let left = &decided.trailers;
    assert!(credentials(left).is_empty() && !left.0.iter().any(|(name, _)| is_identity(name)), "{left:?}");
}

/// The same lines as trailers, which have no pseudo-headers.
fn trailers(sent: &HeaderLines) -> HeaderLines {
    HeaderLines(sent.0.iter().filter(|(name, _)| !name.starts_with(b":")).cloned().collect())
}

/// The header lines of an input. A request without a path is asked for `/`.
fn read(input: &[u8]) -> HeaderLines {
    let mut headers: HeaderLines = [(":method", "GET"), (":path", "/")].into_iter().collect();
    for line in input.split(|byte| *byte == b'\n') {
        let at = line.windows(2).position(|pair| pair == b": ");
        let (name, value) = at.map_or((line, &b""[..]), |at| (&line[..at], &line[at + 2..]));
        let name = name.to_ascii_lowercase();
        // Of pseudo-headers there is one each.
        headers.0.retain(|(found, _)| !name.starts_with(b":") || *found != name);
        headers.0.push((name, fill_in(value)));
    }
    headers
}

fn fill_in(value: &[u8]) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = value;
    while let [first, others @ ..] = rest {
        let token: Option<&str> = match rest {
            [b'$', b'F', ..] => Some(&FORGED),
            [b'$', b'P', ..] => Some(&PASSWORD),
            [b'$', b'T', ..] => Some(&TOKEN),
            [b'$', b'U', ..] => Some(&USER),
            _ => None,
        };
        filled.extend_from_slice(token.map_or(&[*first], str::as_bytes));
        rest = if token.is_some() { &others[1..] } else { others };
    }
    filled
}

/// The credentials of `Basic`: the other alphabet, and padding.
fn basic(pair: &str) -> String {
    let text = base64url::encode(pair.as_bytes()).replace('-', "+").replace('_', "/");
    let padding = text.len().next_multiple_of(4) - text.len();
    format!("{text}{}", "=".repeat(padding))
}

/// Knows what was signed, at once.
struct Notary;

impl SignatureVerifier for Notary {
    fn verify(&self, _: &KeyMaterial, _: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        [message, b".", base64url::encode(signature).as_bytes()].concat() == TOKEN.as_bytes()
    }
}

/// Why a request cannot be refused, if it cannot.
fn must_pass(path: &str, sent: &HeaderLines, found: &[Credential]) -> Option<&'static str> {
    let are_bare = |but: Option<&Location>| {
        let others = LOCATIONS.iter().filter(|location| but.is_none_or(|but| !std::ptr::eq(*location, but)));
        others.into_iter().all(|location| location.is_bare(sent))
    };
    match found {
        // Some servers would read it as the path of a rule that asks for something else.
        _ if fuzz::path::decoded(path)
            .iter()
            .any(|seen| matches!(seen.as_str(), "/optional" | "/kept" | "/foreign" | "/either")) =>
        {
            None
        }
        _ if path == "/public" || path == "/foreign" => Some("anyone may ask for this"),
        [] if matches!(path, "/optional" | "/either") && are_bare(None) => Some("nobody has to say who it is"),
        [credential] if credential.is_good(sent) && are_bare(Some(credential.location)) => {
            Some("it carries one good token")
        }
        _ => None,
    }
}

fn check_forwarded(path: &str, sent: &HeaderLines, forwarded: &HeaderLines, found: &[Credential], takes_first: bool) {
    let identity: Vec<_> = forwarded.0.iter().filter(|(name, _)| is_identity(name)).cloned().collect();
    let is_known = identity == IDENTITY.into_iter().collect::<HeaderLines>().0;
    assert!(is_known || identity.is_empty(), "{identity:?}");
    match path {
        "/public" | "/foreign" => assert!(!is_known),
        "/optional" => assert_eq!(is_known, !found.is_empty()),
        "/either" => {}
        _ => assert!(is_known),
    }
    let is_alone = takes_first || found.len() == 1;
    assert!(!is_known || (is_alone && found.iter().any(Credential::holds_token)), "{found:?}");

    let left = credentials(forwarded);
    match path {
        "/foreign" => assert!(!left.iter().any(Credential::is_jwt), "{left:?}"),
        "/either" => assert!(left.len() <= usize::from(!is_known) && !left.iter().any(Credential::is_jwt), "{left:?}"),
        _ => assert_eq!(left.len(), usize::from(path == "/kept"), "{left:?}"),
    }
    for location in LOCATIONS.iter().filter(|location| location.header() != ":path") {
        let is_variant = |name: &[u8]| {
            folded(name) == folded(location.header()) && !name.eq_ignore_ascii_case(location.header().as_bytes())
        };
        assert!(!forwarded.0.iter().any(|(name, _)| is_variant(name)), "{forwarded:?}");
    }
    if sent.values("upgrade").next().is_some() {
        assert!(forwarded.values("connection").all(|value| value.eq_ignore_ascii_case(b"upgrade")), "{forwarded:?}");
    }
    let others = |headers: &HeaderLines| -> Vec<_> {
        let is_ours = |name: &[u8]| {
            is_identity(name) || LOCATIONS.iter().any(|location| folded(name) == folded(location.header()))
        };
        headers.0.iter().filter(|(name, _)| !is_ours(name) && name != b"connection").cloned().collect()
    };
    assert_eq!(others(forwarded), others(sent), "a header that is not the gate's was changed");
}

/// Whether some server takes a header for one that the engine sets, or that no client may send.
fn is_identity(name: &[u8]) -> bool {
    let name = folded(name);
    name.starts_with("x-auth-request-") || name == "x-remote-user"
}

/// Something that some server may take for a credential in a listed location.
#[derive(Debug)]
struct Credential {
    location: &'static Location,
    found: Found,
}

impl Credential {
    fn holds_token(&self) -> bool {
        self.found.token.as_deref() == Some(TOKEN.as_bytes())
    }

    /// Whether it holds something with the parts of a JWT, of which the first is an object.
    fn is_jwt(&self) -> bool {
        self.found.token.as_deref().is_some_and(|token| {
            let parts: Vec<_> = token.split(|byte| *byte == b'.').collect();
            let header = base64url::decode(parts[0]).unwrap_or_default();
            matches!(parts.len(), 3 | 5) && header.trim_ascii().starts_with(b"{\"")
        })
    }

    /// Whether it holds the token, and nothing beside it could mean anything.
    fn is_good(&self, sent: &HeaderLines) -> bool {
        let lines: Vec<_> = sent.values(self.location.header()).collect();
        // The upstream picks one of the other subprotocols.
        let is_complete = match self.location {
            Location::WebSocketProtocol(_) | Location::WebSocketPair(_) => lines[0].starts_with(b"chat,"),
            _ => true,
        };
        self.holds_token() && self.found.is_plain && lines.len() == 1 && is_complete
    }
}

fn credentials(headers: &HeaderLines) -> Vec<Credential> {
    let credential = |location: &'static Location| {
        location.find(headers).into_iter().map(move |found| Credential { location, found })
    };
    LOCATIONS.iter().flat_map(credential).collect()
}
