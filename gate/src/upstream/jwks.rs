//! The public keys of what the gate signs (RFC 7517 §5).

use crate::answer::{PROBLEM, problem};
use crate::http::{CanonicalPath, Reply, Request};
use crate::rules::HostPattern;

/// The sets, and where they are served.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySets {
    /// By path, in canonical form.
    sets: Vec<(String, String)>,
    /// The hosts; none: any.
    hosts: Vec<HostPattern>,
}

impl KeySets {
    pub(crate) fn new(sets: Vec<(String, String)>, hosts: Vec<HostPattern>) -> Self {
        Self { sets, hosts }
    }

    /// The answer to a request for a set; `None` for any other request.
    pub(crate) fn answer(&self, request: &Request<'_>, path: &CanonicalPath<'_>) -> Option<Reply> {
        let (_, set) = self.sets.iter().find(|(own, _)| own == path.as_str())?;
        let is_here = self.hosts.is_empty() || self.hosts.iter().any(|host| host.names(request.authority()));
        if !is_here {
            return None;
        }
        Some(match request.method() {
            b"GET" | b"HEAD" => reply(200, "public, max-age=300", "application/jwk-set+json", set.clone()),
            _ => refuse_method(),
        })
    }
}

fn refuse_method() -> Reply {
    let mut refusal = reply(405, "no-store", PROBLEM, problem(405, "keys are only read", None));
    refusal.headers.push(("allow", String::from("GET, HEAD")));
    refusal
}

fn reply(status: u16, cache: &str, content_type: &str, body: String) -> Reply {
    let headers = [("cache-control", cache), ("content-type", content_type)];
    let headers = headers.map(|(name, value)| (name, value.to_string())).to_vec();
    Reply { status, headers, body, grpc_status: None }
}
