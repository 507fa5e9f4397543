//! What operators see: access log, metrics, log.

use real_envoy::Gate;
use real_envoy::http::Request;
use serde_json::json;
use testbed::issuer::TokenRequest;

use crate::world::World;

#[test]
fn decisions_are_in_the_access_log_the_metrics_and_the_log() {
    let world = World::new(&json!({}));
    let token = world.alice();
    world.send(&Request::get("/x?secret=1").bearer(&token));
    world.send(&Request::get("/y?access_token=secret2"));
    let expired = world.token(&TokenRequest { lifetime: Some(-3600), ..TokenRequest::subject("mallory") });
    world.send(&Request::get("/z z".replace(' ', "%20").as_str()).bearer(&expired));

    let entries = world.envoy.access_log(3);
    assert_eq!(entries[0]["decision"], "allowed");
    assert_eq!(
        (&entries[0]["subject"], &entries[0]["issuer"], &entries[0]["rule"]),
        (&json!("alice"), &json!("main"), &json!("rest"))
    );
    assert_eq!(
        (&entries[1]["decision"], &entries[1]["reason"], &entries[1]["details"]),
        (&json!("denied"), &json!("missing_token"), &json!("jotgate_missing_token"))
    );
    assert_eq!(
        (&entries[2]["reason"], &entries[2]["subject"]),
        (&json!("expired"), &json!(null)),
        "an unverified subject is nobody's business"
    );

    assert_eq!(world.envoy.counter("wasmcustom.jotgate_requests_allowed", 1).unwrap(), 1);
    assert_eq!(world.envoy.counter("wasmcustom.jotgate_requests_denied_missing_token", 1).unwrap(), 1);
    assert_eq!(world.envoy.counter("wasmcustom.jotgate_requests_denied_expired", 1).unwrap(), 1);
    assert!(world.envoy.counter("wasmcustom.jotgate_keys_fetched_main", 1).unwrap() > 0);
    assert_eq!(world.envoy.stat("wasmcustom.jotgate_keys_usable_main").unwrap(), 3);

    let log = world.envoy.log();
    assert!(log.contains("request refused: reason=missing_token rule=rest method=GET path=/y"), "{log}");
    assert!(log.contains("request refused: reason=expired rule=rest issuer=main kid="), "{log}");
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_string();
    for secret in ["secret", &signature(&token), &signature(&expired), "mallory"] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

#[test]
fn signatures_are_checked_by_the_host_where_that_works() {
    // A module checks them itself.
    if Gate::under_test() == Gate::Module {
        return;
    }
    let world = World::new(&json!({}));
    world.assert_good_passes();
    assert!(
        world.envoy.log().contains("the host's verify_signature is used for: ES256, ES384, ES512, RS256, RS384, RS512"),
        "{}",
        world.envoy.log()
    );
}
