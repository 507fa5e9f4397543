//! The harness around a real Envoy works: ports, client, logs, statistics and the end of the process. And the testbed's
//! tokens are what Envoy's own verifier takes for good or bad.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::time::Duration;

use real_envoy::http::{Connection, Request, burst};
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use test_support::eventually;
use testbed::flaws::Flaw;
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

#[test]
fn a_configuration_with_placeholders_serves() {
    let envoy = Envoy::start(DIRECT).unwrap();
    let response = Request::get("/").send(envoy.address("gateway")).unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, "hello"));
    assert_eq!(envoy.admin_get("/ready").unwrap().text(), "LIVE\n");
    assert_eq!(envoy.stat("http.direct.downstream_rq_2xx").unwrap(), 1);
}

#[test]
fn a_broken_configuration_shows_what_envoy_says() {
    let error = Envoy::start(&DIRECT.replace("stat_prefix", "stat_perfix")).unwrap_err();
    assert!(error.to_string().contains("stat_perfix"), "{error}");
}

#[test]
fn the_process_ends_with_its_handle() {
    let mut envoy = Envoy::start(DIRECT).unwrap();
    assert!(envoy.is_running());
    let (pid, address) = (envoy.pid(), envoy.address("gateway"));
    drop(envoy);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert!(Request::get("/").send(address).is_err());
}

#[test]
fn any_bytes_reach_the_upstream() {
    let (upstream, envoy) = routed();
    let request = Request::new("PUT", "/a//%2Fb;c?d=%zz")
        .header("Host", "api.example.com")
        .header("x-two", "1")
        .header("x-two", "2")
        .header("x-empty", "")
        .header("x-odd", b"a\xFFb")
        .body("abc");
    let response = request.send(envoy.address("gateway")).unwrap();
    let echo = response.json();
    assert_eq!((&echo["method"], &echo["path"]), (&json!("PUT"), &json!("/a//%2Fb;c?d=%zz")));
    assert_eq!(response.seen("host"), ["api.example.com"]);
    assert_eq!(response.seen("x-two"), ["1", "2"]);
    assert_eq!(response.seen("x-empty"), [""]);
    assert_eq!(response.seen("x-odd"), ["a\\xFFb"]);
    assert_eq!(echo["body"], "abc");
    assert_eq!(upstream.count(), 1);
}

#[test]
fn head_requests_and_partial_bodies_work() {
    let (upstream, envoy) = routed();
    let mut connection = Connection::open(envoy.address("gateway")).unwrap();
    let head = connection.send(&Request::new("HEAD", "/status/204")).unwrap();
    assert_eq!((head.status, head.body.len()), (204, 0));
    connection.write(b"POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab").unwrap();
    eventually("the upstream has the head", || upstream.count() == 2);
    connection.write(b"cd").unwrap();
    assert_eq!(connection.response(false).unwrap().json()["body"], "abcd");
}

#[test]
fn streams_arrive_piece_by_piece() {
    let (_upstream, envoy) = routed();
    let mut connection = Connection::open(envoy.address("gateway")).unwrap();
    connection.write(&Request::get("/sse?events=2&interval_ms=60000").bytes()).unwrap();
    assert_eq!(connection.head(false).unwrap().header("content-type").unwrap(), "text/event-stream");
    assert!(connection.piece().unwrap().unwrap().starts_with(b"id: 1\n"));
    let whole = Request::get("/sse?events=2&interval_ms=100").send(envoy.address("gateway")).unwrap();
    assert!(whole.text().starts_with("id: 1\n") && whole.text().contains("\nid: 2\n"), "{}", whole.text());
}

#[test]
fn a_websocket_is_upgraded() {
    let (_upstream, envoy) = routed();
    let mut connection = Connection::open(envoy.address("gateway")).unwrap();
    let request = Request::get("/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(connection.send(&request).unwrap().status, 101);
    // A masked text frame (RFC 6455 §5.7), the mask being zero.
    connection.write(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).unwrap();
    assert_eq!(connection.read_raw().unwrap(), [0x81, 0x02, b'h', b'i']);
}

#[test]
fn two_thousand_requests_at_once_are_answered() {
    let (upstream, envoy) = routed();
    let requests: Vec<Request> = (0..2000).map(|number| Request::get(&format!("/{number}"))).collect();
    let responses = burst(envoy.address("gateway"), &requests, Duration::from_mins(1));
    for (number, response) in responses.into_iter().enumerate() {
        assert_eq!(response.unwrap().json()["path"], format!("/{number}"));
    }
    assert_eq!(upstream.count(), 2000);
}

#[test]
fn the_access_log_is_there_at_once() {
    let (_upstream, envoy) = routed();
    Request::get("/status/404").send(envoy.address("gateway")).unwrap();
    let entries = envoy.access_log(1);
    let expected = (&json!("/status/404"), &json!(404), &json!("via_upstream"));
    assert_eq!((&entries[0]["path"], &entries[0]["status"], &entries[0]["details"]), expected);
}

/// Envoy's verifier (`BoringSSL`) is a third implementation beside the plugin's and the testbed's.
#[test]
fn envoys_own_verifier_agrees_with_the_testbed() {
    let issuer = Issuer::start(Options { algorithms: Algorithm::ASYMMETRIC.into(), ..Options::default() }).unwrap();
    let (_upstream, envoy) = with_native_verifier(&issuer);
    let status = |request: &TokenRequest| {
        let token = issuer.token(request).unwrap();
        Request::get("/").bearer(&token).send(envoy.address("gateway")).unwrap().status
    };
    for algorithm in Algorithm::ASYMMETRIC {
        let alg = Some(algorithm.name().to_owned());
        let request = |flaw| TokenRequest { alg: alg.clone(), flaw, ..TokenRequest::default() };
        assert_eq!(status(&request(Flaw::None)), 200, "{algorithm}");
        for flaw in [
            Flaw::AlgNone,
            Flaw::BadSignature,
            Flaw::EmbeddedJwk,
            Flaw::EmptySignature,
            Flaw::ForeignKey,
            Flaw::Hs256PublicJwk,
            Flaw::Hs256PublicKey,
            Flaw::Tampered,
            Flaw::UnpublishedKey,
        ] {
            assert_eq!(status(&request(flaw)), 401, "{algorithm} {flaw:?}");
        }
    }
    assert_eq!(status(&TokenRequest { lifetime: Some(-3600), ..TokenRequest::default() }), 401);
}

const DIRECT: &str = r#"
admin: {address: {socket_address: {address: 127.0.0.1, port_value: {{port:admin}}}}}
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: {{port:gateway}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: direct
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /}
                direct_response: {status: 200, body: {inline_string: hello}}
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
"#;

fn routed() -> (Upstream, Envoy) {
    let upstream = Upstream::start(0).unwrap();
    let envoy = Envoy::start(&Bootstrap::new(upstream.address()).text()).unwrap();
    (upstream, envoy)
}

fn with_native_verifier(issuer: &Issuer) -> (Upstream, Envoy) {
    let upstream = Upstream::start(0).unwrap();
    let filter: Value = json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"main": {
                "issuer": issuer.issuer(),
                "audiences": ["demo"],
                "remote_jwks": {"http_uri": {
                    "uri": format!("{}/jwks", issuer.url()), "cluster": "issuer", "timeout": "5s",
                }},
            }},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}],
        },
    });
    let bootstrap = Bootstrap::new(upstream.address()).cluster("issuer", issuer.address()).filter(filter);
    (upstream, Envoy::start(&bootstrap.text()).unwrap())
}
