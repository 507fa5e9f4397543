//! STIG Manager: who may do what, and what it is told. Its streams are in `streams.rs`.

use real_envoy::Builder;
use real_envoy::http::{Request, Response};
use serde_json::{Value, json};
use testbed::issuer::TokenRequest;
use testbed::mint::object;

use crate::world::{Shared, World, refused, verdict};

const ISSUER: &str = "https://idp.example.com/realms/stigman";
const AUDIENCE: &str = "stig-manager";

/// What its `OpenAPI` asks for: one of each kind.
const OPERATIONS: [(&str, &str, &str); 33] = [
    ("GET", "/api/assets", "stig-manager:collection:read"),
    ("POST", "/api/assets", "stig-manager:collection"),
    ("PATCH", "/api/assets", "stig-manager:collection"),
    ("GET", "/api/assets/154", "stig-manager:collection:read"),
    ("DELETE", "/api/assets/154", "stig-manager:collection"),
    ("GET", "/api/assets/154/checklists", "stig-manager:collection"),
    ("GET", "/api/assets/154/checklists/VPN_SRG_TEST/latest?format=ckl", "stig-manager:collection"),
    ("PUT", "/api/assets/154/metadata/keys/k", "stig-manager:collection"),
    ("GET", "/api/collections?elevate=true", "stig-manager:collection:read"),
    ("POST", "/api/collections", "stig-manager:collection"),
    ("POST", "/api/collections/21/archive/ckl", "stig-manager:collection:read"),
    ("POST", "/api/collections/21/archive/xccdf", "stig-manager:collection:read"),
    ("POST", "/api/collections/21/clone", "stig-manager:collection"),
    ("POST", "/api/collections/21/export-to/83", "stig-manager:collection:read"),
    ("POST", "/api/collections/21/labels", "stig-manager:collection:read"),
    ("PATCH", "/api/collections/21/labels/5", "stig-manager:collection"),
    ("GET", "/api/collections/21/poam", "stig-manager:collection:read"),
    ("GET", "/api/collections/21/checklists/VPN_SRG_TEST/V1R1", "stig-manager:collection:read"),
    ("PUT", "/api/collections/21/reviews/154/SV-106179r1_rule", "stig-manager:collection"),
    ("DELETE", "/api/collections/21/review-history", "stig-manager:collection"),
    ("GET", "/api/collections/meta/metrics/summary", "stig-manager:collection:read"),
    ("GET", "/api/stigs", "stig-manager:stig:read"),
    ("POST", "/api/stigs?clobber=false", "stig-manager:stig"),
    ("GET", "/api/stigs/VPN_SRG_TEST/revisions/latest/rules", "stig-manager:stig:read"),
    ("GET", "/api/user", "stig-manager:user:read"),
    ("GET", "/api/users", "stig-manager:user:read"),
    ("POST", "/api/users", "stig-manager:user"),
    ("DELETE", "/api/users/44", "stig-manager:user"),
    ("PATCH", "/api/user-groups/1", "stig-manager:user"),
    ("GET", "/api/op/appdata", "stig-manager:op:read"),
    ("POST", "/api/op/appdata", "stig-manager:op"),
    ("GET", "/api/op/details", "stig-manager:op:read"),
    ("GET", "/api/jobs", "stig-manager:op:read"),
];

static UNCHANGED: Shared = Shared::new();

pub(crate) fn world() -> &'static World {
    UNCHANGED.get(|| changed(|builder| builder))
}

/// With some of the file changed.
pub(crate) fn changed(change: impl FnOnce(Builder) -> Builder) -> World {
    World::with("stig-manager", Some(ISSUER), AUDIENCE, change)
}

fn claims(world: &World, claims: Value) -> String {
    world.token(&TokenRequest { claims: object(claims), ..TokenRequest::default() })
}

fn ask(world: &World, method: &str, target: &str, token: &str) -> Response {
    world.send(&Request::new(method, target).bearer(token))
}

#[test]
fn each_operation_asks_for_its_scope() {
    let world = world();
    for (method, target, scope) in OPERATIONS {
        let missing = world.send(&Request::new(method, target));
        assert_eq!(verdict(&missing), refused(401, "missing_token"), "{method} {target}");
        let passed = ask(world, method, target, &world.scoped(&format!("openid {scope}")));
        assert_eq!((passed.status, &passed.json()["path"]), (200, &json!(target)), "{method} {target}");
        for other in ["openid", "stig-manager:", "stig-manage", &format!("{scope}:more"), &format!("{scope}x")] {
            let lacking = ask(world, method, target, &world.scoped(other));
            assert_eq!(verdict(&lacking), refused(403, "insufficient_scope"), "{method} {target} with {other}");
            let challenge = lacking.header("www-authenticate").unwrap();
            assert!(challenge.ends_with(&format!(r#"scope="{scope}""#)), "{challenge}");
        }
    }
}

#[test]
fn a_scope_stands_for_those_below_it() {
    let world = world();
    for (method, target, scope) in OPERATIONS {
        let mut above = scope;
        while let Some((parent, _)) = above.rsplit_once(':') {
            assert_eq!(
                ask(world, method, target, &world.scoped(parent)).status,
                200,
                "{method} {target} with {parent}"
            );
            above = parent;
        }
    }
}

#[test]
fn scope_and_scp_are_united() {
    let world = world();
    let token = claims(world, json!({"scope": "openid stig-manager:user", "scp": ["stig-manager:stig:read"]}));
    for (method, target) in [("GET", "/api/stigs"), ("POST", "/api/users")] {
        let scopes = ask(world, method, target, &token).seen("x-auth-request-token-scopes");
        assert_eq!(scopes, ["openid stig-manager:stig:read stig-manager:user"], "{method} {target}");
    }
    assert_eq!(ask(world, "POST", "/api/stigs", &token).status, 403);
    let text = claims(world, json!({"scp": "stig-manager:op:read stig-manager:stig"}));
    assert_eq!(ask(world, "GET", "/api/op/details", &text).status, 200);
    // A list has one scope in each element.
    let joined = claims(world, json!({"scp": ["stig-manager:op:read stig-manager:stig"]}));
    assert_eq!(verdict(&ask(world, "GET", "/api/op/details", &joined)), refused(403, "insufficient_scope"));
}

#[test]
fn stig_manager_gets_the_token_and_is_told_who_calls() {
    let world = world();
    let roles = json!({"roles": ["admin", "create_collection"]});
    let token = claims(
        world,
        json!({"preferred_username": "wendy", "clientId": "cli", "realm_access": roles, "scope": "stig-manager"}),
    );
    let forged = Request::get("/api/user").bearer(&token).header("X-Auth-Request-User", "admin");
    let response = world.send(&forged.header("x_auth_request_groups", "admin"));
    assert_eq!(response.seen("authorization"), [format!("Bearer {token}")]);
    assert_eq!(response.seen("x-auth-request-user"), ["wendy"]);
    assert_eq!(response.seen("x-auth-request-groups"), ["admin,create_collection"]);
    assert_eq!(response.seen("x_auth_request_groups"), [""; 0]);
    let service = claims(world, json!({"clientId": "nightly-scan", "scope": "stig-manager"}));
    let response = ask(world, "GET", "/api/user", &service);
    assert_eq!(response.seen("x-auth-request-user"), ["nightly-scan"]);
    assert_eq!(response.seen("x-auth-request-groups"), [""; 0]);
}

#[test]
fn only_admins_delete_stigs() {
    let world = world();
    let delete = |roles: Value, scope: &str| {
        let token = claims(world, json!({"realm_access": {"roles": roles}, "scope": scope}));
        verdict(&ask(world, "DELETE", "/api/stigs/VPN_SRG_TEST?elevate=true", &token))
    };
    assert_eq!(delete(json!(["user", "admin"]), "stig-manager:stig"), (200, String::new()));
    assert_eq!(delete(json!(["create_collection"]), "stig-manager:stig"), refused(403, "access_denied"));
    assert_eq!(delete(json!(null), "stig-manager:stig"), refused(403, "access_denied"));
    assert_eq!(delete(json!(["admin"]), "stig-manager:stig:read"), refused(403, "insufficient_scope"));
}

#[test]
fn the_web_client_and_its_configuration_need_no_token() {
    let world = world();
    for target in ["/", "/index.html", "/js/stigman.js", "/api/op/configuration", "/api/op/definition?jsonpath=$.info"]
    {
        let response = world.send(&Request::get(target).header("x-auth-request-user", "admin"));
        assert_eq!((response.status, response.seen("x-auth-request-user").len()), (200, 0), "{target}");
    }
    assert_eq!(verdict(&world.send(&Request::new("POST", "/index.html"))), refused(403, "no_rule"));
}

#[test]
fn what_has_no_rule_stays_shut() {
    let world = world();
    let token = world.scoped("stig-manager");
    for (method, target) in [("GET", "/api"), ("GET", "/api/new"), ("POST", "/api/op2"), ("TRACE", "/api/stigs")] {
        assert_eq!(verdict(&ask(world, method, target, &token)), refused(403, "denied_by_rule"), "{method} {target}");
    }
    let sent = world.send(&Request::get("/api/op/../stigs"));
    assert_eq!(verdict(&sent), refused(401, "missing_token"), "Envoy takes dot segments out");
    for target in ["//api/stigs", "/api/op/state/sse%2F..%2F..%2Fappdata", "/api;x/stigs"] {
        let sent = world.send(&Request::get(target));
        assert_eq!(verdict(&sent), refused(400, "ambiguous_path"), "{target}");
    }
}

#[test]
fn a_browsers_preflight_reaches_the_api() {
    let world = world();
    let preflight = Request::new("OPTIONS", "/api/collections")
        .header("Origin", "https://stigman.example")
        .header("Access-Control-Request-Method", "POST");
    assert_eq!(world.send(&preflight).json()["method"], "OPTIONS");
    assert_eq!(verdict(&world.send(&Request::new("OPTIONS", "/api/collections"))), refused(403, "denied_by_rule"));
}

#[test]
fn tokens_of_others_are_refused() {
    let world = world();
    let foreign = world.token(&TokenRequest { aud: Some(vec!["account".into()]), ..TokenRequest::default() });
    let issuer = claims(world, json!({"iss": "https://idp.example.com/realms/other"}));
    for (token, reason) in [(foreign, "wrong_audience"), (issuer, "unknown_issuer")] {
        assert_eq!(verdict(&ask(world, "GET", "/api/stigs", &token)), refused(401, reason));
    }
}
