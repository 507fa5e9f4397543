//! The answers of the contract, word for word, over both versions and to each kind of client.

use real_envoy::http::Response;
use real_envoy::http2::Connection;
use serde_json::json;

use crate::client::BOTH;
use crate::reasons::{REASONS, Refusing};

/// Nothing that a client sends comes back.
const MARK: &str = "not-to-be-reflected";

#[test]
fn each_reason_has_its_answer() {
    let world = Refusing::start();
    for (reason, listener, request) in world.requests("GET") {
        let status = status(reason);
        for version in BOTH {
            let request = request.clone().header("x-mark", MARK).header("cookie", MARK);
            let response = version.send(&request, world.envoy.address(listener));
            assert_eq!(response.status, status, "{reason} {version:?}: {}", response.text());
            check_headers(reason, &response);
            assert_eq!(response.header("content-type").as_deref(), Some("application/problem+json"), "{reason}");
            let problem = response.json();
            assert_eq!((&problem["status"], &problem["reason"]), (&json!(status), &json!(reason)));
            let members: Vec<_> = problem.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["detail", "reason", "status", "title", "type"]);
            assert!(members.iter().all(|name| !problem[*name].to_string().is_empty()), "{problem}");
            assert!(!format!("{response:?}").contains(MARK), "{response:?}");
        }
        for version in BOTH {
            let head = world.request(reason, "HEAD");
            let response = version.send(&head, world.envoy.address(listener));
            assert_eq!((response.status, response.body.len()), (status, 0), "{reason} {version:?}");
            assert_eq!(response.header("content-type").as_deref(), Some("application/problem+json"), "{reason}");
            check_headers(reason, &response);
        }
    }
    assert_eq!(world.upstream.count(), 0);
    // Proofs that were used before were used by requests that lacked something else: one with the first requests, and one
    // for each that was made apart.
    let used = 1 + BOTH.len();
    let entries = world.envoy.access_log(4 * REASONS.len() + used);
    let (first, rest) = entries[1..].split_at(4);
    let rest = rest.iter().filter(|entry| entry["reason"] != "access_denied");
    let entries: Vec<_> = first.iter().chain(rest).collect();
    assert_eq!(entries.len(), 4 * REASONS.len());
    for (entries, (reason, status)) in entries.chunks(4).zip(REASONS) {
        for entry in entries {
            let found = (&entry["decision"], &entry["reason"], &entry["details"], &entry["status"]);
            assert_eq!(found, (&json!("denied"), &json!(reason), &json!(format!("jotgate_{reason}")), &json!(status)));
        }
    }
}

#[test]
fn grpc_calls_get_a_status_in_the_first_and_only_headers() {
    let world = Refusing::start();
    for (reason, listener, request) in world.requests("POST") {
        let connection = Connection::open(world.envoy.address(listener)).unwrap();
        let plain = connection.send(&request).unwrap();
        for content_type in ["application/grpc", "application/grpc+proto", "application/grpc+json"] {
            let call = request.clone().header("content-type", content_type).header("te", "trailers");
            let mut stream = connection.start(&call).unwrap();
            let head = stream.head().unwrap();
            assert!(stream.is_ended(), "{reason}: more than a head");
            let status = match status(reason) {
                400 => "3",
                401 => "16",
                403 => "7",
                _ => "14",
            };
            let found = (head.status, head.header("grpc-status"), head.header("grpc-message"));
            let detail = plain.json()["detail"].as_str().map(str::to_string);
            assert_eq!(found, (200, Some(status.into()), detail), "{reason} {content_type}");
            assert_eq!(head.header("content-type").as_deref(), Some("application/grpc"), "{reason}");
            assert_eq!(head.header("cache-control").as_deref(), Some("no-store"), "{reason}");
        }
        for content_type in ["application/grpc-web", "application/grpcx", "application/grpc;a", "application/GRPC"] {
            let response = connection.send(&request.clone().header("content-type", content_type)).unwrap();
            let found = (response.status, response.header("grpc-status"), response.json()["reason"].clone());
            assert_eq!(found, (status(reason), None, json!(reason)), "{content_type}");
        }
    }
    assert_eq!(world.upstream.count(), 0);
}

/// Audit mode tells the upstream and the log, not the client.
#[test]
fn in_audit_mode_every_refusal_passes() {
    let world = Refusing::start();
    let requests = world.requests("GET");
    for (reason, listener, request) in &requests {
        let audit = match *listener {
            "gateway" => String::from("audit"),
            listener => format!("{listener}-audit"),
        };
        let response = crate::client::Version::Http2.send(request, world.envoy.address(&audit));
        assert_eq!(
            (response.status, response.json()["path"].is_string()),
            (200, true),
            "{reason}: {}",
            response.text()
        );
    }
    // The request whose proof was used then was refused where refusals count.
    let entries = world.envoy.access_log(requests.len() + 1);
    for (entry, (reason, ..)) in entries.iter().skip(1).zip(&requests) {
        let found = (&entry["decision"], &entry["reason"], &entry["details"], &entry["status"]);
        assert_eq!(found, (&json!("audited"), &json!(reason), &json!("via_upstream"), &json!(200)));
        let counter = format!("wasmcustom.jotgate_requests_audited_{reason}");
        assert_eq!(world.envoy.counter(&counter, 1).unwrap(), 1, "{reason}");
    }
    let log = world.envoy.log();
    assert_eq!(log.matches("request refused").count(), 1, "{log}");
    assert_eq!(log.matches("request would be refused: reason=").count(), requests.len());
}

fn status(reason: &str) -> u16 {
    REASONS.iter().find(|(name, _)| *name == reason).unwrap().1
}

fn check_headers(reason: &str, response: &Response) {
    assert_eq!(response.header("cache-control").as_deref(), Some("no-store"), "{reason}");
    let realm = if reason == "overloaded" { "jotgate" } else { "orders" };
    let with = |rest: &str| Some(format!("Bearer realm=\"{realm}\"{rest}"));
    let with_proof = |error: &str| {
        let algorithms = "EdDSA ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512";
        let description = "error_description=\"…\"";
        Some(format!("DPoP realm=\"{realm}\", error=\"{error}\", {description}, algs=\"{algorithms}\""))
    };
    let expected = match (reason, response.status) {
        ("ambiguous_path" | "ambiguous_request", _) => None,
        ("missing_token", _) => with(""),
        ("insufficient_scope", _) => with(", error=\"insufficient_scope\", scope=\"read write\""),
        ("bad_proof" | "proof_missing", _) => with_proof("invalid_token"),
        ("proof_replayed", _) => with_proof("invalid_dpop_proof"),
        (_, 400) => with(", error=\"invalid_request\""),
        (_, 401) => with(", error=\"invalid_token\", error_description=\"…\""),
        _ => None,
    };
    let found = response.header("www-authenticate").map(|found| match found.split_once("error_description=\"") {
        Some((start, rest)) => {
            let (description, end) = rest.split_once('"').unwrap();
            assert!(!description.is_empty(), "{found}");
            format!("{start}error_description=\"…\"{end}")
        }
        None => found,
    });
    assert_eq!(found, expected, "{reason}");
    let retry_after: Option<u64> = response.header("retry-after").map(|seconds| seconds.parse().unwrap());
    assert_eq!(retry_after.is_some(), response.status == 503, "{reason}");
    assert!(retry_after.is_none_or(|seconds| (1..=60).contains(&seconds)), "{retry_after:?}");
}
