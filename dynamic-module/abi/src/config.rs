//! A configuration of the filter.

use std::time::Duration;

use crate::functions::functions;
use crate::raw::{Buffer, Envoy, NotSend, Pair, SUCCESS};
use crate::waker::ConfigWaker;

/// A metric that was defined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MetricId(usize);

/// A configuration that exists, lent for a call, on any thread.
#[derive(Debug)]
pub struct Config {
    pub(crate) pointer: Envoy,
}

// SAFETY: Envoy takes the pointer on any thread for what `Config` itself offers: values of metrics are atomic, and their
// list does not change once the configuration is there.
unsafe impl Send for Config {}
// SAFETY: as above.
unsafe impl Sync for Config {}

/// A configuration on the main thread, lent for a call.
#[derive(Clone, Copy, Debug)]
pub struct Main<'c> {
    pub(crate) config: &'c Config,
    pub(crate) thread: NotSend,
}

/// A configuration that is just being made, on the main thread.
#[derive(Debug)]
pub struct Definition {
    pub(crate) pointer: Envoy,
    pub(crate) waker: ConfigWaker,
    pub(crate) thread: NotSend,
}

/// Envoy did not send a callout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotSent {
    /// `envoy_dynamic_module_type_http_callout_init_result`.
    pub status: u32,
}

impl Config {
    /// Adds to a counter.
    pub fn increment(&self, MetricId(id): MetricId, by: u64) -> bool {
        functions().is_some_and(|functions| {
            // SAFETY: the configuration exists, and there are no labels.
            unsafe { (functions.config_increment_counter)(self.pointer, id, std::ptr::null(), 0, by) == SUCCESS }
        })
    }

    /// Sets a gauge.
    pub fn set_gauge(&self, MetricId(id): MetricId, value: u64) -> bool {
        functions().is_some_and(|functions| {
            // SAFETY: the configuration exists, and there are no labels.
            unsafe { (functions.config_set_gauge)(self.pointer, id, std::ptr::null(), 0, value) == SUCCESS }
        })
    }

    /// Adds a value to a histogram.
    pub fn record(&self, MetricId(id): MetricId, value: u64) -> bool {
        functions().is_some_and(|functions| {
            // SAFETY: the configuration exists, and there are no labels.
            unsafe { (functions.config_record_histogram)(self.pointer, id, std::ptr::null(), 0, value) == SUCCESS }
        })
    }
}

impl Main<'_> {
    /// The configuration.
    pub fn config(&self) -> &Config {
        self.config
    }

    /// Starts a callout; [`crate::Module::callout_done`] is called with its number, later, unless the configuration is
    /// gone by then.
    pub fn callout(
        &self,
        cluster: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        timeout: Duration,
    ) -> Result<u64, NotSent> {
        let functions = functions().ok_or(NotSent { status: u32::MAX })?;
        let pairs: Vec<Pair> =
            headers.iter().map(|(name, value)| Pair::of(name.as_bytes(), value.as_bytes())).collect();
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let mut number = 0;
        // SAFETY: the configuration exists, this is the main thread, and the bytes outlive the call, which copies them.
        let status = unsafe {
            (functions.config_callout)(
                self.config.pointer,
                &raw mut number,
                Buffer::of(cluster.as_bytes()),
                pairs.as_ptr(),
                pairs.len(),
                Buffer::of(body),
                milliseconds,
            )
        };
        if status == SUCCESS { Ok(number) } else { Err(NotSent { status }) }
    }
}

impl Definition {
    /// Defines a counter.
    pub fn counter(&self, name: &str) -> Option<MetricId> {
        self.define(name, functions()?.define_counter)
    }

    /// Defines a gauge.
    pub fn gauge(&self, name: &str) -> Option<MetricId> {
        self.define(name, functions()?.define_gauge)
    }

    /// Defines a histogram.
    pub fn histogram(&self, name: &str) -> Option<MetricId> {
        self.define(name, functions()?.define_histogram)
    }

    /// What wakes this configuration.
    pub fn waker(&self) -> ConfigWaker {
        self.waker.clone()
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        // SAFETY: this is the main thread.
        let workers = functions().map_or(0, |functions| unsafe { (functions.get_concurrency)() });
        usize::try_from(workers).unwrap_or(1).max(1)
    }

    /// Whether this Envoy only checks its configuration (`--mode validate`).
    pub fn is_check(&self) -> bool {
        // SAFETY: this is the main thread.
        functions().is_some_and(|functions| unsafe { (functions.is_validation_mode)() })
    }

    fn define(
        &self,
        name: &str,
        define: unsafe extern "C" fn(Envoy, Buffer, *const Buffer, usize, *mut usize) -> u32,
    ) -> Option<MetricId> {
        let mut id = 0;
        // SAFETY: the configuration exists, the name outlives the call, and there are no labels.
        let result = unsafe { define(self.pointer, Buffer::of(name.as_bytes()), std::ptr::null(), 0, &raw mut id) };
        (result == SUCCESS).then_some(MetricId(id))
    }
}
