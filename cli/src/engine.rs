//! The engine, driven as a proxy drives it: a request goes in, and out comes what the upstream or the client gets.

use std::collections::BTreeMap;

use gate::{Decision, Gate, HeaderEdit, Report, Request, RequestId, Timestamp};
use jose::signature::SignatureVerifier;

/// A request: its header lines, pseudo-headers among them, and the address that it comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sent {
    /// Names and values.
    pub lines: Vec<(String, String)>,
    /// Host and port; empty where it is not known.
    pub peer: String,
}

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decided {
    /// Whether and how it was answered.
    pub fate: Fate,
    /// The properties that access logs can tell, such as `jotgate_reason`, without that prefix.
    pub properties: BTreeMap<String, String>,
    /// The line in the plugin's log, for refusals.
    pub log: Option<String>,
}

/// Whether a request passes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The headers of the answer.
        headers: Vec<(String, String)>,
        /// The body of the answer.
        body: String,
    },
    /// The upstream gets it, with these lines.
    Passed(Vec<(String, String)>),
    /// It waits for keys.
    Waiting,
}

impl Sent {
    /// A request for a path on a host.
    pub fn new(method: &str, host: &str, path: &str) -> Self {
        let lines = [(":method", method), (":path", path), (":authority", host), (":scheme", "https")];
        let lines = lines.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Self { lines, peer: String::new() }
    }

    /// Adds a line. Proxies hold names in lower case.
    pub fn add(&mut self, name: &str, value: &str) {
        self.lines.push((name.to_ascii_lowercase(), value.to_string()));
    }

    /// The value of the first line of that name, to be changed.
    pub fn value_mut(&mut self, name: &str) -> Option<&mut String> {
        self.lines.iter_mut().find(|(found, _)| found == name).map(|(_, value)| value)
    }
}

/// Decides on a request.
pub fn decide(gate: &mut Gate, sent: &Sent, now: Timestamp, verifier: &dyn SignatureVerifier) -> Decided {
    let lines: Vec<_> = sent.lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request::new(&lines).with_peer(sent.peer.as_bytes());
    let decision = gate.handle_request(RequestId(1), &request, now, verifier);
    // Counters are for proxies; what would be fetched or resumed is not, here.
    while gate.poll_effect().is_some() {}
    match decision {
        Decision::Forward(edits, report) => {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let forwarded = HeaderEdit::apply(&edits, &lines).into_iter();
            told(Fate::Passed(forwarded.map(|(name, value)| (text(name), text(value))).collect()), &report)
        }
        Decision::Reply(reply, report) => {
            let headers = reply.headers.into_iter().map(|(name, value)| (name.to_string(), value));
            let grpc = reply.grpc_status.map(|status| (String::from("grpc-status"), status.to_string()));
            let headers = headers.chain(grpc).collect();
            told(Fate::Answered { status: reply.status, headers, body: reply.body }, &report)
        }
        Decision::Wait => Decided { fate: Fate::Waiting, properties: BTreeMap::new(), log: None },
    }
}

fn told(fate: Fate, report: &Report) -> Decided {
    let name = |name: &str| name.strip_prefix("jotgate_").unwrap_or(name).to_string();
    let properties = report.properties().map(|(key, value)| (name(key), value.to_string())).collect();
    Decided { fate, properties, log: report.log.clone() }
}
