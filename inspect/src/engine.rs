//! The engine, driven as a proxy drives it: a request goes in, and out comes what the upstream or the client gets.

use std::collections::BTreeMap;

use gate::{Decision, Gate, HeaderEdit, Report, Request, RequestId, Timestamp};
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

/// Decides on a request.
pub fn decide(gate: &mut Gate, head: &RequestHead, now: Timestamp, verifier: &dyn SignatureVerifier) -> Decided {
    let lines: Vec<_> = head.lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request::new(&lines).with_peer(head.peer.as_bytes());
    let decision = gate.handle_request(RequestId(1), &request, now, verifier);
    // Counters are for proxies; what would be fetched or resumed is not, here.
    while gate.poll_effect().is_some() {}
    match decision {
        Decision::Forward(edits, report) => {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let forwarded = HeaderEdit::apply(&edits, &lines).into_iter();
            decided(Outcome::Forwarded(forwarded.map(|(name, value)| (text(name), text(value))).collect()), &report)
        }
        Decision::Reply(reply, report) => {
            let headers = reply.headers.into_iter().map(|(name, value)| (name.to_string(), value));
            let grpc = reply.grpc_status.map(|status| (String::from("grpc-status"), status.to_string()));
            let headers = headers.chain(grpc).collect();
            decided(Outcome::Replied { status: reply.status, headers, body: reply.body }, &report)
        }
        Decision::Wait => Decided { outcome: Outcome::Waiting, properties: BTreeMap::new(), log: None },
    }
}

fn decided(outcome: Outcome, report: &Report) -> Decided {
    let name = |name: &str| name.strip_prefix("jotgate_").unwrap_or(name).to_string();
    let properties = report.properties().map(|(key, value)| (name(key), value.to_string())).collect();
    Decided { outcome, properties, log: report.log.clone() }
}
