//! eks-auth-proxy: whom it let in, how, and with which token for the cluster.

use browsers::user_agent::UserAgent;
use real_envoy::http::{Request, Response};
use real_envoy::{Builder, Envoy};
use serde_json::{Value, json};
use test_support::eventually;
use testbed::issuer::{Behaviour, Issuer, Options, TokenRequest};
use testbed::mint::object;
use testbed::sts::{self, Sts};
use testbed::upstream::Upstream;

use crate::websocket::WebSocket;
use crate::world::{Shared, World, refused, verdict, with_secrets};

static UNCHANGED: Shared = Shared::new();

fn world() -> &'static World {
    UNCHANGED.get(|| World::with("eks-dashboard", None, "dashboard", with_tokens))
}

/// Whom the file lets in, which ID tokens show best: nobody gets a token for the cluster, which needs a session.
fn with_tokens(builder: Builder) -> Builder {
    let (session, indent) = ("- {session: true}", "\n                    ");
    let tokens = format!("{indent}- {{header: authorization, scheme: Bearer}}{indent}- {{cookie: id_token}}");
    builder.replace(session, &format!("{session}{tokens}")).replace("upstream: cluster\n", "upstream: []\n")
}

fn id_token(world: &World, claims: Value) -> String {
    world.token(&TokenRequest { claims: object(claims), ..TokenRequest::default() })
}

fn alice(world: &World) -> String {
    id_token(world, json!({"email": "alice@example.com", "email_verified": true}))
}

fn with_cookie(target: &str, token: &str) -> Request {
    Request::get(target).header("cookie", format!("theme=dark; id_token={token}; lang=en"))
}

#[test]
fn only_verified_addresses_in_the_domains_come_in() {
    let world = world();
    let enters = |claims: Value| verdict(&world.send(&with_cookie("/", &id_token(world, claims))));
    for email in ["alice@example.com", "bob@example.org", "Carol.B@EXAMPLE.com"] {
        let verified = json!({"email": email, "email_verified": true});
        assert_eq!(enters(verified), (200, String::new()), "{email}");
        for flag in [json!(false), json!(null), json!("true"), json!(1)] {
            let unverified = json!({"email": email, "email_verified": flag});
            assert_eq!(enters(unverified), refused(403, "access_denied"), "{email} {flag}");
        }
    }
    for email in [
        "mallory@example.net",
        "mallory@sub.example.com",
        "mallory@notexample.com",
        "mallory@example.com.evil.net",
        "mallory@evil.net@example.com",
        "@example.com",
        "example.com",
        "",
    ] {
        let outside = json!({"email": email, "email_verified": true});
        assert_eq!(enters(outside), refused(403, "access_denied"), "{email}");
    }
    assert_eq!(enters(json!({"email_verified": true})), refused(403, "access_denied"));
}

#[test]
fn login_check_says_whether_somebody_is_logged_in() {
    let world = world();
    let host = format!("localhost:{}", world.envoy.address("gateway").port());
    let check = |request: Request| world.send(&request.header("host", &host)).status;
    assert_eq!(check(Request::get("/login/check")), 401);
    let expired = world.token(&TokenRequest { lifetime: Some(-600), ..TokenRequest::default() });
    assert_eq!(check(with_cookie("/login/check", &expired)), 401);
    assert_eq!(check(with_cookie("/login/check", &alice(world))), 200);
    assert_eq!(check(Request::get("/login/check").bearer(&alice(world))), 200);
    // Whether they may see the dashboard is another question.
    let mallory = id_token(world, json!({"email": "mallory@example.net", "email_verified": true}));
    let statuses = ["/login/check", "/login/check?path=/"].map(|path| check(Request::get(path).bearer(&mallory)));
    assert_eq!(statuses, [200, 403]);
}

#[test]
fn people_log_in_and_out_at_the_old_paths() {
    let world = world();
    let mut browser = UserAgent::new();
    assert_eq!(browser.open(&world.url("/login/check")).status(), 401);
    let page = browser.open(&world.url("/workloads?namespace=default"));
    assert_eq!((page.status(), page.url.target().as_str()), (200, "/workloads?namespace=default"));
    assert_eq!(page.response.seen("x-auth-request-email"), ["alice@example.com"]);
    assert!(page.passed.iter().any(|url| url.path() == "/login/callback"), "{:?}", page.passed);
    assert_eq!(browser.open(&world.url("/login/check")).status(), 200);
    // While there is a session, /login leads on at once.
    let before = browser.history.len();
    assert_eq!(browser.open(&world.url("/login?returnTo=/pods")).url.path(), "/pods");
    assert_eq!(browser.history.len(), before + 2);
    let page = browser.open(&world.url("/logout"));
    assert!(page.passed.iter().any(|url| url.path() == "/logout" && url.origin() == world.issuer.url()));
    // Nobody waits for that.
    eventually("the refresh token was given back", || world.issuer.granted("revocation") == 1);
}

#[test]
fn a_login_without_access_is_no_loop() {
    let world = World::with("eks-dashboard", None, "dashboard", with_tokens);
    let user = object(json!({"sub": "mallory", "email": "mallory@example.net"}));
    world.issuer.set_behaviour(Behaviour { user, ..Behaviour::default() });
    let mut browser = UserAgent::new();
    for _ in 0..2 {
        let page = browser.open(&world.url("/"));
        assert_eq!(verdict(&page.response), refused(403, "access_denied"));
    }
    assert_eq!(world.issuer.granted("authorization_code"), 1);
    let script = browser.fetch(&world.url("/"), &Request::get(&world.url("/login/check?path=/")));
    assert_eq!(script.status, 403);
}

#[test]
fn the_dashboard_is_told_who_came_and_gets_no_token() {
    let world = world();
    let forged = with_cookie("/api/v1/pod/default", &alice(world)).header("X-Auth-Request-Email", "admin@example.com");
    let response = world.send(&forged);
    assert_eq!(response.seen("x-auth-request-user"), ["alice"]);
    assert_eq!(response.seen("x-auth-request-email"), ["alice@example.com"]);
    assert_eq!(response.seen("cookie"), ["theme=dark; lang=en"]);
    assert_eq!(response.seen("authorization"), [""; 0]);
}

#[test]
fn a_session_is_no_longer_than_an_hour_and_for_this_client_alone() {
    let world = world();
    let token = |lifetime, audience: &str| {
        let claims = object(json!({"email": "alice@example.com", "email_verified": true}));
        let aud = Some(vec![audience.to_string()]);
        world.token(&TokenRequest { lifetime: Some(lifetime), aud, claims, ..TokenRequest::default() })
    };
    let enters = |token: String| verdict(&world.send(&with_cookie("/", &token)));
    assert_eq!(enters(token(3600, "dashboard")), (200, String::new()));
    assert_eq!(enters(token(3601, "dashboard")), refused(401, "lifetime_too_long"));
    assert_eq!(enters(token(3600, "other-client")), refused(401, "wrong_audience"));
}

/// As the comment in the file has it.
#[test]
fn verification_may_be_ignored() {
    let world = World::with("eks-dashboard", None, "dashboard", |builder| {
        with_tokens(builder).replace("email_verified: true  ", "# email_verified: true  ")
    });
    let token = |verified: bool| id_token(&world, json!({"email": "alice@example.com", "email_verified": verified}));
    let response = world.send(&with_cookie("/", &token(false)));
    assert_eq!((response.status, response.seen("x-auth-request-email").len()), (200, 0));
    assert_eq!(world.send(&with_cookie("/", &token(true))).seen("x-auth-request-email"), ["alice@example.com"]);
    let outside = id_token(&world, json!({"email": "mallory@example.net"}));
    assert_eq!(verdict(&world.send(&with_cookie("/", &outside))), refused(403, "access_denied"));
}

/// Where the cluster trusts the provider itself.
#[test]
fn the_route_may_hand_the_id_token_on() {
    let world = World::with("eks-dashboard", None, "dashboard", |builder| {
        let (email, route) = ("X-Auth-Request-Email: $verifiedEmail", "route: {cluster: upstream");
        let authorization = r#"{key: Authorization, value: "Bearer %REQ(X-Auth-Request-Token)%"}"#;
        let added = format!("[{{header: {authorization}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}}]");
        with_tokens(builder)
            .replace(email, &format!("{email}\n                      X-Auth-Request-Token: $token"))
            .replace(route, &format!("request_headers_to_add: {added}\n                {route}"))
    });
    let token = alice(&world);
    let forged =
        with_cookie("/", &token).header("authorization", "Basic YTpi").header("x-auth-request-token", "forged");
    assert_eq!(world.send(&forged).seen("authorization"), [format!("Bearer {token}")]);
    assert_eq!(world.send(&Request::get("/").header("x-auth-request-token", token)).status, 401);
}

#[test]
fn a_terminal_opens_over_a_websocket() {
    let world = world();
    let address = world.envoy.address("gateway");
    let (_, refusal) = WebSocket::open(address, Request::get("/api/sockjs/ws"));
    assert_eq!(refusal.status, 401);
    let (mut socket, head) = WebSocket::open(address, with_cookie("/api/sockjs/ws", &alice(world)));
    assert_eq!(head.status, 101);
    for message in ["ls", "exit"] {
        socket.send(message);
        assert_eq!(socket.receive(), message);
    }
}

/// The file as it is, with the service that gives credentials.
fn with_cluster() -> (World, Sts) {
    let options = Options { audience: "dashboard".into(), ..Options::default() };
    let (issuer, upstream) = (Issuer::start(options).unwrap(), Upstream::start(0).unwrap());
    let roles = ["viewer", "admin"].map(|role| format!("arn:aws:iam::111122223333:role/{role}")).to_vec();
    let trusted = issuer.issuer().to_owned();
    let sts = Sts::start(sts::Options { port: 0, issuer: trusted, audience: "dashboard".into(), roles }).unwrap();
    let builder = Envoy::runnable("envoy-config/eks-dashboard.yaml").unwrap().port("sts", sts.address());
    let builder = builder.port("issuer", issuer.address()).port("upstream", upstream.address());
    let envoy = with_secrets(builder).start().unwrap();
    (World { issuer, upstream, envoy }, sts)
}

#[test]
fn the_cluster_knows_by_its_token_which_role_somebody_has() {
    let (world, sts) = with_cluster();
    let role = |response: &Response| {
        let authorization = response.seen("authorization").concat();
        let token = authorization.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{}", response.text()));
        sts.authenticate(token, "prod").unwrap().arn
    };
    let session = "arn:aws:sts::111122223333:assumed-role";
    let mut alice = UserAgent::new();
    assert_eq!(role(&alice.open(&world.url("/pods")).response), format!("{session}/viewer/alice"));
    // Who may take both is asked, and may change it.
    let user = object(json!({"sub": "bob", "email": "bob@example.org", "email_verified": true, "groups": ["ops"]}));
    world.issuer.set_behaviour(Behaviour { user, ..Behaviour::default() });
    let mut bob = UserAgent::new();
    let page = bob.open(&world.url("/pods"));
    assert!(page.response.text().contains("admin") && page.response.text().contains("viewer"), "{page:?}");
    let script = bob.fetch(&world.url("/"), &Request::get(&world.url("/api/pods")));
    assert_eq!(verdict(&script), refused(403, "upstream_credential_denied"));
    for name in ["viewer", "admin"] {
        let choice = Request::new("POST", &world.url(&format!("/login?role={name}&returnTo=/pods")));
        let page = bob.send(&world.url("/login"), choice);
        assert_eq!(role(&page.response), format!("{session}/{name}/bob"));
    }
    // A page of another site chooses none, and starts no login either.
    let foreign = Request::new("POST", &world.url("/login?role=viewer&returnTo=/pods"));
    assert_eq!(bob.send("http://evil.example.net/", foreign).status(), 403);
    assert_eq!(role(&bob.open(&world.url("/pods")).response), format!("{session}/admin/bob"));
}
