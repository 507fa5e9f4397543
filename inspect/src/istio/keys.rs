//! The keys of request authentications, and the algorithms that they need.

use super::notes::Notes;
use super::resources::JwtRule;
use crate::document::{Node, json_at};
use gate::http::HttpUri;
use jose::{Algorithm, base64url};

/// As `keys` has them.
pub(super) fn keys(rule: &JwtRule, notes: &mut Notes) -> Result<Node, String> {
    let timeout = rule.timeout.as_ref().map(|timeout| ("timeout", Node::of_text(timeout.clone())));
    let mut from = |uri: &str, member: (&'static str, Node)| {
        let uri = HttpUri::parse(uri)
            .map_err(|expected| format!("`{uri}` of the issuer `{}`: expected {expected}", rule.issuer))?;
        let server = uri.server();
        let (host, port) = server.rsplit_once(':').unwrap_or((&server, "443"));
        notes.other(format!(
            "the cluster `outbound|{port}||{host}` needs a ServiceEntry for that host, unless it is in the mesh, and a \
             DestinationRule for TLS"
        ));
        let cluster = ("cluster", Node::of_text(format!("outbound|{port}||{host}")));
        Ok(Node::of_map([member, cluster].into_iter().chain(timeout.clone())))
    };
    match (&rule.jwks, &rule.jwks_uri) {
        (Some(_), Some(_)) => Err(format!("the issuer `{}` has both `jwks` and `jwksUri`", rule.issuer)),
        (Some(text), None) => {
            let set = json_at(text, &(0..0));
            let set = set.ok_or_else(|| format!("the `jwks` of the issuer `{}` is not JSON", rule.issuer))?;
            Ok(Node::of_map([("inline", set)]))
        }
        (None, Some(uri)) => from(uri, ("jwksUri", Node::of_text(uri.clone()))),
        (None, None) => from(&rule.issuer, ("discovery", Node::of_map::<&str>([]))),
    }
}

/// The algorithms of an issuer whose key set is `keys`; none where the usual ones do. Shared secrets need theirs listed.
pub(super) fn algorithms(keys: &Node, issuer: &str, notes: &mut Notes) -> Vec<&'static str> {
    let text = |key: &Node, name: &str| key.get(name).and_then(Node::text).map(String::from);
    let set = keys.find(&["inline", "keys"]).map(Node::elements).unwrap_or_default();
    let (secrets, others): (Vec<_>, Vec<_>) = set.iter().partition(|key| text(key, "kty").as_deref() == Some("oct"));
    let mut found = Vec::new();
    for secret in &secrets {
        let bytes = text(secret, "k").and_then(|secret| base64url::decode(secret.as_bytes())).unwrap_or_default().len();
        let named = text(secret, "alg");
        let is_usable = |algorithm: &&Algorithm| {
            algorithm.is_symmetric()
                && named.as_deref().is_none_or(|named| named == algorithm.name())
                && bytes >= hash_bytes(**algorithm)
        };
        let usable: Vec<_> = Algorithm::ALL.iter().filter(is_usable).map(|algorithm| algorithm.name()).collect();
        if usable.is_empty() {
            notes.stricter(format!(
                "a shared secret of the issuer `{issuer}` is shorter than the hash of its algorithm: its tokens are \
                 rejected (RFC 7518 §3.2)"
            ));
        }
        found.extend(usable);
    }
    if found.is_empty() {
        return found;
    }
    if !others.is_empty() {
        let usual = Algorithm::ALL.iter().filter(|algorithm| !algorithm.is_symmetric());
        found.extend(usual.map(|algorithm| algorithm.name()));
    }
    Algorithm::ALL.iter().map(|algorithm| algorithm.name()).filter(|name| found.contains(name)).collect()
}

/// The length of a secret is at least that of the hash (RFC 7518 §3.2).
fn hash_bytes(algorithm: Algorithm) -> usize {
    algorithm.name().strip_prefix("HS").and_then(|bits| bits.parse::<usize>().ok()).unwrap_or(0) / 8
}
