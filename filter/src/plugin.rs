//! One configuration at work: what the host reports goes to the engine, what the engine wants goes to the host.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gate::{
    Callout, CalloutFailure, CalloutId, Decision, Effect, Gate, HeaderEdit, Level, Metric, Policy, Reply, Report,
    Response,
};
use gate::{Request, RequestId, Timestamp};

use crate::abi::{self, Answer, Buffer, LogLevel, Map, MetricKind};
use crate::pairs;
use crate::shared::HostSharedData;
use crate::signature::HostSignatures;

/// What the host does with a request.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Action {
    /// It goes on.
    Continue = 0,
    /// All of it is held, body included, whatever the host's options say: `StopAllIterationAndWatermark`.
    Pause = 4,
}

/// Everything in this VM: a host may run several configurations in one.
#[derive(Debug)]
pub(crate) struct Vm {
    plugins: BTreeMap<u32, Plugin>,
    /// The root context of each request's context.
    requests: BTreeMap<u32, u32>,
}

impl Vm {
    pub(crate) const fn new() -> Self {
        Self { plugins: BTreeMap::new(), requests: BTreeMap::new() }
    }

    pub(crate) fn create_context(&mut self, context: u32, root: u32) {
        // A root context has no root; it becomes a plugin when it is configured.
        if root != 0 {
            self.requests.insert(context, root);
        }
    }

    pub(crate) fn delete_context(&mut self, context: u32) {
        match self.requests.remove(&context) {
            Some(root) => {
                if let Some(plugin) = self.plugins.get_mut(&root) {
                    plugin.gate.cancel(RequestId(u64::from(context)));
                    plugin.held_bodies.remove(&context);
                }
            }
            None => {
                self.plugins.remove(&context);
            }
        }
    }

    pub(crate) fn configure(&mut self, root: u32, configuration_size: usize) -> bool {
        let configuration = match configuration_size {
            0 => Ok(Vec::new()),
            size => abi::buffer(Buffer::PluginConfiguration, size),
        };
        let (Ok(configuration), Ok(now)) = (configuration, abi::now()) else {
            abi::log(LogLevel::Error, "jotgate: the host gives neither configuration nor time");
            return false;
        };
        match Policy::parse(&configuration, &|name| std::env::var(name).ok()) {
            Ok(policy) => {
                let now = Timestamp::from_nanos(now);
                let mut plugin = Plugin::new(root, policy, now);
                // Those who wait for the configuration before this one are decided on by this one.
                if let Some(predecessor) = self.plugins.remove(&root) {
                    plugin.gate.inherit(predecessor.gate);
                    plugin.fetches = predecessor.fetches;
                    plugin.held_bodies = predecessor.held_bodies;
                }
                plugin.define_metrics();
                plugin.settle(now);
                self.plugins.insert(root, plugin);
                true
            }
            Err(errors) => {
                for error in errors.iter() {
                    abi::log(LogLevel::Error, &format!("jotgate: configuration refused: {error}"));
                }
                false
            }
        }
    }

    pub(crate) fn tick(&mut self, root: u32) {
        if let (Some(plugin), Ok(now)) = (self.plugins.get_mut(&root), abi::now()) {
            let now = Timestamp::from_nanos(now);
            // The host ticks on with the period that it was given for this one instant.
            plugin.armed = None;
            plugin.gate.handle_timeout(now);
            plugin.settle(now);
        }
    }

    pub(crate) fn callout_answered(&mut self, root: u32, token: u32, body_size: usize) {
        if let (Some(plugin), Ok(now)) = (self.plugins.get_mut(&root), abi::now()) {
            plugin.callout_answered(token, body_size, Timestamp::from_nanos(now));
        }
    }

    pub(crate) fn request_headers(&mut self, context: u32, has_body: bool) -> Action {
        let plugin = self.requests.get(&context).and_then(|root| self.plugins.get_mut(root));
        let (Some(plugin), Ok(now)) = (plugin, abi::now()) else { return refuse_for_the_host() };
        let now = Timestamp::from_nanos(now);
        plugin.enter(context, has_body, now)
    }

    pub(crate) fn request_trailers(&self, context: u32) -> Action {
        let plugin = self.requests.get(&context).and_then(|root| self.plugins.get(root));
        match plugin.map(Plugin::clean_trailers) {
            Some(Ok(())) => Action::Continue,
            _ => refuse_for_the_host(),
        }
    }
}

/// The host did not do what the engine needs it to do: nobody passes.
fn refuse_for_the_host() -> Action {
    abi::log(LogLevel::Error, "jotgate: a call to the host failed, the request is refused");
    let headers = pairs::encode(&[("cache-control", "no-store")]);
    // If even this fails, the request is held until the host gives up on it.
    let _ = abi::send_response(500, "jotgate_host_failure", "", &headers, None);
    Action::Pause
}

#[derive(Debug)]
struct Plugin {
    root: u32,
    gate: Gate,
    signatures: HostSignatures,
    /// Callouts under way, by the host's token.
    fetches: BTreeMap<u32, (CalloutId, usize)>,
    /// Requests that wait and have a body: the host says so only once.
    held_bodies: BTreeSet<u32>,
    metrics: BTreeMap<Metric, u32>,
    /// What the host was last asked to wake for.
    armed: Option<Timestamp>,
    /// Whether it does.
    has_ticks: bool,
    /// The request whose call this is, and what becomes of it.
    entered: Option<(u32, Action)>,
}

impl Plugin {
    fn new(root: u32, policy: Policy, now: Timestamp) -> Self {
        Self {
            root,
            // The instant is not the same in any two VMs, and seeds nothing but jitter.
            gate: Gate::new(policy, now, now.since_epoch().as_secs() ^ u64::from(now.since_epoch().subsec_nanos())),
            signatures: HostSignatures::check(),
            fetches: BTreeMap::new(),
            held_bodies: BTreeSet::new(),
            metrics: BTreeMap::new(),
            armed: None,
            has_ticks: false,
            entered: None,
        }
    }

    /// Decides on a request inside its own call.
    fn enter(&mut self, context: u32, has_body: bool, now: Timestamp) -> Action {
        // A refusal is this request's: it is sent before effects turn to others.
        let action = self.decide(context, has_body, now).unwrap_or_else(|_| refuse_for_the_host());
        self.entered = Some((context, action));
        self.settle(now);
        let action = self.entered.take().map_or(action, |(_, action)| action);
        if !self.has_ticks {
            self.gate.handle_timeout(now);
            self.settle(now);
        }
        action
    }

    /// Hands the request of the effective context to the engine, and carries out the decision.
    fn decide(&mut self, context: u32, has_body: bool, now: Timestamp) -> Answer<Action> {
        let bytes = abi::header_map(Map::RequestHeaders)?;
        let Some(lines) = pairs::decode(&bytes) else { return Ok(refuse_for_the_host()) };
        let peer = match self.gate.asks_for_peer() {
            true => abi::property(&["source", "address"]).unwrap_or_default(),
            false => Vec::new(),
        };
        let request = Request::new(&lines).with_peer(&peer).with_body(has_body);
        match self.gate.handle_request(RequestId(u64::from(context)), &request, now, &self.signatures) {
            Decision::Forward(edits, report) => {
                apply(Map::RequestHeaders, &edits)?;
                self.report(&report);
                Ok(Action::Continue)
            }
            Decision::Reply(reply, report) => {
                reply_with(&reply, &report)?;
                self.report(&report);
                Ok(Action::Pause)
            }
            Decision::Wait => {
                // The host's timers do not notice when its clock is set: what waits is timed anew, from now.
                self.armed = None;
                if has_body {
                    self.held_bodies.insert(context);
                }
                Ok(Action::Pause)
            }
        }
    }

    fn clean_trailers(&self) -> Answer<()> {
        let bytes = abi::header_map(Map::RequestTrailers)?;
        let lines = pairs::decode(&bytes).ok_or(abi::Status(u32::MAX))?;
        apply(Map::RequestTrailers, &self.gate.handle_trailers(&lines))
    }

    fn callout_answered(&mut self, token: u32, body_size: usize, now: Timestamp) {
        let Some((id, max)) = self.fetches.remove(&token) else { return };
        // What the host does not hand out is missing: the engine judges by what is there.
        let headers = abi::header_map(Map::CalloutHeaders).unwrap_or_default();
        let headers = pairs::decode(&headers).unwrap_or_default();
        let body = match body_size.min(max) {
            0 => Vec::new(),
            size => abi::buffer(Buffer::CalloutBody, size).unwrap_or_default(),
        };
        let response = Response::new(&headers, &body);
        self.gate.handle_callout(id, Ok(response), now);
        self.settle(now);
    }

    /// Carries out effects until there are none, and has the host call again in time.
    fn settle(&mut self, now: Timestamp) {
        while let Some(effect) = self.gate.poll_effect() {
            match effect {
                Effect::Count(metric) => self.count(metric),
                Effect::Callout(callout) => self.call(&callout, now),
                Effect::Gauge(metric, value) => self.record(metric, value),
                Effect::Log(Level::Info, text) => abi::log(LogLevel::Info, &format!("jotgate: {text}")),
                Effect::Log(Level::Warn, text) => abi::log(LogLevel::Warn, &format!("jotgate: {text}")),
                Effect::Record(metric, value) => self.record(metric, value),
                Effect::Resume(RequestId(id)) => self.resume(u32::try_from(id).unwrap_or_default(), now),
                Effect::Share => self.gate.handle_shared(&mut HostSharedData, now),
            }
        }
        self.arm(now);
    }

    fn call(&mut self, callout: &Callout, now: Timestamp) {
        let mut headers = vec![
            (":method", callout.method),
            (":scheme", callout.scheme),
            (":authority", &callout.authority),
            (":path", &callout.path),
        ];
        headers.extend(callout.headers.iter().map(|(name, value)| (*name, value.as_str())));
        match abi::http_call(&callout.cluster, &pairs::encode(&headers), &callout.body, callout.timeout) {
            Ok(token) => {
                self.fetches.insert(token, (callout.id, callout.max_body_bytes));
            }
            Err(abi::Status(status)) => {
                self.gate.handle_callout(callout.id, Err(CalloutFailure::NotSent { status }), now);
            }
        }
    }

    fn resume(&mut self, context: u32, now: Timestamp) {
        let has_body = self.held_bodies.remove(&context);
        if abi::set_effective_context(context).is_err() {
            // The host no longer knows the request.
            self.gate.cancel(RequestId(u64::from(context)));
            return;
        }
        if self.entered.is_some_and(|(entered, _)| entered == context) {
            // The host waits for the answer of this very call: it need not be told to go on.
            let action = self.decide(context, has_body, now).unwrap_or_else(|_| refuse_for_the_host());
            self.entered = Some((context, action));
            return;
        }
        match self.decide(context, has_body, now) {
            Ok(Action::Continue) if abi::continue_request().is_ok() => {}
            Ok(Action::Pause) => {}
            _ => {
                refuse_for_the_host();
            }
        }
        let _ = abi::set_effective_context(self.root);
    }

    fn arm(&mut self, now: Timestamp) {
        let next = self.gate.next_timeout();
        if next == self.armed {
            return;
        }
        // Periods are whole milliseconds: rounded up, so that what is due is due, and never zero, which means never.
        let wait = |next: Timestamp| next.since(now).saturating_add(Duration::from_millis(1));
        // Without ticks the engine does what is due when a request comes.
        self.has_ticks = abi::set_tick_period(next.map_or(Duration::ZERO, wait)).is_ok();
        if self.has_ticks {
            self.armed = next;
        }
    }

    fn report(&mut self, report: &Report) {
        for (name, value) in report.properties() {
            // Access logs without this are no reason to refuse anyone.
            let _ = abi::set_property(name, value.as_bytes());
        }
        if let Some(line) = &report.log {
            abi::log(LogLevel::Info, &format!("jotgate: {line}"));
        }
        if let Some(metric) = report.metric {
            self.count(metric);
        }
    }

    fn count(&mut self, metric: Metric) {
        if let Some(id) = self.metric(metric) {
            let _ = abi::increment_metric(id, 1);
        }
    }

    fn record(&mut self, metric: Metric, value: u64) {
        if let Some(id) = self.metric(metric) {
            let _ = abi::record_metric(id, value);
        }
    }

    /// Monitoring sees the first event of a counter only where the counter was there before.
    fn define_metrics(&mut self) {
        for metric in self.gate.metrics() {
            let _ = self.metric(metric);
        }
    }

    fn metric(&mut self, metric: Metric) -> Option<u32> {
        if let Some(&id) = self.metrics.get(&metric) {
            return Some(id);
        }
        let kind = match metric.kind() {
            gate::MetricKind::Counter => MetricKind::Counter,
            gate::MetricKind::Gauge => MetricKind::Gauge,
            gate::MetricKind::Histogram => MetricKind::Histogram,
        };
        let id = abi::define_metric(kind, &self.gate.metric_name(metric)).ok()?;
        self.metrics.insert(metric, id);
        Some(id)
    }
}

fn apply(map: Map, edits: &[HeaderEdit]) -> Answer<()> {
    edits.iter().try_for_each(|edit| match edit {
        HeaderEdit::Add(name, value) => abi::add_header(map, name.as_bytes(), value.as_bytes()),
        HeaderEdit::Remove(name) => abi::remove_header(map, name),
        HeaderEdit::Set(name, value) => {
            // Hosts differ in what replacing leaves where there are several lines. Pseudo-headers have one, and cannot
            // be removed.
            if !name.starts_with(':') {
                abi::remove_header(map, name.as_bytes())?;
            }
            abi::replace_header(map, name.as_bytes(), value)
        }
    })
}

fn reply_with(reply: &Reply, report: &Report) -> Answer<()> {
    let headers: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let details = report.details.as_deref().unwrap_or_default();
    abi::send_response(reply.status, details, &reply.body, &pairs::encode(&headers), reply.grpc_status)
}
