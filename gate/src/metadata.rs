//! OAuth 2.0 Protected Resource Metadata (RFC 9728): which servers issue tokens for what is behind the gate.

use oauth::dpop::ALGORITHMS;
use serde_json::json;

use crate::answer::{PROBLEM, problem};
use crate::http::{CanonicalPath, Reply, Request};
use crate::rules::HostPattern;

/// Where the metadata of a resource is (RFC 9728 §3.1).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The resources that clients may ask about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    resources: Vec<Resource>,
    bindings: AnnouncedBindings,
}

/// What clients are told of tokens that are bound to their sender (RFC 9728 §2).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AnnouncedBindings {
    /// Certificates are taken (RFC 8705).
    pub(crate) certificates: bool,
    /// Proofs are taken (RFC 9449).
    pub(crate) proofs: bool,
    /// Nothing else than a token with a proof is.
    pub(crate) proofs_alone: bool,
}

/// A protected resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) host: HostPattern,
    /// In its canonical form, without the slash that may stand behind the host alone.
    pub(crate) path: String,
    /// Where its metadata is: an absolute URL.
    pub(crate) url: String,
    /// Its identifier, as the configuration has it.
    pub(crate) identifier: String,
    pub(crate) authorization_servers: Vec<String>,
    pub(crate) scopes: Vec<String>,
}

impl Metadata {
    pub(crate) fn new(resources: Vec<Resource>) -> Self {
        Self { resources, bindings: AnnouncedBindings::default() }
    }

    /// The same, with what is said of bound tokens.
    #[must_use]
    pub(crate) fn with_bindings(self, bindings: AnnouncedBindings) -> Self {
        Self { bindings, ..self }
    }

    /// The answer to a request for metadata; `None` for any other request.
    pub(crate) fn answer(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> Option<Reply> {
        let asked = path.as_str().strip_prefix(WELL_KNOWN)?;
        let is_asked = |resource: &&Resource| resource.path == asked && resource.host.names(request.authority());
        let resource = self.resources.iter().find(is_asked)?;
        Some(match request.method() {
            b"GET" | b"HEAD" => resource.describe(self.bindings),
            b"OPTIONS" if request.is_preflight() => allow_cross_origin(),
            _ => refuse_method(),
        })
    }

    /// The URL of the metadata of the resource that a request is for: the one with the longest path.
    pub(crate) fn url(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> Option<&str> {
        let fits = |resource: &&Resource| resource.contains(path) && resource.host.names(request.authority());
        let resource = self.resources.iter().filter(fits).max_by_key(|resource| resource.path.len())?;
        Some(&resource.url)
    }
}

impl Resource {
    /// Whether `path` is this resource's, or below it.
    fn contains(&self, path: &CanonicalPath<'_>) -> bool {
        let behind = path.as_str().strip_prefix(self.path.as_str());
        behind.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'))
    }

    /// RFC 9728 §3.2. Members without an element are left out.
    fn describe(&self, bindings: AnnouncedBindings) -> Reply {
        let mut members = serde_json::Map::new();
        members.insert(String::from("resource"), json!(self.identifier));
        for (name, list) in [("authorization_servers", &self.authorization_servers), ("scopes_supported", &self.scopes)]
        {
            if !list.is_empty() {
                members.insert(name.to_string(), json!(list));
            }
        }
        if bindings.certificates {
            members.insert(String::from("tls_client_certificate_bound_access_tokens"), json!(true));
        }
        if bindings.proofs {
            let algorithms: Vec<_> = ALGORITHMS.split(' ').collect();
            members.insert(String::from("dpop_signing_alg_values_supported"), json!(algorithms));
        }
        if bindings.proofs_alone {
            members.insert(String::from("dpop_bound_access_tokens_required"), json!(true));
        }
        let content_type = ("content-type", String::from("application/json"));
        reply(200, [content_type], serde_json::Value::Object(members).to_string())
    }
}

/// Browsers ask before they send headers that forms do not have.
fn allow_cross_origin() -> Reply {
    let headers = [
        ("access-control-allow-methods", String::from("GET, HEAD")),
        ("access-control-allow-headers", String::from("*")),
        ("access-control-max-age", String::from("86400")),
    ];
    reply(204, headers, String::new())
}

fn refuse_method() -> Reply {
    let headers = [("allow", String::from("GET, HEAD")), ("content-type", String::from(PROBLEM))];
    reply(405, headers, problem(405, "the metadata of a resource is only read", None))
}

fn reply<const N: usize>(status: u16, headers: [(&'static str, String); N], body: String) -> Reply {
    let mut all = vec![("cache-control", String::from("no-store")), ("access-control-allow-origin", String::from("*"))];
    all.extend(headers);
    Reply { status, headers: all, body, grpc_status: None }
}
