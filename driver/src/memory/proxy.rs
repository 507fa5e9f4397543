//! A driver on a host in memory.

use std::time::Duration;

use gate::{CalloutFailure, Gate, RequestId, Timestamp};
use jose::signature::SignatureVerifier;

use super::{Answer, Exchange, HeaderLines, Memory, Outcome};
use crate::driver::{Action, Driver};
use crate::host::CalloutToken;

/// The host's name for the configuration.
const ROOT: u32 = 1;

/// One configuration at work on a host in memory.
#[derive(Debug)]
pub struct Proxy<V> {
    /// The host.
    pub host: Memory,
    driver: Driver<V>,
    requests_sent: u64,
}

impl<V: SignatureVerifier> Proxy<V> {
    /// A proxy of its own. Its first timer has not run out yet.
    pub fn new(gate: Gate, verifier: V, now: Timestamp) -> Self {
        Self::on(Memory::new(now), gate, verifier)
    }

    /// A proxy on this host.
    pub fn on(mut host: Memory, gate: Gate, verifier: V) -> Self {
        let mut driver = Driver::new(ROOT, gate, verifier);
        let now = host.now;
        driver.start(&mut host, now);
        Self { host, driver, requests_sent: 0 }
    }

    /// The engine.
    pub fn gate(&self) -> &Gate {
        self.driver.gate()
    }

    /// The same proxy gets another configuration.
    pub fn reconfigure(&mut self, gate: Gate, verifier: V) {
        let predecessor = std::mem::replace(&mut self.driver, Driver::new(ROOT, gate, verifier));
        self.driver.inherit(&mut self.host, predecessor);
        let now = self.host.now;
        self.driver.start(&mut self.host, now);
        self.pass_replies();
    }

    /// The configuration is over.
    pub fn end(mut self) {
        self.driver.end(&mut self.host);
    }

    /// Sends a request; what became of it is under this number in [`Memory::requests`].
    pub fn send(&mut self, request: Exchange) -> RequestId {
        self.requests_sent += 1;
        let id = RequestId(self.requests_sent);
        let has_body = request.has_body();
        self.host.requests.insert(id, request);
        let action = self.inside(id, |driver, host| driver.request_headers(host, id, has_body));
        self.conclude(id, action);
        self.pass_replies();
        id
    }

    /// The upstream answers a request that went on; gives the header lines that the client gets.
    pub fn respond(
        &mut self,
        id: RequestId,
        lines: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
    ) -> HeaderLines {
        if let Some(exchange) = self.host.requests.get_mut(&id) {
            exchange.response = lines.into_iter().collect();
        }
        let action = self.inside(id, |driver, host| driver.response_headers(host, id));
        if let Some(exchange) = self.host.requests.get_mut(&id) {
            exchange.is_response_held = action == Action::Pause;
        }
        self.host.requests.get(&id).map(|exchange| exchange.response.clone()).unwrap_or_default()
    }

    /// What became of a request.
    pub fn outcome(&self, id: RequestId) -> Option<&Outcome> {
        self.host.requests.get(&id).map(|exchange| &exchange.outcome)
    }

    /// Sends a request, and takes it away again at once, with what became of it.
    pub fn decide(&mut self, request: Exchange) -> Exchange {
        let id = self.send(request);
        self.take(id).unwrap_or_default()
    }

    /// Takes a request away, with what became of it.
    pub fn take(&mut self, id: RequestId) -> Option<Exchange> {
        self.driver.cancel(id);
        self.host.requests.remove(&id)
    }

    /// The trailers of a request that went on.
    pub fn send_trailers(&mut self, id: RequestId) -> Action {
        self.inside(id, |driver, host| driver.request_trailers(host))
    }

    /// Answers a callout.
    pub fn answer(&mut self, token: CalloutToken, answer: Answer) {
        self.host.callouts.retain(|(found, _)| *found != token);
        let size = answer.body.len();
        self.host.answer = answer;
        self.driver.callout_answered(&mut self.host, token, size);
        self.host.answer = Answer::default();
        self.pass_replies();
    }

    /// Answers the oldest callout, if there is one.
    pub fn answer_next(&mut self, answer: Answer) -> bool {
        let oldest = self.host.callouts.first().map(|(token, _)| *token);
        oldest.map(|token| self.answer(token, answer)).is_some()
    }

    /// Has a callout end without a response.
    pub fn fail_callout(&mut self, token: CalloutToken) {
        self.host.callouts.retain(|(found, _)| *found != token);
        self.driver.callout_failed(&mut self.host, token, CalloutFailure::NoAnswer);
        self.pass_replies();
    }

    /// Lets time pass, with every timer on the way.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.host.now.after(duration);
        while let Some(due) = self.host.timer.filter(|due| *due <= end) {
            self.tick_at(due);
        }
        self.host.now = end;
    }

    /// Lets time pass until the next timer; `false` if there is none.
    pub fn pass_to_timer(&mut self) -> bool {
        self.host.timer.map(|due| self.tick_at(due)).is_some()
    }

    /// Has the timer run out now, whenever it is due.
    pub fn tick(&mut self) {
        self.tick_at(self.host.now);
    }

    fn tick_at(&mut self, due: Timestamp) {
        self.host.now = due.max(self.host.now);
        self.host.timer = None;
        self.driver.tick(&mut self.host);
        self.pass_replies();
    }

    fn inside<T>(&mut self, id: RequestId, call: impl FnOnce(&mut Driver<V>, &mut Memory) -> T) -> T {
        self.host.current = Some(id);
        let result = call(&mut self.driver, &mut self.host);
        self.host.current = None;
        result
    }

    /// Proxies hand a plugin the responses that it sent itself, too.
    fn pass_replies(&mut self) {
        for id in std::mem::take(&mut self.host.replied) {
            self.inside(id, |driver, host| driver.response_headers(host, id));
        }
    }

    fn conclude(&mut self, id: RequestId, action: Action) {
        if let (Action::Continue, Some(exchange)) = (action, self.host.requests.get_mut(&id)) {
            // One that was answered meanwhile stays answered.
            let _ = exchange.end(Outcome::Forwarded);
        }
    }
}
