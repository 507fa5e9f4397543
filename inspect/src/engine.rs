//! The engine, driven as a proxy drives it: a request goes in, and out comes what the upstream or the client gets.

use std::collections::BTreeMap;

use driver::memory::{self, Exchange, HeaderLines, Proxy};
use gate::explain::{Route, Trace};
use gate::{Callout, Gate, Policy, Reason, Timestamp};
use jose::signature::SignatureVerifier;

use crate::request::RequestHead;

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decided {
    /// Whether and how it was answered.
    pub outcome: Outcome,
    /// The properties for access logs, such as `jotgate_reason`, without that prefix.
    pub properties: BTreeMap<String, String>,
    /// The line in the plugin's log, for refusals.
    pub log: Option<String>,
}

/// What the issuer of a token that only it can read says of it.
#[derive(Clone, Copy, Debug)]
pub struct Introspection<'i> {
    /// The policy that the request is decided by.
    pub policy: &'i Policy,
    /// The body of its answer, whose status is 200.
    pub body: &'i str,
}

impl Introspection<'_> {
    /// Whether it is the answer to this callout.
    fn answers(&self, callout: &Callout) -> bool {
        let endpoints = self.policy.issuers().iter().filter_map(|issuer| Some(issuer.introspection()?.endpoint()));
        endpoints.into_iter().any(|endpoint| {
            (callout.authority.as_str(), callout.path.as_str()) == (endpoint.authority(), &*endpoint.path())
        })
    }
}

/// Whether a request passes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is answered.
    Replied {
        /// The HTTP status.
        status: u16,
        /// The headers of the answer.
        headers: Vec<(String, String)>,
        /// The body of the answer.
        body: String,
    },
    /// The upstream gets it, with these lines.
    Forwarded(Vec<(String, String)>),
    /// It waits for keys.
    Waiting,
}

impl Decided {
    /// The same; where the browser is sent to log in, and that waits for the provider's endpoints, all but these is
    /// certain.
    #[must_use]
    pub(crate) fn with_login(mut self, trace: &Trace, policy: &Policy) -> Self {
        if trace.login.is_none() || self.outcome != Outcome::Waiting {
            return self;
        }
        let reason = Reason::LoginRedirect;
        self.outcome = Outcome::Replied { status: reason.status(), headers: Vec::new(), body: String::new() };
        let rule = match trace.route {
            Route::Rule(rule) => rule.and_then(|rule| policy.rules().get(rule)),
            _ => None,
        };
        let rule = rule.map(|rule| ("rule", rule.name.to_string()));
        let known = [("decision", String::from("denied")), ("reason", reason.name().to_string())];
        self.properties.extend(known.into_iter().chain(rule).map(|(name, value)| (name.to_string(), value)));
        self
    }
}

/// Decides on a request, on a host without a proxy. Nobody answers callouts there, but for issuers that are asked about
/// a token: they say `introspection`, if that is given.
pub fn decide(
    gate: Gate,
    head: &RequestHead,
    now: Timestamp,
    verifier: &dyn SignatureVerifier,
    introspection: Option<&Introspection<'_>>,
) -> Decided {
    let mut request = Exchange::new(head.lines.iter().map(|(name, value)| (name, value)));
    request.peer = head.peer.as_bytes().to_vec();
    request.certificate = head.certificate.as_bytes().to_vec();
    let mut proxy = Proxy::new(gate, verifier, now);
    let id = proxy.send(request);
    if let Some(said) = introspection {
        let callouts = proxy.host.callouts.iter().filter(|(_, callout)| said.answers(callout));
        for token in callouts.map(|(token, _)| *token).collect::<Vec<_>>() {
            proxy.answer(token, memory::Answer::new(200, said.body));
        }
    }
    let decided = proxy.take(id).unwrap_or_default();
    let name = |name: String| name.strip_prefix("jotgate_").map(String::from).unwrap_or(name);
    let line = decided.log.into_iter().find_map(|line| {
        let line = line.strip_prefix("jotgate: ")?;
        line.starts_with("request ").then(|| line.to_owned())
    });
    Decided {
        outcome: outcome(decided.outcome, decided.headers),
        properties: decided.properties.into_iter().map(|(key, value)| (name(key), value)).collect(),
        log: line,
    }
}

fn outcome(outcome: memory::Outcome, headers: HeaderLines) -> Outcome {
    match outcome {
        memory::Outcome::Forwarded => {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            Outcome::Forwarded(headers.0.into_iter().map(|(name, value)| (text(name), text(value))).collect())
        }
        memory::Outcome::Replied { reply, .. } => {
            let headers = reply.headers.into_iter().map(|(name, value)| (name.to_string(), value));
            let grpc = reply.grpc_status.map(|status| (String::from("grpc-status"), status.to_string()));
            Outcome::Replied { status: reply.status, headers: headers.chain(grpc).collect(), body: reply.body }
        }
        memory::Outcome::Waiting => Outcome::Waiting,
    }
}
