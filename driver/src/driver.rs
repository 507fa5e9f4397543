//! One configuration at work: what the host reports goes to the engine, what the engine wants goes to the host.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use gate::{
    Callout, CalloutFailure, CalloutId, Capabilities, Connection, Decision, Effect, Gate, HeaderEdit, HeaderLine,
    Level, Reply, Report, Request, RequestId, Response, ResponseDecision, SharedData, Timestamp,
};
use jose::signature::SignatureVerifier;

use crate::host::{CalloutToken, Headers, Host, HostError, LogLevel};
use crate::metrics::Metrics;

/// What the host does with a request when a call ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// It goes on.
    Continue,
    /// All of it is held, body included; it was answered, or is continued later.
    Pause,
}

/// One configuration at work.
#[derive(Clone, Debug)]
pub struct Driver<V> {
    root: u32,
    gate: Gate,
    verifier: V,
    /// Those under way: few, and searched from the front.
    callouts: Vec<PendingCallout>,
    /// Requests that wait and have a body, sorted: the host says so only once.
    held_bodies: Vec<RequestId>,
    metrics: Metrics,
    /// When the host was last asked to call.
    armed: Option<Timestamp>,
    /// Whether it does, as far as it was asked.
    has_timer: bool,
    /// The request whose call this is, and what becomes of it.
    current_request: Option<(RequestId, Action)>,
    /// The request whose response's call this is, and what becomes of it.
    current_response: Option<(RequestId, Action)>,
}

/// A callout under way.
#[derive(Clone, Copy, Debug)]
struct PendingCallout {
    token: CalloutToken,
    id: CalloutId,
    max_body_bytes: usize,
}

/// What the engine is lent for its calls at one instant.
struct Lent<'v, V, H: Host> {
    now: Timestamp,
    signatures: &'v V,
    signer: H::Signer,
    random: H::Random,
}

impl<'v, V: SignatureVerifier, H: Host> Lent<'v, V, H> {
    fn by(host: &H, signatures: &'v V, now: Timestamp) -> Self {
        Self { now, signatures, signer: host.signer(), random: host.random() }
    }

    fn capabilities(&self) -> Capabilities<'_> {
        let Self { now, signatures, signer, random } = self;
        Capabilities { now: *now, signatures: *signatures, signer, random }
    }
}

/// The connection of the current request, which is asked for its certificate where a token is bound to one.
struct CurrentConnection<'h, H>(RefCell<&'h mut H>);

impl<H: Host> Connection for CurrentConnection<'_, H> {
    fn peer_certificate(&self) -> Vec<u8> {
        // What the host does not hand out is no certificate.
        self.0.try_borrow_mut().ok().and_then(|mut host| host.peer_certificate().ok()).unwrap_or_default()
    }
}

impl<H> fmt::Debug for CurrentConnection<'_, H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CurrentConnection")
    }
}

impl<V> Driver<V> {
    /// A driver of an engine that nothing was asked of yet. `root` is the host's name for the configuration.
    pub fn new(root: u32, gate: Gate, verifier: V) -> Self {
        Self {
            root,
            gate,
            verifier,
            callouts: Vec::new(),
            held_bodies: Vec::new(),
            metrics: Metrics::default(),
            armed: None,
            has_timer: true,
            current_request: None,
            current_response: None,
        }
    }

    /// Takes over what waits and what is under way for the configuration before, whose counts are complete with this. To
    /// be called before anything else.
    pub fn inherit(&mut self, host: &mut impl Host, mut predecessor: Self) {
        predecessor.metrics.report(host);
        self.gate.inherit(predecessor.gate);
        self.callouts = predecessor.callouts;
        self.held_bodies = predecessor.held_bodies;
    }

    /// The configuration is over: the host gets to know of all that was counted, and others may fetch in its place.
    pub fn end(&mut self, host: &mut impl Host) {
        self.metrics.report(host);
        if let Ok(now) = host.now() {
            self.release(host.shared_data(), now);
        }
    }

    /// Gives up the fetches that are under way, so that others may make them at once.
    pub fn release(&mut self, shared: &mut dyn SharedData, now: Timestamp) {
        self.gate.end(shared, now);
    }

    /// A request is gone, whether it was decided or not.
    pub fn cancel(&mut self, id: RequestId) {
        self.gate.cancel(id);
        self.release_body(id);
    }

    /// Forgets that a request has a body, and says whether it was known.
    fn release_body(&mut self, id: RequestId) -> bool {
        self.held_bodies.binary_search(&id).map(|index| self.held_bodies.remove(index)).is_ok()
    }

    /// The host's name for the configuration.
    pub(crate) fn root(&self) -> u32 {
        self.root
    }

    /// The engine.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl<V: SignatureVerifier> Driver<V> {
    /// Carries out what the engine wants from the start.
    pub fn start(&mut self, host: &mut impl Host, now: Timestamp) {
        self.metrics.define(host, &self.gate);
        self.settle(host, now);
    }

    /// The timer has run out.
    pub fn tick(&mut self, host: &mut impl Host) {
        let Ok(now) = host.now() else { return };
        // The host ticks on with the period that it was given for this one instant.
        self.armed = None;
        self.handle_timeout(host, now);
    }

    /// Decides on a request inside its own call.
    pub fn request_headers(&mut self, host: &mut impl Host, id: RequestId, has_body: bool) -> Action {
        let Ok(now) = host.now() else { return refuse_for_the_host(host) };
        // A refusal is this request's: it is sent before effects turn to others.
        let action = self.decide(host, id, has_body, now).unwrap_or_else(|_| refuse_for_the_host(host));
        self.current_request = Some((id, action));
        self.settle(host, now);
        let action = self.current_request.take().map_or(action, |(_, action)| action);
        if !self.has_timer {
            self.handle_timeout(host, now);
        }
        action
    }

    /// Removes from trailers what no client may send.
    pub fn request_trailers(&self, host: &mut impl Host) -> Action {
        match self.clean_trailers(host) {
            Ok(()) => Action::Continue,
            Err(_) => refuse_for_the_host(host),
        }
    }

    /// Edits the response to a request, where the engine has something to add to it. All others cost nothing.
    pub fn response_headers(&mut self, host: &mut impl Host, id: RequestId) -> Action {
        if !self.gate.expects_response(id) {
            return Action::Continue;
        }
        let Ok(now) = host.now() else { return leave_response(host) };
        let action = self.decide_response(host, id, now);
        if action == Action::Pause {
            // As for a request that waits: the host's timers do not notice when its clock is set.
            self.armed = None;
        }
        self.current_response = Some((id, action));
        self.settle(host, now);
        self.current_response.take().map_or(action, |(_, action)| action)
    }

    /// A callout was answered, with a body of this many bytes.
    pub fn callout_answered(&mut self, host: &mut impl Host, token: CalloutToken, body_size: usize) {
        let Ok(now) = host.now() else { return };
        let Some(callout) = self.end_callout(token) else { return };
        let lent = Lent::by(host, &self.verifier, now);
        let gate = &mut self.gate;
        let is_read = host.read_headers(Headers::CalloutResponse, |host, lines| {
            let body = match body_size.min(callout.max_body_bytes) {
                0 => Vec::new(),
                size => host.callout_body(size).unwrap_or_default(),
            };
            gate.handle_callout(callout.id, Ok(Response::new(lines, &body)), lent.capabilities());
        });
        if is_read.is_err() {
            // What the host does not hand out is missing: the engine judges by what is there.
            gate.handle_callout(callout.id, Ok(Response::new(&[], &[])), lent.capabilities());
        }
        self.settle(host, now);
    }

    /// A callout is over without a response.
    pub fn callout_failed(&mut self, host: &mut impl Host, token: CalloutToken, failure: CalloutFailure) {
        let Ok(now) = host.now() else { return };
        let Some(callout) = self.end_callout(token) else { return };
        let lent = Lent::by(host, &self.verifier, now);
        self.gate.handle_callout(callout.id, Err(failure), lent.capabilities());
        self.settle(host, now);
    }

    /// Hands the current request to the engine, and carries out the decision.
    fn decide<H: Host>(
        &mut self,
        host: &mut H,
        id: RequestId,
        has_body: bool,
        now: Timestamp,
    ) -> Result<Action, HostError> {
        let lent = Lent::by(host, &self.verifier, now);
        let gate = &mut self.gate;
        let decision = host.read_headers(Headers::Request, |host, lines| {
            let peer = match gate.asks_for_peer() {
                true => host.peer_address().unwrap_or_default(),
                false => Vec::new(),
            };
            let connection = CurrentConnection(RefCell::new(host));
            let request = Request::new(lines).with_peer(&peer).with_body(has_body).with_connection(&connection);
            gate.handle_request(id, &request, lent.capabilities())
        })?;
        match decision {
            Decision::Forward(edits, report) => {
                apply(host, Headers::Request, &edits)?;
                self.publish(host, &report, now);
                Ok(Action::Continue)
            }
            Decision::Reply(reply, report) => {
                host.send_reply(&reply, report.details.as_deref().unwrap_or_default())?;
                self.publish(host, &report, now);
                Ok(Action::Pause)
            }
            Decision::Wait => {
                // The host's timers do not notice when its clock is set: what waits is timed anew, from now.
                self.armed = None;
                if let (true, Err(index)) = (has_body, self.held_bodies.binary_search(&id)) {
                    self.held_bodies.insert(index, id);
                }
                Ok(Action::Pause)
            }
        }
    }

    fn handle_timeout(&mut self, host: &mut impl Host, now: Timestamp) {
        let lent = Lent::by(host, &self.verifier, now);
        self.gate.handle_timeout(lent.capabilities());
        self.carry_out_all(host, now);
        self.metrics.report(host);
        self.arm(host, now);
    }

    fn clean_trailers(&self, host: &mut impl Host) -> Result<(), HostError> {
        let edits = host.read_headers(Headers::RequestTrailers, |_, lines| self.gate.handle_trailers(lines))?;
        apply(host, Headers::RequestTrailers, &edits)
    }

    /// Carries out effects until there are none, and has the host call again in time.
    fn settle(&mut self, host: &mut impl Host, now: Timestamp) {
        self.carry_out_all(host, now);
        self.arm(host, now);
    }

    fn carry_out_all(&mut self, host: &mut impl Host, now: Timestamp) {
        while let Some(effect) = self.gate.poll_effect() {
            self.carry_out(host, effect, now);
        }
    }

    pub(crate) fn carry_out(&mut self, host: &mut impl Host, effect: Effect, now: Timestamp) {
        match effect {
            Effect::Close(id) => self.close(host, id),
            Effect::Callout(callout) => self.send_callout(host, &callout, now),
            Effect::Count(metric) => self.metrics.count(host, &self.gate, metric, now),
            Effect::Gauge(metric, value) | Effect::Record(metric, value) => {
                self.metrics.record(host, &self.gate, metric, value);
            }
            Effect::Log(Level::Info, text) => host.log(LogLevel::Info, &format!("jotgate: {text}")),
            Effect::Log(Level::Warn, text) => host.log(LogLevel::Warn, &format!("jotgate: {text}")),
            Effect::Resume(id) => self.resume(host, id, now),
            Effect::ResumeResponse(id) => self.resume_response(host, id, now),
            Effect::Share => {
                let lent = Lent::by(host, &self.verifier, now);
                self.gate.handle_shared(host.shared_data(), lent.capabilities());
            }
        }
    }

    fn end_callout(&mut self, token: CalloutToken) -> Option<PendingCallout> {
        let index = self.callouts.iter().position(|callout| callout.token == token)?;
        Some(self.callouts.swap_remove(index))
    }

    fn send_callout(&mut self, host: &mut impl Host, callout: &Callout, now: Timestamp) {
        match host.send_callout(callout) {
            Ok(token) => {
                // Hosts may use a token again.
                self.end_callout(token);
                let pending = PendingCallout { token, id: callout.id, max_body_bytes: callout.max_body_bytes };
                self.callouts.push(pending);
            }
            Err(HostError { status }) => {
                let lent = Lent::by(host, &self.verifier, now);
                self.gate.handle_callout(callout.id, Err(CalloutFailure::NotSent { status }), lent.capabilities());
            }
        }
    }

    fn resume(&mut self, host: &mut impl Host, id: RequestId, now: Timestamp) {
        let has_body = self.release_body(id);
        if host.select_request(id).is_err() {
            // The host no longer knows the request.
            self.gate.cancel(id);
            return;
        }
        if self.current_request.is_some_and(|(current, _)| current == id) {
            // The host waits for the end of this very call: it need not be told to go on.
            let action = self.decide(host, id, has_body, now).unwrap_or_else(|_| refuse_for_the_host(host));
            self.current_request = Some((id, action));
            return;
        }
        match self.decide(host, id, has_body, now) {
            Ok(Action::Continue) if host.continue_request().is_ok() => {}
            Ok(Action::Pause) => {}
            _ => {
                refuse_for_the_host(host);
            }
        }
        let _ = host.select_root(self.root);
    }

    /// Hands the response to the current request to the engine, and carries out the decision.
    fn decide_response<H: Host>(&mut self, host: &mut H, id: RequestId, now: Timestamp) -> Action {
        let lent = Lent::by(host, &self.verifier, now);
        let gate = &mut self.gate;
        edit_response(host, |lines| gate.handle_response(id, lines, lent.capabilities()))
    }

    fn resume_response(&mut self, host: &mut impl Host, id: RequestId, now: Timestamp) {
        if host.select_request(id).is_err() {
            // The host no longer knows the request.
            self.gate.cancel(id);
            return;
        }
        let action = self.decide_response(host, id, now);
        if self.current_response.is_some_and(|(current, _)| current == id) {
            // The host waits for the end of this very call.
            self.current_response = Some((id, action));
            return;
        }
        if action == Action::Continue && host.continue_response().is_err() {
            host.log(LogLevel::Error, "jotgate: a call to the host failed, a response is held until the host gives up");
        }
        let _ = host.select_root(self.root);
    }

    fn close(&mut self, host: &mut impl Host, id: RequestId) {
        if host.select_request(id).is_err() {
            // The host no longer knows the request.
            self.gate.cancel(id);
            return;
        }
        if host.close_request().is_err() {
            host.log(LogLevel::Error, "jotgate: a call to the host failed, a connection outlives its session");
        }
        let _ = host.select_root(self.root);
    }

    fn arm(&mut self, host: &mut impl Host, now: Timestamp) {
        let next = [self.gate.next_timeout(), self.metrics.due()].into_iter().flatten().min();
        if next == self.armed {
            return;
        }
        // Hosts count whole milliseconds: rounded up, so that what is due is due, and never zero.
        let wait = |next: Timestamp| next.since(now).saturating_add(Duration::from_millis(1));
        // Without a timer the engine does what is due when a request comes.
        self.has_timer = host.set_timer(next.map(wait)).is_ok();
        if self.has_timer {
            self.armed = next;
        }
    }

    fn publish(&mut self, host: &mut impl Host, report: &Report, now: Timestamp) {
        for (name, value) in report.properties() {
            // Access logs without this are no reason to refuse anyone.
            let _ = host.set_property(name, value);
        }
        if let Some(line) = &report.log {
            host.log(LogLevel::Info, &format!("jotgate: {line}"));
        }
        if let Some(metric) = report.metric {
            self.metrics.count(host, &self.gate, metric, now);
        }
    }
}

/// The host did not do what the engine needs it to do: the request does not pass.
pub(crate) fn refuse_for_the_host(host: &mut impl Host) -> Action {
    host.log(LogLevel::Error, "jotgate: a call to the host failed, the request is refused");
    let headers = vec![("cache-control", String::from("no-store"))];
    let reply = Reply { status: 500, headers, body: String::new(), grpc_status: None };
    // If even this fails, the request is held until the host gives up on it.
    let _ = host.send_reply(&reply, "jotgate_host_failure");
    Action::Pause
}

/// Does with the response to the current request what `decide` says. Whatever fails, it goes on.
pub(crate) fn edit_response<H: Host>(
    host: &mut H,
    decide: impl FnOnce(&[HeaderLine<'_>]) -> ResponseDecision,
) -> Action {
    match host.read_headers(Headers::Response, |_, lines| decide(lines)) {
        Ok(ResponseDecision::Wait) => Action::Pause,
        // The first edit that fails is the last: later ones may only be right beside it.
        Ok(ResponseDecision::Continue(edits)) if apply(host, Headers::Response, &edits).is_ok() => Action::Continue,
        _ => leave_response(host),
    }
}

fn leave_response(host: &mut impl Host) -> Action {
    host.log(LogLevel::Error, "jotgate: a call to the host failed, the response goes on as it is");
    Action::Continue
}

fn apply(host: &mut impl Host, headers: Headers, edits: &[HeaderEdit]) -> Result<(), HostError> {
    edits.iter().try_for_each(|edit| host.edit_headers(headers, edit))
}
