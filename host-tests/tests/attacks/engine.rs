//! The engine itself, natively.

use std::collections::BTreeMap;

use gate::{Decision, Effect, Gate, HeaderEdit, HeaderLine, Policy, RequestId, Response, Timestamp};
use jose::signature::Software;

use crate::exchange::{Answer, Request};
use crate::run::Host;
use crate::setting::Setting;

#[derive(Default)]
pub(crate) struct Engine(BTreeMap<String, World>);

struct World {
    gate: Gate,
    now: Timestamp,
    requests: u64,
}

impl Host for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn is_real(&self) -> bool {
        false
    }

    fn now(&self) -> u64 {
        1_800_000_000
    }

    fn send(&mut self, setting: &Setting, request: &Request) -> Answer {
        let now = Timestamp::from_secs(self.now());
        self.0.entry(setting.name.clone()).or_insert_with(|| World::new(setting, now)).send(setting, request)
    }
}

impl World {
    fn new(setting: &Setting, now: Timestamp) -> Self {
        let policy = Policy::parse(setting.config.to_string().as_bytes(), &|_| None);
        let policy = policy.unwrap_or_else(|errors| panic!("{}: {errors}", setting.name));
        let mut world = Self { gate: Gate::new(policy, now, 1), now, requests: 0 };
        world.settle(setting);
        world
    }

    fn send(&mut self, setting: &Setting, request: &Request) -> Answer {
        self.requests += 1;
        let (id, lines) = (RequestId(self.requests), request.lines());
        let borrowed: Vec<_> = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        loop {
            match self.gate.handle_request(id, &gate::Request::new(&borrowed), self.now, &Software) {
                Decision::Forward(edits, _) => return forwarded(lines, edits),
                Decision::Reply(reply, report) => {
                    self.settle(setting);
                    return replied(reply, &report);
                }
                Decision::Wait if self.settle(setting).contains(&id) => {}
                Decision::Wait => {
                    self.now = self.gate.next_timeout().unwrap().max(self.now);
                    self.gate.handle_timeout(self.now);
                    self.settle(setting);
                }
            }
        }
    }

    /// Does what the engine asks for; says who was resumed.
    fn settle(&mut self, setting: &Setting) -> Vec<RequestId> {
        let mut resumed = Vec::new();
        while let Some(effect) = self.gate.poll_effect() {
            match effect {
                Effect::Callout(fetch) => {
                    let nothing = (404, Vec::new());
                    let (status, body) = setting.served.get(&fetch.path).unwrap_or(&nothing);
                    let status = status.to_string();
                    let headers: [HeaderLine<'_>; 1] = [(b":status", status.as_bytes())];
                    let response = Response::new(&headers, body);
                    self.gate.handle_callout(fetch.id, Ok(response), self.now);
                }
                Effect::Resume(id) => resumed.push(id),
                _ => {}
            }
        }
        resumed
    }
}

fn forwarded(mut lines: Vec<(String, String)>, edits: Vec<HeaderEdit>) -> Answer {
    for edit in edits {
        match edit {
            HeaderEdit::Add(name, value) => lines.push((name.to_string(), value.to_string())),
            HeaderEdit::Remove(name) => lines.retain(|(found, _)| !found.as_bytes().eq_ignore_ascii_case(&name)),
            HeaderEdit::Set(name, value) => {
                lines.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
                lines.push((name.to_owned(), String::from_utf8(value).unwrap()));
            }
        }
    }
    Answer { status: 200, reason: None, headers: Vec::new(), body: String::new(), upstream: Some(lines) }
}

/// As a proxy sends it.
fn replied(reply: gate::Reply, report: &gate::Report) -> Answer {
    let mut headers: Vec<_> = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let reason = report.details.as_deref().and_then(|details| details.strip_prefix("jotgate_")).map(str::to_owned);
    let (status, body) = match reply.grpc_status {
        None => (reply.status, reply.body),
        Some(status) => {
            headers.push(("content-type".into(), "application/grpc".into()));
            headers.push(("grpc-status".into(), status.to_string()));
            headers.push(("grpc-message".into(), reply.body));
            (200, String::new())
        }
    };
    Answer { status, reason, headers, body, upstream: None }
}
