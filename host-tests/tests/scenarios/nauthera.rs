//! Nauthera: sessions in cookies, from several issuers, at several replicas.

use std::sync::OnceLock;

use browsers::user_agent::UserAgent;
use real_envoy::Envoy;
use real_envoy::http::{Request, Response};
use serde_json::{Value, json};
use testbed::issuer::{Behaviour, Fault, Issuer, Mode, Options, Rotation, TokenRequest};
use testbed::mint::object;
use testbed::upstream::Upstream;

use crate::world::{refused, verdict, with_secrets};

const PRODUCTION: &str = "https://auth.prod.example.com";
const PARTNERS: &str = "https://auth.partners.example.com";

/// Two issuers, and replicas of the proxy.
struct Cluster {
    production: Issuer,
    partners: Issuer,
    upstream: Upstream,
    replicas: Vec<Envoy>,
}

impl Cluster {
    /// One replica for all tests that change nothing and count nothing.
    fn shared() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(|| Self::new(1))
    }

    fn new(replicas: usize) -> Self {
        let issuer = |name: &str| {
            Issuer::start(Options { issuer: Some(name.into()), audience: "web-apps".into(), ..Options::default() })
        };
        let (production, partners) = (issuer(PRODUCTION).unwrap(), issuer(PARTNERS).unwrap());
        let upstream = Upstream::start(0).unwrap();
        let start = |_| {
            let builder = Envoy::runnable("envoy-config/nauthera.yaml").unwrap();
            let builder = builder.port("issuer", production.address()).port("second-issuer", partners.address());
            with_secrets(builder.port("upstream", upstream.address())).start().unwrap()
        };
        let replicas = (0..replicas).map(start).collect();
        Self { production, partners, upstream, replicas }
    }

    /// What the first replica says.
    fn send(&self, request: &Request) -> Response {
        request.send(self.replicas[0].address("gateway")).unwrap()
    }

    fn verdict(&self, target: &str, session: &str) -> (u16, String) {
        verdict(&self.send(&visit(target, session)))
    }
}

const APP: &str = "https://app.example.com";

impl Cluster {
    /// Somebody's browser, whose requests that replica gets.
    fn browser(&self, replica: usize) -> UserAgent {
        self.at(UserAgent::new(), replica)
    }

    fn at(&self, browser: UserAgent, replica: usize) -> UserAgent {
        let browser = browser.at(APP, self.replicas[replica].address("gateway"));
        browser.at(PRODUCTION, self.production.address()).at(PARTNERS, self.partners.address())
    }
}

/// A login may begin at one replica and end at another, and its session is good at both.
#[test]
fn sessions_are_good_at_replicas_that_share_nothing() {
    let cluster = Cluster::new(2);
    cluster.production.set_behaviour(Behaviour { page: true, ..Behaviour::default() });
    let mut browser = cluster.browser(0);
    let orders = format!("{APP}/orders?a=b");
    let form = browser.open(&orders);
    let mut browser = cluster.at(browser, 1);
    let page = browser.submit(&form, &[("login_hint", "carol")]);
    assert_eq!((page.status(), page.url.as_str()), (200, orders.as_str()), "{}", page.response.text());
    assert_eq!(page.response.seen("x-auth-request-issuer"), [PRODUCTION]);
    assert!(browser.jar.get("__Host-jotgate").is_some_and(|cookie| cookie.is_secure && cookie.is_http_only));
    for replica in [0, 1, 0] {
        browser = cluster.at(browser, replica);
        let response = browser.fetch(&format!("{APP}/"), &Request::get(&orders));
        assert_eq!((response.status, response.seen("x-auth-request-user")), (200, vec!["carol".to_owned()]));
    }
    assert_eq!(cluster.production.granted("authorization_code"), 1);
}

#[test]
fn people_choose_their_auth_server() {
    let cluster = Cluster::shared();
    let mut browser = cluster.browser(0);
    let choice = browser.open(&format!("{APP}/.jotgate/login?returnTo=/orders"));
    let links = choice.links();
    assert_eq!((choice.status(), links.len()), (200, 2), "{}", choice.response.text());
    let partners = links.iter().find(|link| link.contains("partners")).unwrap();
    let page = browser.follow(&format!("{APP}/"), partners);
    assert_eq!((page.status(), page.url.path().as_str()), (200, "/orders"), "{}", page.response.text());
    assert_eq!(page.response.seen("x-auth-request-issuer"), [PARTNERS]);
    // Users of partners are nobody's administrators, and are not sent elsewhere either.
    let admin = browser.open(&format!("{APP}/admin/users"));
    assert_eq!((admin.status(), admin.passed.len()), (403, 0));
}

fn visit(target: &str, session: &str) -> Request {
    Request::get(target).header("cookie", format!("a=1; session={session}"))
}

/// A session of five minutes, with more claims.
fn session(server: &Issuer, claims: Value) -> String {
    let request = TokenRequest { lifetime: Some(300), claims: object(claims), ..TokenRequest::default() };
    server.token(&request).unwrap()
}

#[test]
fn every_replica_serves_a_session_and_fetches_keys_for_itself() {
    let cluster = Cluster::new(2);
    for (server, issuer) in [(&cluster.production, PRODUCTION), (&cluster.partners, PARTNERS)] {
        let session = session(server, json!({"sub": "bob", "scope": "api:read"}));
        for replica in &cluster.replicas {
            for _ in 0..3 {
                let response = visit("/api/orders", &session).send(replica.address("gateway")).unwrap();
                assert_eq!(response.seen("x-auth-request-user"), ["bob"]);
                assert_eq!(response.seen("x-auth-request-issuer"), [issuer]);
                assert_eq!(response.seen("cookie"), ["a=1"]);
            }
        }
        assert_eq!(server.count("/jwks"), 2, "one fetch for each replica");
    }
}

#[test]
fn a_session_is_good_under_its_own_issuer_alone() {
    let cluster = Cluster::new(1);
    let stolen = session(&cluster.partners, json!({"iss": PRODUCTION, "scope": "api:read"}));
    assert_eq!(cluster.verdict("/api/orders", &stolen), refused(401, "unknown_key"));
    let kid = cluster.production.signing_keys()[0].kid().to_string();
    let disguised = TokenRequest { lifetime: Some(300), kid: Some(kid), ..TokenRequest::default() };
    let disguised = TokenRequest { claims: object(json!({"iss": PRODUCTION})), ..disguised };
    let disguised = cluster.partners.token(&disguised).unwrap();
    assert_eq!(cluster.verdict("/api/orders", &disguised), refused(401, "bad_signature"));
    let nobody = session(&cluster.partners, json!({"iss": "https://auth.dev.example.com"}));
    assert_eq!(cluster.verdict("/api/orders", &nobody), refused(401, "unknown_issuer"));
    assert_eq!(cluster.upstream.count(), 0);
}

#[test]
fn a_rule_may_be_for_one_auth_server() {
    let cluster = Cluster::shared();
    let admin = json!({"groups": ["admins"]});
    let own = session(&cluster.production, admin.clone());
    assert_eq!(cluster.verdict("/admin/users", &own), (200, String::new()));
    assert_eq!(cluster.verdict("/admin/users", &session(&cluster.partners, admin)), refused(403, "access_denied"));
    let member = session(&cluster.production, json!({"groups": ["people"]}));
    assert_eq!(cluster.verdict("/admin/users", &member), refused(403, "access_denied"));
}

#[test]
fn scopes_are_those_of_the_auth_policy() {
    let cluster = Cluster::shared();
    let reader = session(&cluster.partners, json!({"scope": "openid api:read"}));
    let writer = session(&cluster.partners, json!({"scope": "openid api:write"}));
    let write = |session: &str| {
        let request = Request::new("POST", "/api/orders").header("cookie", format!("session={session}"));
        verdict(&cluster.send(&request))
    };
    assert_eq!(cluster.verdict("/api/orders", &reader), (200, String::new()));
    assert_eq!(cluster.verdict("/api/orders", &writer), (200, String::new()));
    assert_eq!(write(&writer), (200, String::new()));
    assert_eq!(write(&reader), refused(403, "insufficient_scope"));
    assert_eq!(cluster.send(&Request::get("/healthz")).status, 200);
}

#[test]
fn each_auth_server_has_its_longest_lifetime() {
    let cluster = Cluster::shared();
    let lives = |server: &Issuer, lifetime: i64| {
        let token = server.token(&TokenRequest { lifetime: Some(lifetime), ..TokenRequest::default() }).unwrap();
        cluster.verdict("/", &token)
    };
    assert_eq!(lives(&cluster.production, 900), (200, String::new()));
    assert_eq!(lives(&cluster.production, 901), refused(401, "lifetime_too_long"));
    assert_eq!(lives(&cluster.partners, 300), (200, String::new()));
    assert_eq!(lives(&cluster.partners, 301), refused(401, "lifetime_too_long"));
    // Ten seconds are for clocks that differ, no more.
    assert_eq!(lives(&cluster.production, -30), refused(401, "expired"));
    let endless = session(&cluster.production, json!({"exp": null}));
    assert_eq!(cluster.verdict("/", &endless), refused(401, "bad_claim"));
}

#[test]
fn new_keys_are_known_at_every_replica_at_once() {
    let cluster = Cluster::new(2);
    let before = session(&cluster.production, json!({}));
    assert_eq!(cluster.verdict("/", &before), (200, String::new()));
    cluster.production.rotate(Rotation::default());
    let after = session(&cluster.production, json!({}));
    for replica in &cluster.replicas {
        assert_eq!(visit("/", &after).send(replica.address("gateway")).unwrap().status, 200);
    }
}

#[test]
fn an_auth_server_in_trouble_takes_nobody_elses_sessions_away() {
    let cluster = Cluster::new(1);
    let bob = session(&cluster.partners, json!({}));
    assert_eq!(cluster.verdict("/", &bob), (200, String::new()));
    cluster.partners.set_jwks(Fault::lasting(Mode::Stall)).unwrap();
    cluster.partners.set_discovery(Fault::lasting(Mode::Stall)).unwrap();
    assert_eq!(cluster.verdict("/", &session(&cluster.production, json!({}))), (200, String::new()));
    assert_eq!(cluster.verdict("/", &session(&cluster.partners, json!({}))), (200, String::new()), "with known keys");
}
