//! A host without a proxy: requests, callouts, shared data, log and time are values in memory.
//!
//! [`Proxy`] is a driver on such a host: a request goes in, and out comes what the upstream or the client gets. Time
//! stands still until it is told to pass, a callout waits until it is answered, and any call can be made to fail
//! ([`Memory::fail`]).

mod exchange;
mod proxy;
mod random;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gate::{Callout, HeaderEdit, HeaderLine, MetricKind, Reply, RequestId, SharedData, Timestamp};

use jose::signature::Software;

use self::exchange::FAILED;
pub use self::exchange::{Answer, Exchange, HeaderLines, Outcome};
pub use self::proxy::Proxy;
pub use self::random::Sequence;
pub use self::store::{Store, Stored};
use crate::host::{CalloutToken, Headers, Host, HostError, LogLevel};

/// A call to the host, to be made to fail.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "they are the methods of `Host`")]
pub enum Call {
    CalloutBody,
    CloseRequest,
    Configuration,
    ContinueRequest,
    ContinueResponse,
    DefineMetric,
    EditHeaders,
    IncrementMetric,
    Now,
    PeerAddress,
    PeerCertificate,
    Random,
    ReadCalloutHeaders,
    ReadHeaders,
    RecordMetric,
    SelectRequest,
    SelectRoot,
    SendCallout,
    SendReply,
    SetProperty,
    SetTimer,
}

/// The host. Whatever it was asked to do is there to be looked at.
#[derive(Debug, Default)]
pub struct Memory {
    /// The present instant.
    pub now: Timestamp,
    /// The text of the configuration, for [`crate::Vm::configure`].
    pub configuration: Vec<u8>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Every line of the log.
    pub log: Vec<(LogLevel, String)>,
    /// Counters and gauges, and of histograms what was added last.
    pub metrics: BTreeMap<String, u64>,
    /// The requests that are there.
    pub requests: BTreeMap<RequestId, Exchange>,
    /// The callouts that were not answered yet, the oldest first.
    pub callouts: Vec<(CalloutToken, Callout)>,
    /// What it draws: always the same, one after the other.
    pub random: Sequence,
    /// The data that it shares with other VMs.
    pub store: Store,
    /// How long the driver counts by itself.
    pub count_period: Option<Duration>,
    current: Option<RequestId>,
    /// The requests that were answered, and whose responses the driver has not seen yet.
    replied: Vec<RequestId>,
    answer: Answer,
    callouts_sent: CalloutToken,
    failing: BTreeSet<Call>,
    metric_names: Vec<String>,
    timer: Option<Timestamp>,
}

impl Memory {
    /// A host at this instant, with shared data of its own.
    pub fn new(now: Timestamp) -> Self {
        Self { now, ..Self::default() }
    }

    /// This host, with shared data that it has in common with others.
    #[must_use]
    pub fn with_store(self, store: Store) -> Self {
        Self { store, ..self }
    }

    /// From now on, this call fails.
    pub fn fail(&mut self, call: Call) {
        self.failing.insert(call);
    }

    /// From now on, no call fails.
    pub fn recover(&mut self) {
        self.failing.clear();
    }

    /// When it calls the driver next.
    pub fn timer(&self) -> Option<Timestamp> {
        self.timer
    }

    /// The metrics that were defined.
    pub fn metric_names(&self) -> impl Iterator<Item = &str> {
        self.metric_names.iter().map(String::as_str)
    }

    fn check(&self, call: Call) -> Result<(), HostError> {
        if self.failing.contains(&call) { Err(FAILED) } else { Ok(()) }
    }

    fn current(&mut self, call: Call) -> Result<&mut Exchange, HostError> {
        self.check(call)?;
        self.current.and_then(|id| self.requests.get_mut(&id)).ok_or(FAILED)
    }

    fn metric(&mut self, call: Call, number: u32) -> Result<&mut u64, HostError> {
        self.check(call)?;
        let name = usize::try_from(number).ok().and_then(|index| self.metric_names.get(index)).ok_or(FAILED)?;
        Ok(self.metrics.entry(name.clone()).or_default())
    }
}

impl Host for Memory {
    type Random = Sequence;
    type Signer = Software;

    fn signer(&self) -> Software {
        Software
    }

    fn random(&self) -> Sequence {
        match self.check(Call::Random) {
            Ok(()) => self.random.clone(),
            Err(_) => Sequence::failing(),
        }
    }

    fn now(&mut self) -> Result<Timestamp, HostError> {
        self.check(Call::Now).map(|()| self.now)
    }

    fn configuration(&mut self, size: usize) -> Result<Vec<u8>, HostError> {
        self.check(Call::Configuration)?;
        Ok(self.configuration.iter().copied().take(size).collect())
    }

    fn environment(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn log(&mut self, level: LogLevel, line: &str) {
        self.log.push((level, line.to_owned()));
        if let Some(exchange) = self.current.and_then(|id| self.requests.get_mut(&id)) {
            exchange.log.push(line.to_owned());
        }
    }

    fn read_headers<T>(
        &mut self,
        headers: Headers,
        read: impl FnOnce(&mut Self, &[HeaderLine<'_>]) -> T,
    ) -> Result<T, HostError> {
        let headers = match headers {
            Headers::CalloutResponse => self.check(Call::ReadCalloutHeaders).map(|()| self.answer.headers.clone())?,
            Headers::Request => self.current(Call::ReadHeaders)?.headers.clone(),
            Headers::RequestTrailers => self.current(Call::ReadHeaders)?.trailers.clone(),
            Headers::Response => self.current(Call::ReadHeaders)?.response.clone(),
        };
        Ok(read(self, &headers.lines()))
    }

    fn edit_headers(&mut self, headers: Headers, edit: &HeaderEdit) -> Result<(), HostError> {
        let exchange = self.current(Call::EditHeaders)?;
        match headers {
            Headers::CalloutResponse => return Err(FAILED),
            Headers::Request => exchange.headers.edit(edit),
            Headers::RequestTrailers => exchange.trailers.edit(edit),
            Headers::Response => exchange.response.edit(edit),
        }
        Ok(())
    }

    fn peer_address(&mut self) -> Result<Vec<u8>, HostError> {
        self.current(Call::PeerAddress).map(|exchange| exchange.peer.clone())
    }

    fn peer_certificate(&mut self) -> Result<Vec<u8>, HostError> {
        self.current(Call::PeerCertificate).map(|exchange| exchange.certificate.clone())
    }

    fn set_property(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        self.current(Call::SetProperty)?.properties.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn send_reply(&mut self, reply: &Reply, details: &str) -> Result<(), HostError> {
        let exchange = self.current(Call::SendReply)?;
        exchange.end(Outcome::Replied { reply: reply.clone(), details: details.to_owned() })?;
        exchange.response = HeaderLines::of(reply);
        self.replied.extend(self.current);
        Ok(())
    }

    fn close_request(&mut self) -> Result<(), HostError> {
        self.current(Call::CloseRequest)?.close()
    }

    fn continue_request(&mut self) -> Result<(), HostError> {
        self.current(Call::ContinueRequest)?.end(Outcome::Forwarded)
    }

    fn continue_response(&mut self) -> Result<(), HostError> {
        self.current(Call::ContinueResponse)?.release_response()
    }

    fn select_request(&mut self, id: RequestId) -> Result<(), HostError> {
        self.check(Call::SelectRequest)?;
        self.current = self.requests.contains_key(&id).then_some(id);
        self.current.map(|_| ()).ok_or(FAILED)
    }

    fn select_root(&mut self, _: u32) -> Result<(), HostError> {
        self.check(Call::SelectRoot)?;
        self.current = None;
        Ok(())
    }

    fn send_callout(&mut self, callout: &Callout) -> Result<CalloutToken, HostError> {
        self.check(Call::SendCallout)?;
        self.callouts_sent += 1;
        self.callouts.push((self.callouts_sent, callout.clone()));
        Ok(self.callouts_sent)
    }

    fn callout_body(&mut self, size: usize) -> Result<Vec<u8>, HostError> {
        self.check(Call::CalloutBody)?;
        Ok(self.answer.body.iter().copied().take(size).collect())
    }

    fn shared_data(&mut self) -> &mut dyn SharedData {
        &mut self.store
    }

    fn define_metric(&mut self, _: MetricKind, name: &str) -> Result<u32, HostError> {
        self.check(Call::DefineMetric)?;
        let known = self.metric_names.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.metric_names.push(name.to_owned());
            self.metric_names.len() - 1
        });
        u32::try_from(index).map_err(|_| FAILED)
    }

    fn count_period(&self) -> Option<Duration> {
        self.count_period
    }

    fn increment_metric(&mut self, metric: u32, by: i64) -> Result<(), HostError> {
        let value = self.metric(Call::IncrementMetric, metric)?;
        *value = value.saturating_add_signed(by);
        let name = usize::try_from(metric).ok().and_then(|index| self.metric_names.get(index)).cloned();
        if let Ok(exchange) = self.current(Call::IncrementMetric) {
            exchange.counters.extend(name);
        }
        Ok(())
    }

    fn record_metric(&mut self, metric: u32, value: u64) -> Result<(), HostError> {
        *self.metric(Call::RecordMetric, metric)? = value;
        Ok(())
    }

    fn set_timer(&mut self, period: Option<Duration>) -> Result<(), HostError> {
        self.check(Call::SetTimer)?;
        self.timer = period.map(|period| self.now.after(period));
        Ok(())
    }
}
