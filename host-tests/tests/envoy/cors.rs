//! The order beside Envoy's `cors`: where it is before the gate, scripts in browsers can read what the gate answers.

use real_envoy::Bootstrap;
use real_envoy::http::{Request, Response};
use serde_json::{Value, json};
use testbed::issuer::{Issuer, Options};

use crate::world::{World, config, refused, verdict};

const ORIGIN: &str = "https://app.example.com";

fn cors() -> Value {
    let filter = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"});
    json!({"name": "envoy.filters.http.cors", "typed_config": filter})
}

/// A gate with `cors` before it, after it, or both.
fn world(before: bool, after: bool) -> World {
    let policy = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"exact": ORIGIN}],
        "allow_methods": "GET, POST",
        "allow_headers": "authorization",
        "expose_headers": "www-authenticate",
    });
    let routes = json!([{
        "match": {"prefix": "/"},
        "route": {"cluster": "upstream", "timeout": "0s"},
        "typed_per_filter_config": {"envoy.filters.http.cors": policy},
    }]);
    let issuer = Issuer::start(Options::default()).unwrap();
    let gate = config(&issuer, &json!({})).to_string();
    let with = |is_wanted: bool, bootstrap: Bootstrap| if is_wanted { bootstrap.filter(cors()) } else { bootstrap };
    World::add(issuer, |bootstrap| with(after, with(before, bootstrap).plugin(&gate)).routes(&routes))
}

fn allowed_origins(response: &Response) -> Vec<String> {
    response.head.all("access-control-allow-origin")
}

#[test]
fn scripts_can_read_a_401_where_cors_is_before_the_gate() {
    for after in [false, true] {
        let world = world(true, after);
        let refusal = world.send(&Request::get("/x").header("Origin", ORIGIN));
        assert_eq!(verdict(&refusal), refused(401, "missing_token"));
        assert_eq!(allowed_origins(&refusal), [ORIGIN], "once, though the filter is there twice");
        assert_eq!(refusal.header("access-control-expose-headers").as_deref(), Some("www-authenticate"));
        let allowed = world.send(&Request::get("/x").bearer(&world.alice()).header("Origin", ORIGIN));
        assert_eq!((allowed.status, allowed_origins(&allowed)), (200, vec![ORIGIN.to_string()]));
        let preflight = Request::new("OPTIONS", "/x").header("Origin", ORIGIN);
        let preflight = world.send(&preflight.header("Access-Control-Request-Method", "POST"));
        assert_eq!((preflight.status, allowed_origins(&preflight)), (200, vec![ORIGIN.to_string()]));
        assert_eq!(preflight.body.len(), 0, "Envoy answers it, without the gate and the upstream");
        let other = world.send(&Request::get("/x").header("Origin", "https://other.example.com"));
        assert_eq!((other.status, allowed_origins(&other).len()), (401, 0));
    }
}

/// Why `jotgate check` warns.
#[test]
fn scripts_cannot_read_a_401_where_cors_is_after_the_gate() {
    let world = world(false, true);
    let refusal = world.send(&Request::get("/x").header("Origin", ORIGIN));
    assert_eq!((verdict(&refusal), allowed_origins(&refusal).len()), (refused(401, "missing_token"), 0));
}
