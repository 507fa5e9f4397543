//! The engine itself, natively.

use std::collections::BTreeMap;

use driver::memory::{self, Exchange, Outcome, Proxy};
use gate::{Gate, Policy, Reply, Timestamp};
use jose::signature::Software;

use crate::exchange::{Answer, Request};
use crate::run::Host;
use crate::setting::Setting;

#[derive(Default)]
pub(crate) struct Engine(BTreeMap<String, Proxy<Software>>);

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
        let proxy = self.0.entry(setting.name.clone()).or_insert_with(|| {
            let policy = Policy::parse(setting.config.to_string().as_bytes(), &|_| None);
            let policy = policy.unwrap_or_else(|errors| panic!("{}: {errors}", setting.name));
            Proxy::new(Gate::new(policy, now, 1), Software, now)
        });
        let id = proxy.send(Exchange::new(request.lines()));
        answer_callouts(proxy, setting);
        while proxy.outcome(id) == Some(&Outcome::Waiting) {
            assert!(proxy.pass_to_timer(), "waits for nothing");
            answer_callouts(proxy, setting);
        }
        let exchange = proxy.take(id).unwrap();
        match exchange.outcome {
            Outcome::Forwarded => {
                let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
                let upstream = exchange.headers.0.into_iter().map(|(name, value)| (text(name), text(value))).collect();
                Answer { status: 200, reason: None, headers: Vec::new(), body: String::new(), upstream: Some(upstream) }
            }
            Outcome::Replied { reply, details } => replied(reply, &details),
            Outcome::Waiting => panic!("still waits"),
        }
    }
}

fn answer_callouts(proxy: &mut Proxy<Software>, setting: &Setting) {
    while let Some((token, callout)) = proxy.host.callouts.first().cloned() {
        let nothing = (404, Vec::new());
        let (status, body) = setting.served.get(&callout.path).unwrap_or(&nothing);
        proxy.answer(token, memory::Answer::new(*status, body.as_slice()));
    }
}

/// As a proxy sends it.
fn replied(reply: Reply, details: &str) -> Answer {
    let mut headers: Vec<_> = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let reason = details.strip_prefix("jotgate_").map(str::to_owned);
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
