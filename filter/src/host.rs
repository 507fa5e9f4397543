//! The host that this module runs in.

use std::time::Duration;

use abi::hostcalls::{self, Answer};
use abi::signature::{HostSignatures, call_host};
use abi::signing::{self, HostSigner, Trial};
use abi::{Buffer, Map, Status, pairs};
use driver::{CalloutToken, Headers, Host, HostError, LogLevel};
use gate::{
    Callout, HeaderEdit, HeaderLine, MetricKind, NoRandomness, Randomness, Reply, RequestId, SharedData, Timestamp,
};

use crate::shared::HostSharedData;

/// Each call crosses the border of the VM: requests make none to be counted.
const COUNT_PERIOD: Duration = Duration::from_secs(1);

/// The proxy, by its calls: it holds nothing itself.
#[derive(Debug, Default)]
pub(crate) struct ProxyWasm {
    shared: HostSharedData,
}

impl ProxyWasm {
    /// What checks signatures here.
    pub(crate) fn signatures(&mut self) -> HostSignatures {
        let signatures = HostSignatures::check(call_host);
        self.log(LogLevel::Info, &format!("jotgate: {}", signatures.summary()));
        signatures
    }
}

/// The proxy's generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostRandom;

impl Randomness for HostRandom {
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        hostcalls::random(octets).map_err(|_| NoRandomness)
    }
}

impl Host for ProxyWasm {
    type Random = HostRandom;
    type Signer = HostSigner;

    fn signer(&self) -> HostSigner {
        static TRIAL: Trial = Trial::new();
        HostSigner { call: signing::call_host, trial: &TRIAL }
    }

    fn random(&self) -> HostRandom {
        HostRandom
    }

    fn now(&mut self) -> Result<Timestamp, HostError> {
        hostcalls::now().map(Timestamp::from_nanos).map_err(error)
    }

    fn configuration(&mut self, size: usize) -> Result<Vec<u8>, HostError> {
        hostcalls::buffer(Buffer::PluginConfiguration, size).map_err(error)
    }

    fn environment(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn log(&mut self, level: LogLevel, line: &str) {
        let level = match level {
            LogLevel::Info => abi::LogLevel::Info,
            LogLevel::Warn => abi::LogLevel::Warn,
            LogLevel::Error => abi::LogLevel::Error,
        };
        hostcalls::log(level, line);
    }

    fn read_headers<T>(
        &mut self,
        headers: Headers,
        read: impl FnOnce(&mut Self, &[HeaderLine<'_>]) -> T,
    ) -> Result<T, HostError> {
        let bytes = hostcalls::header_map(map(headers)).map_err(error)?;
        let lines = pairs::decode(&bytes).ok_or(HostError::MALFORMED)?;
        Ok(read(self, &lines))
    }

    fn edit_headers(&mut self, headers: Headers, edit: &HeaderEdit) -> Result<(), HostError> {
        apply(map(headers), edit).map_err(error)
    }

    fn peer_address(&mut self) -> Result<Vec<u8>, HostError> {
        hostcalls::property(&["source", "address"]).map_err(error)
    }

    fn peer_certificate(&mut self) -> Result<Vec<u8>, HostError> {
        hostcalls::property(&["connection", "sha256_peer_certificate_digest"]).map_err(error)
    }

    fn set_property(&mut self, name: &str, value: &str) -> Result<(), HostError> {
        hostcalls::set_property(name, value.as_bytes()).map_err(error)
    }

    fn send_reply(&mut self, reply: &Reply, details: &str) -> Result<(), HostError> {
        let headers: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let headers = pairs::encode(&headers);
        hostcalls::send_response(reply.status, details, &reply.body, &headers, reply.grpc_status).map_err(error)
    }

    fn close_request(&mut self) -> Result<(), HostError> {
        hostcalls::close_request().map_err(error)
    }

    fn continue_request(&mut self) -> Result<(), HostError> {
        hostcalls::continue_request().map_err(error)
    }

    fn continue_response(&mut self) -> Result<(), HostError> {
        hostcalls::continue_response().map_err(error)
    }

    fn select_request(&mut self, id: RequestId) -> Result<(), HostError> {
        // The numbers of requests are those of their contexts.
        let context = u32::try_from(id.0).map_err(|_| HostError::MALFORMED)?;
        hostcalls::set_effective_context(context).map_err(error)
    }

    fn select_root(&mut self, root: u32) -> Result<(), HostError> {
        hostcalls::set_effective_context(root).map_err(error)
    }

    fn send_callout(&mut self, callout: &Callout) -> Result<CalloutToken, HostError> {
        hostcalls::http_call(&callout.cluster, &pairs::encode(&callout.header_list()), &callout.body, callout.timeout)
            .map(CalloutToken::from)
            .map_err(error)
    }

    fn callout_body(&mut self, size: usize) -> Result<Vec<u8>, HostError> {
        hostcalls::buffer(Buffer::CalloutBody, size).map_err(error)
    }

    fn shared_data(&mut self) -> &mut dyn SharedData {
        &mut self.shared
    }

    fn define_metric(&mut self, kind: MetricKind, name: &str) -> Result<u32, HostError> {
        let kind = match kind {
            MetricKind::Counter => abi::MetricKind::Counter,
            MetricKind::Gauge => abi::MetricKind::Gauge,
            MetricKind::Histogram => abi::MetricKind::Histogram,
        };
        hostcalls::define_metric(kind, name).map_err(error)
    }

    fn count_period(&self) -> Option<Duration> {
        Some(COUNT_PERIOD)
    }

    fn increment_metric(&mut self, metric: u32, by: i64) -> Result<(), HostError> {
        hostcalls::increment_metric(metric, by).map_err(error)
    }

    fn record_metric(&mut self, metric: u32, value: u64) -> Result<(), HostError> {
        hostcalls::record_metric(metric, value).map_err(error)
    }

    fn set_timer(&mut self, period: Option<Duration>) -> Result<(), HostError> {
        hostcalls::set_tick_period(period.unwrap_or_default()).map_err(error)
    }
}

fn error(Status(status): Status) -> HostError {
    HostError { status }
}

fn map(headers: Headers) -> Map {
    match headers {
        Headers::CalloutResponse => Map::CalloutHeaders,
        Headers::Request => Map::RequestHeaders,
        Headers::RequestTrailers => Map::RequestTrailers,
        Headers::Response => Map::ResponseHeaders,
    }
}

fn apply(map: Map, edit: &HeaderEdit) -> Answer<()> {
    match edit {
        HeaderEdit::Add(name, value) => hostcalls::add_header(map, name.as_bytes(), value.as_bytes()),
        HeaderEdit::Remove(name) => hostcalls::remove_header(map, name),
        HeaderEdit::Set(name, value) => {
            // Hosts differ in what replacing leaves where there are several lines. Pseudo-headers have one, and cannot
            // be removed.
            if !name.starts_with(':') {
                hostcalls::remove_header(map, name.as_bytes())?;
            }
            hostcalls::replace_header(map, name.as_bytes(), value)
        }
    }
}
