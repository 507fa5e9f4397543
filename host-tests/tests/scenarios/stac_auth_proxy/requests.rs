//! What both are asked: methods, targets and credentials, put together from a seed.

use std::collections::BTreeMap;

use real_envoy::http::Request;
use serde_json::{Value, json};
use test_support::random::Random;
use testbed::flaws::Flaw;
use testbed::issuer::{Issuer, TokenRequest};
use testbed::mint::object;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    /// The name of one of [`TOKENS`] or [`LINES`].
    pub(crate) credential: &'static str,
}

/// Methods; `preflight` is `OPTIONS` as browsers send it before a `POST`.
pub(crate) const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", PREFLIGHT];
pub(crate) const PREFLIGHT: &str = "preflight";

/// As clients write them.
pub(crate) const PLAIN: [&str; 24] = [
    "/",
    "/?f=json",
    "/_mgmt/health",
    "/_mgmt/metrics",
    "/_mgmt/ping",
    "/aggregate",
    "/api",
    "/api.html",
    "/collections",
    "/collections/a",
    "/collections/a/bulk_items",
    "/collections/a/items",
    "/collections/a/items/b",
    "/collections/a/items/b?crs=x%2Fy",
    "/collections/a/items?limit=10&bbox=1,2,3,4&token=next%3Ab",
    "/collections/a/queryables",
    "/collections?q=a+b",
    "/conformance",
    "/docs/oauth2-redirect",
    "/healthz",
    "/healthz/upstream",
    "/queryables",
    "/search",
    "/search?datetime=2026-01-01T00:00:00Z/..&ids=a,b",
];

/// As somebody writes them who looks for a way around the rules.
pub(crate) const ODD: [&str; 46] = [
    "/%61pi",
    "/%63ollections",
    "/%63onformance",
    "/API",
    "/Collections",
    "/Conformance",
    "/apiXhtml",
    "/api.html/",
    "/api/",
    "/api/x",
    "/collections%2F",
    "/collections%2Fa",
    "/collections%3Fx",
    "/collections%5Ca",
    "/collections/%20",
    "/collections/%2E%2E",
    "/collections/%2e",
    "/collections/",
    "/collections/A/Items/B",
    "/collections/a%00",
    "/collections/a%0A",
    "/collections/a%20b",
    "/collections/a%23b",
    "/collections/a%252Fb",
    "/collections/a%25b",
    "/collections/a%3Ab",
    "/collections/a%3Bb",
    "/collections/a+b",
    "/collections/a/bulk_items/",
    "/collections/a/items/",
    "/collections/a/items/b/",
    "/collections/a;x=1",
    "/collections/caf%C3%A9",
    "/collections/caf%c3%a9",
    "/collections/%EF%BC%A1",
    "/collections/a:b,c=d@e!f",
    "/collections//a",
    "/collections/../conformance",
    "/collections/a|b",
    "/conformance/",
    "/conformance%0A",
    "/conformancex",
    "/docs/oauth2-redirect.html",
    "/healthzx",
    "/healthz/other",
    "//conformance",
];

type Ask = fn() -> TokenRequest;

/// The claims, header and flaws of tokens. `good` is what the others differ from in one thing.
const TOKENS: [(&str, Ask); 32] = [
    ("good", || TokenRequest::subject("alice")),
    ("all scopes", || scope(ALL_SCOPES)),
    ("one scope", || scope("item:create")),
    ("scopes in `scp`", || claims(json!({"scp": ALL_SCOPES}))),
    ("scopes in a list", || claims(json!({"scope": ALL_SCOPES.split(' ').collect::<Vec<_>>()}))),
    ("expired", || TokenRequest { lifetime: Some(-3600), ..TokenRequest::default() }),
    ("just expired", || TokenRequest { lifetime: Some(-30), ..TokenRequest::default() }),
    ("not yet valid", || claims(json!({"nbf": now() + 3600}))),
    ("almost valid", || claims(json!({"nbf": now() + 30}))),
    ("from the future", || claims(json!({"iat": now() + 3600}))),
    ("no expiry", || claims(json!({"exp": null}))),
    ("expiry as text", || claims(json!({"exp": (now() + 600).to_string()}))),
    ("expiry with a fraction", || claims(json!({"exp": f64::from(i32::try_from(now() + 600).unwrap()) + 0.5}))),
    ("another audience", || TokenRequest { aud: Some(vec!["other".into()]), ..TokenRequest::default() }),
    ("two audiences", || TokenRequest { aud: Some(vec!["other".into(), "stac".into()]), ..TokenRequest::default() }),
    ("no audience", || claims(json!({"aud": null}))),
    ("another issuer", || claims(json!({"iss": "https://other.example.com"}))),
    ("no issuer", || claims(json!({"iss": null}))),
    ("no subject", || claims(json!({"sub": null}))),
    ("a number as subject", || claims(json!({"sub": 7}))),
    ("another algorithm", || TokenRequest { alg: Some("ES256".into()), ..TokenRequest::default() }),
    ("another type", || TokenRequest { typ: Some("at+jwt".into()), ..TokenRequest::default() }),
    ("an unknown extension", || header(json!({"crit": ["x"], "x": 1}))),
    ("no `kid`", || header(json!({"kid": null}))),
    ("alg none", || flaw(Flaw::AlgNone)),
    ("a bad signature", || flaw(Flaw::BadSignature)),
    ("a changed payload", || flaw(Flaw::Tampered)),
    ("a stranger's key", || flaw(Flaw::ForeignKey)),
    ("a key of its own", || flaw(Flaw::EmbeddedJwk)),
    ("a public key as secret", || flaw(Flaw::Hs256PublicKey)),
    ("a member twice", || flaw(Flaw::DuplicateMember)),
    ("padding", || flaw(Flaw::Padded)),
];

const ALL_SCOPES: &str = "collection:create collection:change item:create item:change item:read item:bulk";

/// `Authorization`, written in other ways than `Bearer` and a token; `TOKEN` stands for a good one.
const LINES: [(&str, &[&str]); 17] = [
    ("none", &[]),
    ("empty", &[""]),
    ("lower case", &["bearer TOKEN"]),
    ("upper case", &["BEARER TOKEN"]),
    ("no token", &["Bearer"]),
    ("no scheme", &["TOKEN"]),
    ("no JWT", &["Bearer nonsense"]),
    ("almost a JWT", &["Bearer e30.e30.AAAA"]),
    ("two blanks", &["Bearer  TOKEN"]),
    ("a tab", &["Bearer\tTOKEN"]),
    ("a word more", &["Bearer TOKEN x"]),
    ("Basic", &["Basic YWxpY2U6c2VjcmV0"]),
    ("another scheme", &["Token TOKEN"]),
    ("DPoP", &["DPoP TOKEN"]),
    ("twice", &["Bearer TOKEN", "Bearer TOKEN"]),
    ("twice, joined", &["Bearer TOKEN, Bearer TOKEN"]),
    ("after another scheme", &["Basic YWxpY2U6c2VjcmV0", "Bearer TOKEN"]),
];

/// The tokens of a run.
pub(crate) struct Tokens(BTreeMap<&'static str, String>);

impl Tokens {
    pub(crate) fn mint(issuer: &Issuer) -> Self {
        Self(TOKENS.iter().map(|(name, request)| (*name, issuer.token(&request()).unwrap())).collect())
    }

    /// The lines of `Authorization`.
    fn lines(&self, credential: &str) -> Vec<String> {
        let lines =
            LINES.iter().find(|(name, _)| *name == credential).map_or(&["Bearer TOKEN"][..], |(_, lines)| lines);
        lines.iter().map(|line| line.replace("TOKEN", self.token(credential))).collect()
    }

    /// The line, as it is written here.
    pub(crate) fn hide(&self, line: &str, credential: &str) -> String {
        line.replace(self.token(credential), "TOKEN")
    }

    fn token(&self, credential: &str) -> &str {
        self.0.get(credential).unwrap_or_else(|| &self.0["good"])
    }
}

impl Case {
    pub(crate) const fn new(method: &'static str, target: &'static str, credential: &'static str) -> Self {
        Self { method, target, credential }
    }

    pub(crate) fn request(&self, tokens: &Tokens) -> Request {
        let request = if self.method == PREFLIGHT {
            Request::new("OPTIONS", self.target)
                .header("Origin", "https://browser.example")
                .header("Access-Control-Request-Method", "POST")
        } else {
            Request::new(self.method, self.target)
        };
        tokens.lines(self.credential).iter().fold(request, |request, line| request.header("Authorization", line))
    }

    /// Without the query.
    pub(crate) fn path(&self) -> &'static str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// One thing is odd at a time, so that a difference has one reason: each method with each plain target, each odd
/// target, and each credential.
pub(crate) fn generate(random: &mut Random) -> Vec<Case> {
    const USUAL: [&str; 5] = ["none", "good", "all scopes", "one scope", "expired"];
    let mut cases = Vec::new();
    for method in METHODS {
        for target in PLAIN {
            cases.push(Case::new(method, target, random.pick(&USUAL)));
        }
    }
    for target in ODD {
        for credential in ["none", "good", random.pick(&USUAL)] {
            cases.push(Case::new(random.pick(&METHODS[..5]), target, credential));
        }
    }
    let credentials = LINES.iter().map(|(name, _)| *name).chain(TOKENS.iter().map(|(name, _)| *name));
    for credential in credentials {
        for method in ["GET", "POST", random.pick(&METHODS[..5])] {
            cases.push(Case::new(method, random.pick(&PLAIN), credential));
        }
    }
    cases
}

fn scope(scopes: &str) -> TokenRequest {
    TokenRequest { scope: Some(scopes.into()), ..TokenRequest::default() }
}

fn claims(claims: Value) -> TokenRequest {
    TokenRequest { claims: object(claims), ..TokenRequest::default() }
}

fn header(header: Value) -> TokenRequest {
    TokenRequest { header: object(header), ..TokenRequest::default() }
}

fn flaw(flaw: Flaw) -> TokenRequest {
    TokenRequest { flaw, ..TokenRequest::default() }
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}
