//! However many tokens there are, what is kept of them stays within `limits.tokenCacheBytes`.

use serde_json::json;
use strict_host::{Proxy, VmOptions};
use testbed::keys::{Algorithm, SigningKey};
use testbed::mint::mint_text;

use crate::world::{ISSUER, get, plugin, summary};

const LIMIT: usize = 1 << 20;
/// WebAssembly's memory grows by pages.
const PAGE: usize = 65_536;

#[test]
fn thousands_of_different_tokens_grow_memory_no_further_than_the_limit() {
    let key = SigningKey::generate(Algorithm::HS256).with_kid("k");
    let issuer = json!({
        "name": "main", "issuer": ISSUER, "audiences": ["api"], "algorithms": ["HS256"],
        "keys": {"inline": {"keys": [key.public_jwk()]}},
    });
    let config = json!({
        "issuers": [issuer],
        "rules": [{"access": {"claims": {"tier": "gold"}, "scopes": {"all": ["s1"]}}}],
        "limits": {"tokenCacheBytes": LIMIT},
    });
    let proxy = Proxy::new();
    let vm = proxy.vm(plugin(), VmOptions::new());
    let root = vm.start(config.to_string()).unwrap();
    let expires = proxy.clock().now().as_secs() + 600;
    // Of many lengths, as tokens are: what one leaves behind does not fit the next.
    let send = |number: usize| {
        let (scopes, groups) = (names("s", number % 17), names("g", number % 23));
        let claims = json!({
            "iss": ISSUER, "aud": "api", "sub": format!("user-{number}"), "exp": expires, "tier": "gold",
            "scope": format!("s1 {}", scopes.join(" ")), "groups": groups, "text": "x".repeat(number * 37 % 1500),
        });
        let token = mint_text(&key, r#"{"alg":"HS256","kid":"k"}"#, &claims.to_string());
        let stream = get(&root, "/x", &[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(summary(&stream), "ok");
        stream.end();
    };
    (0..10).for_each(send);
    let start = vm.memory_bytes();
    (10..4_000).for_each(send);
    let grown = vm.memory_bytes() - start;
    println!("{grown} bytes for {LIMIT}");
    assert!(grown <= LIMIT, "{grown} bytes");
    assert!(grown >= LIMIT / 2, "{grown} bytes: the cache was not filled");
    (4_000..6_000).for_each(send);
    assert!(vm.memory_bytes() - start <= grown + PAGE, "memory goes on growing");
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}
