//! Discovery documents: keys are fetched from where one says, if it is the issuer's and names its host, and from
//! nowhere else.

#![no_main]

use std::time::Duration;

use driver::memory::{Answer, Memory, Proxy};
use fuzz::json::{self, Tree};
use gate::{Gate, Policy, Timestamp};
use jose::signature::Software;
use libfuzzer_sys::fuzz_target;

const CONFIGURATION: &str = r#"{
    "issuers": [{
        "name": "main", "issuer": "https://idp.example.com", "audiences": ["api"],
        "keys": {"discovery": {}, "cluster": "idp", "share": false}
    }],
    "default": "authenticated"
}"#;
const ISSUER: &str = "https://idp.example.com";

thread_local! {
    static POLICY: Policy =
        Policy::parse(CONFIGURATION.as_bytes(), &|_| None).unwrap_or_else(|errors| panic!("{errors}"));
}

fuzz_target!(|document: &[u8]| {
    let now = Timestamp::from_secs(1_800_000_000);
    let gate = POLICY.with(|policy| Gate::new(policy.clone(), now, 1));
    let mut proxy = Proxy::on(Memory::new(now), gate, Software);
    proxy.pass(Duration::from_millis(5));
    let first = proxy.host.callouts.first().map(|(_, callout)| callout.clone()).expect("asks for the document");
    assert_eq!(first.path, "/.well-known/openid-configuration");
    proxy.answer_next(Answer::new(200, document));
    let next = proxy.host.callouts.first().map(|(_, callout)| callout.clone());

    let tree = json::read(document).ok();
    let text = |name: &str| tree.as_ref().and_then(|tree| tree.get(name)).and_then(Tree::string);
    let uri = text("jwks_uri").filter(|_| text("issuer") == Some(ISSUER));
    match next {
        Some(callout) => {
            let uri = uri.expect("there is a document of the issuer");
            assert_eq!((callout.scheme, callout.cluster.as_str(), callout.method), ("https", "idp", "GET"), "{uri}");
            let rest = uri.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://")).map(|_| &uri[8..]);
            let (host, path) = rest.map(|rest| rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()))).expect(uri);
            // An empty port is the default (RFC 3986 §6.2.3).
            let named = host.to_ascii_lowercase();
            assert!(["", ":", ":443"].map(|port| format!("idp.example.com{port}")).contains(&named), "{uri}");
            assert!(callout.authority.eq_ignore_ascii_case(host), "{uri}: {}", callout.authority);
            assert!(callout.path == path || (path.is_empty() && callout.path == "/"), "{uri}: {}", callout.path);
            assert!(callout.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{uri}");
        }
        None => assert_ne!(uri, Some("https://idp.example.com/jwks")),
    }
});
