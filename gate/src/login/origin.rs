//! The origin of a page (RFC 6454), and the server that a request asks.

use crate::http::Request;

/// Whether host and port of `origin` are those of the request's `:authority`.
///
/// A proxy in front that ended TLS may have left `:scheme` at `http`, so an origin of `https` passes; one of `http`
/// where the request came over `https` is that of a page that anyone on the way could have written.
pub(super) fn is_same_server(origin: &[u8], request: &Request<'_>) -> bool {
    let (server, default_port) = match (origin.strip_prefix(b"https://"), origin.strip_prefix(b"http://")) {
        (Some(server), _) => (server, &b":443"[..]),
        (_, Some(server)) if request.only(":scheme") != Some(b"https") => (server, &b":80"[..]),
        _ => return false,
    };
    let asked = request.authority();
    let asked = asked.strip_suffix(default_port).unwrap_or(asked);
    !server.is_empty() && server.eq_ignore_ascii_case(asked)
}
