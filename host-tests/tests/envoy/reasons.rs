//! A gate that can refuse for every reason there is, and the requests that it refuses.

use real_envoy::http::Request;
use real_envoy::{Bootstrap, Envoy, NOWHERE};
use serde_json::{Value, json};
use testbed::flaws::Flaw;
use testbed::issuer::{Fault, Issuer, Mode, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

use crate::proof::Client;

/// The reasons of the contract, and the status of each.
pub(crate) const REASONS: [(&str, u16); 32] = [
    ("access_denied", 403),
    ("ambiguous_credentials", 400),
    ("ambiguous_path", 400),
    ("ambiguous_request", 400),
    ("bad_claim", 401),
    ("bad_proof", 401),
    ("bad_signature", 401),
    ("denied_by_rule", 403),
    ("expired", 401),
    ("inactive_token", 401),
    ("insufficient_scope", 403),
    ("introspection_unavailable", 503),
    ("keys_unavailable", 503),
    ("lifetime_too_long", 401),
    ("malformed_credentials", 400),
    ("malformed_token", 401),
    ("missing_token", 401),
    ("no_rule", 403),
    ("not_yet_valid", 401),
    ("overloaded", 503),
    ("proof_missing", 401),
    ("proof_replayed", 401),
    ("proof_unsupported", 401),
    ("token_too_large", 401),
    ("unknown_issuer", 401),
    ("unknown_key", 401),
    ("unrepresentable_claim", 401),
    ("unsupported_algorithm", 401),
    ("upstream_credential_denied", 403),
    ("upstream_credential_unavailable", 503),
    ("wrong_audience", 401),
    ("wrong_type", 401),
];

/// Listeners: `gateway` enforces; `audit` is the same in audit mode; in `narrow` and `narrow-audit` nobody may wait for
/// the keys of an issuer that does not answer; in `kept` and `kept-audit` the upstream gets what sessions
/// keep, or what nobody exchanges. At
/// `login` browsers log in.
pub(crate) struct Refusing {
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Upstream,
    pub(crate) envoy: Envoy,
    _stalling: Issuer,
}

impl Refusing {
    pub(crate) fn start() -> Self {
        let es256 = || Issuer::start(Options { algorithms: vec![Algorithm::ES256], ..Options::default() }).unwrap();
        let (issuer, stalling, upstream) = (es256(), es256(), Upstream::start(0).unwrap());
        stalling.set_jwks(Fault::lasting(Mode::Stall)).unwrap();
        let config = config(issuer.issuer());
        let narrow = json!({
            "issuers": [trusted("stalling", STALLING, "stalling")],
            "rules": [{"access": "authenticated"}],
            "limits": {"waiting": 0},
        });
        let audit = |config: &Value| {
            let mut config = config.clone();
            config["mode"] = json!("audit");
            config.to_string()
        };
        let login = json!({
            "issuers": [trusted("main", issuer.issuer(), "main")],
            "login": {
                "issuer": "main", "client": {"id": "dashboard"}, "cluster": "main",
                "endpoints": {
                    "authorization": "https://main.example.com/authorize", "token": "https://main.example.com/oauth/token",
                },
            },
            "session": {"secrets": ["a secret of tests, of 32 octets."], "publicUrl": "http://127.0.0.1:1"},
            "rules": [{"access": "authenticated"}],
        });
        let mut kept = login.clone();
        kept["session"]["keep"] = json!(["accessToken"]);
        let exchange = json!({
            "endpoint": "https://dead.example.com/token", "cluster": "dead", "audience": "orders",
            "client": {"id": "gate", "secret": "of tests"},
        });
        kept["upstreamCredentials"] =
            json!([{"name": "kept", "session": "accessToken"}, {"name": "exchanged", "exchange": exchange}]);
        kept["upstream"] = json!("kept");
        kept["rules"] = json!([
            {"name": "exchanged", "match": {"paths": ["/exchanged"]}, "access": "authenticated", "upstream": "exchanged"},
            {"name": "rest", "access": "authenticated"},
        ]);
        let bootstrap = Bootstrap::new(upstream.address())
            .cluster("main", issuer.address())
            .cluster("stalling", stalling.address())
            .cluster("dead", NOWHERE)
            .connection_manager("http2_protocol_options/allow_connect", &json!(true))
            .plugin(&config.to_string())
            .gateway("audit", &audit(&config))
            .gateway("narrow", &narrow.to_string())
            .gateway("narrow-audit", &audit(&narrow))
            .gateway("kept", &kept.to_string())
            .gateway("kept-audit", &audit(&kept))
            .gateway("login", &login.to_string());
        let envoy = Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"));
        Self { issuer, upstream, envoy, _stalling: stalling }
    }

    /// For each reason a request that is refused for it, and the listener that refuses it.
    pub(crate) fn requests(&self, method: &str) -> Vec<(&'static str, &'static str, Request)> {
        REASONS.map(|(reason, _)| (reason, listener(reason), self.request(reason, method))).into()
    }

    /// A request whose proof was used before: by one that lacked something else.
    fn used_proof(&self, method: &str) -> Request {
        let client = Client::new();
        let Value::Object(claims) = json!({"cnf": client.confirmation()}) else { panic!("is an object") };
        let token = self.issuer.token(&TokenRequest { claims, ..TokenRequest::subject("alice") }).unwrap();
        let request = client.request(method, "/grouped", &token, &json!({}));
        assert_eq!(request.send(self.envoy.address("gateway")).unwrap().status, 403);
        request
    }

    pub(crate) fn request(&self, reason: &str, method: &str) -> Request {
        let to = |path: &str| Request::new(method, path);
        let token = |request: &TokenRequest| self.issuer.token(request).unwrap();
        let alice = || token(&TokenRequest { scope: Some("read".into()), ..TokenRequest::subject("alice") });
        let with = |claims: Value| {
            let Value::Object(claims) = claims else { panic!("`{claims}` is no object") };
            to("/x").bearer(&token(&TokenRequest { claims, ..TokenRequest::subject("alice") }))
        };
        let flawed = |flaw| to("/x").bearer(&token(&TokenRequest { flaw, ..TokenRequest::subject("alice") }));
        match reason {
            "access_denied" => to("/grouped").bearer(&alice()),
            "ambiguous_credentials" => to("/x").bearer(&alice()).header("x-api-token", alice()),
            "ambiguous_path" => to("/x//y").bearer(&alice()),
            "ambiguous_request" => to("/x").bearer(&alice()).header("x-tenant", "acme").header("x-tenant", "other"),
            "bad_claim" => with(json!({"exp": "soon"})),
            "bad_proof" => to("/x").header("authorization", format!("DPoP {}", alice())).header("dpop", "a.b.c"),
            "bad_signature" => flawed(Flaw::BadSignature),
            "denied_by_rule" => to("/denied").bearer(&alice()),
            "expired" => to("/x").bearer(&token(&TokenRequest { lifetime: Some(-90), ..TokenRequest::default() })),
            "inactive_token" => to("/x").bearer("opaque-unknown"),
            "insufficient_scope" => to("/scoped").bearer(&alice()),
            "introspection_unavailable" => to("/x").bearer("lost-unknown"),
            "keys_unavailable" => with(json!({"iss": DEAD})),
            "lifetime_too_long" => {
                to("/x").bearer(&token(&TokenRequest { lifetime: Some(9000), ..TokenRequest::default() }))
            }
            "malformed_credentials" => to("/x").header("authorization", "Bearer a b"),
            "malformed_token" => to("/x").bearer("a.b"),
            "missing_token" => to("/x"),
            "no_rule" => to("/nowhere").bearer(&alice()),
            "not_yet_valid" => with(json!({"nbf": 4_102_444_800_u64})),
            "overloaded" => with(json!({"iss": STALLING})),
            "proof_missing" => with(json!({"cnf": Client::new().confirmation()})),
            "proof_replayed" => self.used_proof(method),
            "proof_unsupported" => with(json!({"cnf": {"kid": "a"}})),
            "token_too_large" => to("/x").bearer(&"x".repeat(16_385)),
            "unknown_issuer" => with(json!({"iss": "https://other.example.com"})),
            "unknown_key" => flawed(Flaw::UnknownKid),
            "unrepresentable_claim" => with(json!({"sub": "a\r\nb"})),
            "unsupported_algorithm" => flawed(Flaw::AlgNone),
            "upstream_credential_denied" => to("/x").bearer(&alice()),
            "upstream_credential_unavailable" => to("/exchanged").bearer(&alice()),
            "wrong_audience" => with(json!({"aud": "others"})),
            "wrong_type" => {
                to("/x").bearer(&token(&TokenRequest { typ: Some("logout+jwt".into()), ..TokenRequest::default() }))
            }
            _ => panic!("`{reason}` is no reason"),
        }
    }
}

const DEAD: &str = "https://dead.example.com";
const STALLING: &str = "https://stalling.example.com";

fn listener(reason: &str) -> &'static str {
    match reason {
        "overloaded" => "narrow",
        "upstream_credential_denied" | "upstream_credential_unavailable" => "kept",
        _ => "gateway",
    }
}

fn trusted(name: &str, issuer: &str, cluster: &str) -> Value {
    let uri = format!("http://{cluster}.example.com/jwks");
    json!({"name": name, "issuer": issuer, "audiences": ["demo"], "keys": {"jwksUri": uri, "cluster": cluster}})
}

/// Tokens that begin with the name of their issuer, which says who has them.
fn looked_up(name: &str, cluster: &str) -> Value {
    let host = format!("{cluster}.example.com");
    json!({
        "name": name, "issuer": format!("https://{name}.example.com"), "match": {"prefix": format!("{name}-")},
        "endpoint": format!("http://{host}/userinfo"), "cluster": cluster, "style": "self", "audiences": "any",
    })
}

fn config(issuer: &str) -> Value {
    let mut main = trusted("main", issuer, "main");
    main["tokenTypes"] = json!(["JWT"]);
    main["maxLifetime"] = json!("2h");
    json!({
        "issuers": [main, trusted("dead-end", DEAD, "dead")],
        "introspection": [looked_up("opaque", "main"), looked_up("lost", "dead")],
        "credentials": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-token"}],
        "rules": [
            {"name": "public", "match": {"paths": ["/public/**"]}, "access": "public"},
            {"name": "denied", "match": {"paths": ["/denied"]}, "access": "deny"},
            {"name": "scoped", "match": {"paths": ["/scoped"]}, "access": {"scopes": {"all": ["read", "write"]}}},
            {"name": "grouped", "match": {"paths": ["/grouped"]}, "access": {"groups": {"any": ["staff"]}}},
            {"name": "tenant", "match": {"headers": {"x-tenant": "acme"}}, "access": "authenticated"},
            {"name": "rest", "match": {"paths": ["/x"]}, "access": "authenticated"},
        ],
        "realm": "orders",
        "limits": {"waitFor": "5s"},
    })
}
