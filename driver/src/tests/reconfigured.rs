//! A configuration update keeps keys, callouts and requests.

use serde_json::json;

use super::support::{Trusting, configuration, gate, keys, proxy, summary, with_token};

#[test]
fn a_callout_that_is_under_way_serves_the_next_configuration() {
    let mut proxy = proxy();
    let id = proxy.send(with_token());
    let mut changed = configuration("https://idp.example.com/jwks");
    changed["rules"][1]["access"] = json!({"claims": {"sub": "bob"}});
    proxy.reconfigure(gate(&changed, proxy.host.now), Trusting);
    assert_eq!(proxy.host.callouts.len(), 1);
    proxy.answer_next(keys());
    assert_eq!(summary(&proxy, id), "403 jotgate_access_denied", "decided by the new one");
}

#[test]
fn keys_are_kept() {
    let mut proxy = proxy();
    proxy.answer_next(keys());
    proxy.reconfigure(gate(&configuration("https://idp.example.com/jwks"), proxy.host.now), Trusting);
    let id = proxy.send(with_token());
    assert_eq!(summary(&proxy, id), "forwarded");
    assert!(proxy.host.callouts.is_empty());
}

#[test]
fn a_held_body_is_remembered() {
    let mut limited = configuration("https://idp.example.com/jwks");
    limited["limits"] = json!({"waitingBodies": 1});
    let with_body = || {
        let mut request = with_token();
        request.headers.0.push((b"content-length".to_vec(), b"7".to_vec()));
        request
    };
    let mut proxy = proxy();
    let first = proxy.send(with_body());
    limited["issuers"][0]["keys"]["jwksUri"] = json!("https://idp.example.com/other");
    // The host said that there is a body when it brought the headers. It is told again to none but the driver, so the
    // lines that announce it are no help here.
    proxy.host.requests.get_mut(&first).expect("waits").headers.0.retain(|(name, _)| name != b"content-length");
    proxy.reconfigure(gate(&limited, proxy.host.now), Trusting);
    let second = proxy.send(with_body());
    assert_eq!([summary(&proxy, first), summary(&proxy, second)], ["waiting", "503 jotgate_overloaded"]);
}
