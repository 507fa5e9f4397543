//! Tokens that are bound to their sender, in all workers and over real TLS.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use real_envoy::http::{Request, burst};
use real_envoy::{Bootstrap, Envoy};
use serde_json::{Value, json};
use test_support::SOON;
use testbed::issuer::{Issuer, Options, TokenRequest};
use testbed::keys::Algorithm;
use testbed::upstream::Upstream;

use crate::proof::Client;
use crate::world::{World, config, refused, verdict};

fn bound_token(world: &World, cnf: &Value) -> String {
    let Value::Object(claims) = json!({"cnf": cnf}) else { panic!("is an object") };
    world.token(&TokenRequest { claims, ..TokenRequest::subject("alice") })
}

fn passed() -> (u16, String) {
    (200, String::new())
}

#[test]
fn a_bound_token_passes_with_a_proof_of_any_algorithm() {
    let world = World::shared(&json!({}));
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA, Algorithm::RS256, Algorithm::PS256] {
        let client = Client::of(algorithm);
        let token = bound_token(&world, &client.confirmation());
        let request = client.request("GET", "/x", &token, &json!({}));
        let response = world.send(&request);
        assert_eq!(verdict(&response), passed(), "{algorithm:?}");
        assert!(response.seen("dpop").is_empty() && response.seen("authorization").is_empty());
        assert_eq!(verdict(&world.send(&request)), refused(401, "proof_replayed"), "{algorithm:?}");
        for changes in [json!({"htm": "POST"}), json!({"htu": "http://localhost/y"}), json!({"htu": "https://other/x"})]
        {
            let request = client.request("GET", "/x", &token, &changes);
            assert_eq!(verdict(&world.send(&request)), refused(401, "bad_proof"), "{changes}");
        }
        let stolen = Client::of(algorithm).request("GET", "/x", &token, &json!({}));
        assert_eq!(verdict(&world.send(&stolen)), refused(401, "bad_proof"), "{algorithm:?}");
    }
}

#[test]
fn of_many_requests_with_one_proof_one_passes_whichever_worker_has_it() {
    let world = World::new(&json!({}));
    let client = Client::new();
    let token = bound_token(&world, &client.confirmation());
    for _ in 0..5 {
        let requests = vec![client.request("GET", "/x", &token, &json!({})); 40];
        let found: Vec<_> = burst(world.envoy.address("gateway"), &requests, SOON)
            .into_iter()
            .map(|response| verdict(&response.unwrap()))
            .collect();
        let count = |wanted: (u16, String)| found.iter().filter(|found| **found == wanted).count();
        assert_eq!([count(passed()), count(refused(401, "proof_replayed"))], [1, 39], "{found:?}");
    }
    // And of as many proofs, all pass.
    let requests: Vec<_> = (0..200).map(|_| client.request("GET", "/x", &token, &json!({}))).collect();
    for response in burst(world.envoy.address("gateway"), &requests, SOON) {
        assert_eq!(verdict(&response.unwrap()), passed());
    }
}

#[test]
fn proofs_need_the_nonce_of_a_challenge() {
    let nonce = json!({"secrets": ["a secret of tests, of 32 octets."]});
    let world = World::shared(&json!({"senderConstraint": {"dpop": {"nonce": nonce}, "require": "dpop"}}));
    let client = Client::new();
    let token = bound_token(&world, &client.confirmation());
    let response = world.send(&client.request("GET", "/x", &token, &json!({})));
    assert_eq!(verdict(&response), refused(401, "bad_proof"));
    assert!(response.header("www-authenticate").unwrap().contains("use_dpop_nonce"));
    let nonce = response.header("dpop-nonce").unwrap();
    assert_eq!(verdict(&world.send(&client.request("GET", "/x", &token, &json!({"nonce": nonce})))), passed());
}

/// RFC 2104, of keys that are no longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |octet: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ octet).collect::<Vec<_>>();
    let inner = jose::Hash::Sha256.digest(&[&pad(0x36), message]);
    jose::Hash::Sha256.digest(&[&pad(0x5c), &inner])
}

/// The nonce that the gate made so many seconds ago.
fn nonce_of(secret: &str, age: u64) -> String {
    let made = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() - age;
    let code = hmac(&hmac(secret.as_bytes(), b"jotgate.dpop.nonce.1"), &made.to_be_bytes());
    jose::base64url::encode(&[&made.to_be_bytes()[..], &code[..16]].concat())
}

#[test]
fn the_response_brings_the_next_nonce_where_that_of_a_request_is_old() {
    let secret = "a secret of tests, of 32 octets.";
    let world = World::shared(&json!({"senderConstraint": {"dpop": {"nonce": {"secrets": [secret]}}}}));
    let client = Client::new();
    let token = bound_token(&world, &client.confirmation());
    let send = |nonce: &str| world.send(&client.request("GET", "/x", &token, &json!({"nonce": nonce})));
    let first = send(&nonce_of(secret, 10));
    assert_eq!((verdict(&first), first.header("dpop-nonce")), (passed(), None));
    let second = send(&nonce_of(secret, 200));
    assert_eq!(verdict(&second), passed());
    let next = second.header("dpop-nonce").unwrap();
    assert_eq!(second.head.all("dpop-nonce").len(), 1);
    assert_eq!(verdict(&send(&next)), passed());
    for bad in [nonce_of(secret, 301), nonce_of("another secret of 32 octets.....", 10)] {
        assert_eq!(verdict(&send(&bad)), refused(401, "bad_proof"));
    }
}

/// A CA's work: the key and the certificate of that name, signed by itself.
fn certify(folder: &Path, name: &str) {
    let (key, certificate) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pem")));
    let status = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .output();
    assert!(status.is_ok_and(|output| output.status.success()), "openssl makes a certificate");
}

/// The SHA-256 of a certificate, in base64url.
fn digest(folder: &Path, name: &str) -> String {
    let der = Command::new("openssl")
        .args(["x509", "-outform", "DER", "-in"])
        .arg(folder.join(format!("{name}.pem")))
        .output()
        .unwrap()
        .stdout;
    jose::base64url::encode(&jose::Hash::Sha256.digest(&[&der]))
}

/// The status of a request over TLS, with a client certificate.
fn over_tls(envoy: &Envoy, folder: &Path, client: Option<&str>, token: &str) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--output", "/dev/null", "--write-out", "%{http_code} %header{www-authenticate}"]);
    curl.args(["--noproxy", "*", "--cacert"]).arg(folder.join("server.pem"));
    curl.args(["--header", &format!("authorization: Bearer {token}")]);
    if let Some(name) = client {
        curl.arg("--cert").arg(folder.join(format!("{name}.pem")));
        curl.arg("--key").arg(folder.join(format!("{name}.key")));
    }
    curl.arg(format!("https://localhost:{}/x", envoy.address("gateway").port()));
    let output = curl.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_proxy_in_front_names_the_certificate_and_nobody_else_does() {
    let hash = "07".repeat(32);
    let (good, other) = (format!("By=a;Hash={hash};Subject=\"CN=a,O=b\""), format!("Hash={}", "08".repeat(32)));
    let bound = json!({"x5t#S256": jose::base64url::encode(&[7; 32])});
    let world = |uses_peer: bool, trusted: &str| {
        let mtls = json!({"header": "x-forwarded-client-cert", "trustedProxies": [trusted, "fd00::/8"]});
        World::shared_with(&json!({"senderConstraint": {"mtls": mtls}}), |bootstrap| {
            bootstrap
                .connection_manager("forward_client_cert_details", &json!("ALWAYS_FORWARD_ONLY"))
                .connection_manager("use_remote_address", &json!(uses_peer))
        })
    };
    let found = |world: &World, lines: &[&str], forwarded: Option<&str>| {
        let request = Request::get("/x").bearer(&bound_token(world, &bound));
        let request = lines.iter().fold(request, |request, line| request.header("x-forwarded-client-cert", *line));
        let forwarded = forwarded.into_iter();
        verdict(&world.send(&forwarded.fold(request, |request, by| request.header("x-forwarded-for", by))))
    };
    let refused = || refused(401, "proof_missing");
    let behind_proxy = world(true, "0.0.0.0/0");
    assert_eq!(found(&behind_proxy, &[&good], None), passed());
    assert_eq!(found(&behind_proxy, &[&other, &good], None), passed(), "the last one counts");
    assert_eq!(found(&behind_proxy, &[&good, &other], None), refused());
    assert_eq!(found(&behind_proxy, &[], None), refused());
    // What a client says of where it is does not make it a proxy.
    let others = world(true, "203.0.113.0/24");
    for forwarded in ["203.0.113.9", "198.51.100.1, 203.0.113.9"] {
        assert_eq!(found(&others, &[&good], Some(forwarded)), refused(), "{forwarded}");
    }
    // Unless Envoy takes its word for it, of which `jotgate check` warns: `forged-peer`.
    assert_eq!(found(&world(false, "203.0.113.0/24"), &[&good], Some("203.0.113.9")), passed());
}

#[test]
fn over_tls_a_token_is_good_with_its_certificate_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["server", "alice", "mallory"] {
        certify(folder.path(), name);
    }
    let file = |name: &str| json!({"filename": folder.path().join(name)});
    let trusted =
        ["alice", "mallory"].map(|name| fs::read_to_string(folder.path().join(format!("{name}.pem"))).unwrap());
    let tls = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [{"certificate_chain": file("server.pem"), "private_key": file("server.key")}],
                "validation_context": {"trusted_ca": {"inline_string": trusted.concat()}},
            },
        },
    });
    let issuer = Issuer::start(Options::default()).unwrap();
    let plugin = config(&issuer, &json!({})).to_string();
    let upstream = Upstream::start(0).unwrap();
    let bootstrap = Bootstrap::new(upstream.address())
        .cluster("issuer", issuer.address())
        .listener("filter_chains/0/transport_socket", &tls)
        .plugin(&plugin);
    let envoy = Envoy::start(&bootstrap.text()).unwrap_or_else(|error| panic!("{error}"));
    let world = World { issuer, upstream, envoy };
    let token = bound_token(&world, &json!({"x5t#S256": digest(folder.path(), "alice")}));
    let send = |client| over_tls(&world.envoy, folder.path(), client, &token);
    for _ in 0..2 {
        assert_eq!(send(Some("alice")), "200 ");
        for other in [Some("mallory"), None] {
            let found = send(other);
            assert!(found.starts_with("401 Bearer") && found.contains("invalid_token"), "{other:?}: {found}");
        }
    }
}
