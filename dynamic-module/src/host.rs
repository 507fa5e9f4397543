//! [`driver::Host`] over Envoy's functions.

use std::time::{Duration, SystemTime};

use driver::{CalloutToken, Host, HostError, LogLevel};
use gate::{
    Callout, HeaderEdit, HeaderLine, MetricKind, NoRandomness, Randomness, Reply, RequestId, SharedData, Timestamp,
};
use jose::signature::Software;
use module_abi::{Config, Headers, StreamId, stream};

use crate::later::Later;
use crate::mail::{Post, Response};
use crate::metrics::Metrics;
use crate::requests::Requests;
use crate::store::Store;

/// Envoy, for one engine during one call.
pub(crate) struct Envoy<'c> {
    pub(crate) config: &'c Config,
    pub(crate) metrics: &'c Metrics,
    pub(crate) post: &'c Post,
    /// The index of the engine.
    pub(crate) engine: usize,
    pub(crate) store: &'c Store,
    pub(crate) requests: &'c mut Requests,
    /// The response to the current callout.
    pub(crate) response: Option<&'c Response>,
    /// The request that was edited last, and lost its route.
    pub(crate) rerouted: Option<StreamId>,
}

/// Envoy did not do it: the request is gone, say.
const FAILED: HostError = HostError { status: 1 };

/// The kernel's generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel;

impl Randomness for Kernel {
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(octets).map_err(|_| NoRandomness)
    }
}

impl Envoy<'_> {
    fn current(&self) -> Result<StreamId, HostError> {
        self.requests.current.ok_or(FAILED)
    }
}

impl Host for Envoy<'_> {
    type Random = Kernel;
    type Signer = Software;

    fn random(&self) -> Kernel {
        Kernel
    }

    fn signer(&self) -> Software {
        Software
    }

    fn now(&mut self) -> Result<Timestamp, HostError> {
        now().ok_or(FAILED)
    }

    fn configuration(&mut self, _: usize) -> Result<Vec<u8>, HostError> {
        // It came as an argument.
        Err(FAILED)
    }

    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn log(&mut self, level: LogLevel, line: &str) {
        log(level, line);
    }

    fn read_headers<T>(
        &mut self,
        headers: driver::Headers,
        read: impl FnOnce(&mut Self, &[HeaderLine<'_>]) -> T,
    ) -> Result<T, HostError> {
        let Some(map) = map(headers) else {
            let response = self.response.ok_or(FAILED)?;
            let lines: Vec<_> =
                response.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
            return Ok(read(self, &lines));
        };
        let id = self.current()?;
        let read = |lines: &[HeaderLine<'_>]| {
            if headers == driver::Headers::Request {
                self.requests.is_upgrade = lines.iter().any(|(name, _)| *name == b"upgrade");
            }
            read(self, lines)
        };
        stream::read_headers(id, map, read).ok_or(FAILED)
    }

    fn edit_headers(&mut self, headers: driver::Headers, edit: &HeaderEdit) -> Result<(), HostError> {
        let (id, map) = (self.current()?, map(headers).ok_or(FAILED)?);
        let is_done = match edit {
            HeaderEdit::Add(name, value) => stream::add_header(id, map, name.as_bytes(), value.as_bytes()),
            HeaderEdit::Remove(name) => stream::remove_header(id, map, name),
            HeaderEdit::Set(name, value) => stream::set_header(id, map, name.as_bytes(), value),
        };
        // A route that was chosen by what the client sent is not the one that the gate's rules are about. Nothing chooses
        // one between this edit and those that follow.
        if headers == driver::Headers::Request && self.rerouted != Some(id) {
            self.rerouted = Some(id);
            stream::clear_route(id);
        }
        is_done.then_some(()).ok_or(FAILED)
    }

    fn peer_address(&mut self) -> Result<Vec<u8>, HostError> {
        stream::peer_address(self.current()?).ok_or(FAILED)
    }

    fn peer_certificate(&mut self) -> Result<Vec<u8>, HostError> {
        // Envoy knows no digest where there is no certificate.
        Ok(stream::peer_certificate(self.current()?).unwrap_or_default())
    }

    fn set_property(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        // As Envoy calls what a plugin in Wasm sets, so that a format of an access log fits both.
        let name = ["wasm.", name].concat();
        stream::set_filter_state(self.current()?, &name, value).then_some(()).ok_or(FAILED)
    }

    fn send_reply(&mut self, reply: &Reply, details: &str) -> Result<(), HostError> {
        let id = self.current()?;
        self.requests.settle(id, Later::Reply { id, reply: reply.clone(), details: details.to_owned() });
        Ok(())
    }

    fn close_request(&mut self) -> Result<(), HostError> {
        let id = self.current()?;
        self.requests.settle(id, Later::Close(id));
        Ok(())
    }

    fn continue_request(&mut self) -> Result<(), HostError> {
        let id = self.current()?;
        self.requests.settle(id, Later::Continue(id));
        Ok(())
    }

    fn continue_response(&mut self) -> Result<(), HostError> {
        let id = self.current()?;
        self.requests.settle(id, Later::ContinueResponse(id));
        Ok(())
    }

    fn select_request(&mut self, id: RequestId) -> Result<(), HostError> {
        let id = StreamId(id.0);
        if !stream::exists(id) {
            return Err(FAILED);
        }
        #[cfg(feature = "faults")]
        crate::faults::panic_if_resumed(id);
        self.requests.current = Some(id);
        Ok(())
    }

    fn select_root(&mut self, _: u32) -> Result<(), HostError> {
        self.requests.current = None;
        Ok(())
    }

    fn send_callout(&mut self, callout: &Callout) -> Result<CalloutToken, HostError> {
        Ok(self.post.send(self.engine, callout))
    }

    fn callout_body(&mut self, size: usize) -> Result<Vec<u8>, HostError> {
        let response = self.response.ok_or(FAILED)?;
        Ok(response.body.iter().copied().take(size).collect())
    }

    fn shared_data(&mut self) -> &mut dyn SharedData {
        &mut self.store
    }

    fn define_metric(&mut self, _: MetricKind, name: &str) -> Result<u32, HostError> {
        self.metrics.number(name)
    }

    fn increment_metric(&mut self, metric: u32, by: i64) -> Result<(), HostError> {
        self.metrics.increment(self.config, metric, by)
    }

    fn record_metric(&mut self, metric: u32, value: u64) -> Result<(), HostError> {
        self.metrics.record(self.config, metric, value)
    }

    fn set_timer(&mut self, period: Option<Duration>) -> Result<(), HostError> {
        self.requests.set_timer(period);
        Ok(())
    }
}

/// The kernel's clock.
pub(crate) fn now() -> Option<Timestamp> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_nanos(u64::try_from(since.as_nanos()).ok()?))
}

pub(crate) fn log(level: LogLevel, line: &str) {
    let level = match level {
        LogLevel::Info => module_abi::LogLevel::Info,
        LogLevel::Warn => module_abi::LogLevel::Warn,
        LogLevel::Error => module_abi::LogLevel::Error,
    };
    module_abi::log(level, line);
}

/// `None` for the response to a callout.
fn map(headers: driver::Headers) -> Option<Headers> {
    match headers {
        driver::Headers::CalloutResponse => None,
        driver::Headers::Request => Some(Headers::Request),
        driver::Headers::RequestTrailers => Some(Headers::RequestTrailers),
        driver::Headers::Response => Some(Headers::Response),
    }
}
