//! Preflights: where they pass without a token, nothing else does in their name.

use real_envoy::http::Request;

use crate::check::Checks;
use crate::server::{ALL, Kind};
use crate::world::{Outcome, Version, World};

fn preflight() -> Request {
    Request::new("OPTIONS", "/admin/x")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "DELETE")
}

#[test]
fn a_preflight_passes() {
    let Some(world) = World::shared() else { return };
    for version in Version::BOTH {
        for kind in ALL {
            let outcome = world.send_anonymous("preflights", kind, version, &preflight());
            assert_eq!(outcome.handler(), "admin", "{kind:?}, {version:?}: {outcome:?}");
        }
    }
}

#[test]
fn what_upgrades_or_has_a_body_is_no_preflight() {
    let Some(world) = World::shared() else { return };
    let mut checks = Checks::default();
    let upgrade = |protocol: &str| {
        preflight()
            .header("connection", "Upgrade")
            .header("upgrade", protocol)
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let chunked = preflight().header("transfer-encoding", "chunked").body("4\r\nbody\r\n0\r\n\r\n");
    for (what, version, request) in [
        ("a WebSocket", Version::Http1, upgrade("websocket")),
        ("a WebSocket in capitals", Version::Http1, upgrade("WebSocket")),
        ("another protocol", Version::Http1, upgrade("x")),
        ("a body", Version::Http1, preflight().body("body")),
        ("a body in chunks", Version::Http1, chunked),
        ("a body", Version::Http2, preflight().body("body")),
        ("a body with its length", Version::Http2, preflight().header("content-length", "4").body("body")),
        ("trailers", Version::Http2, preflight().trailer("x", "y")),
        ("lower case", Version::Http2, {
            let odd = Request::new("options", "/admin/x").header("origin", "https://app.example.com");
            odd.header("access-control-request-method", "DELETE")
        }),
        (
            "no origin",
            Version::Http2,
            Request::new("OPTIONS", "/admin/x").header("access-control-request-method", "GET"),
        ),
    ] {
        for kind in [Kind::Express, Kind::StarletteOnUvicorn, Kind::DjangoOnGunicorn] {
            let outcome = world.send_anonymous("preflights", kind, version, &request);
            let is_refused = matches!(outcome, Outcome::Refused(400 | 403, _));
            checks.that(is_refused, &format!("{kind:?}, {version:?}, {what}: expected a refusal, found {outcome:?}"));
        }
    }
    checks.finish();
}
