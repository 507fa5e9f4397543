//! The metrics of a configuration. Envoy takes definitions only while it makes the configuration.

use std::collections::HashMap;

use driver::HostError;
use gate::{Gate, Metric, MetricKind};
use module_abi::{Config, Definition, MetricId};

/// All metrics that a configuration can have, by the numbers that a driver uses.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    numbers: HashMap<String, u32>,
    defined: Vec<(MetricKind, MetricId)>,
}

const UNKNOWN: HostError = HostError { status: 1 };

impl Metrics {
    /// Defines the metrics of an engine, gauges included.
    pub(crate) fn define(definition: &Definition, gate: &Gate) -> Self {
        let mut metrics = Self::default();
        for metric in gate.metrics().into_iter().chain(gate.gauges()) {
            metrics.add(definition, gate, metric);
        }
        metrics
    }

    fn add(&mut self, definition: &Definition, gate: &Gate, metric: Metric) {
        let (kind, name) = (metric.kind(), gate.metric_name(metric));
        let id = match kind {
            MetricKind::Counter => definition.counter(&name),
            MetricKind::Gauge => definition.gauge(&name),
            MetricKind::Histogram => definition.histogram(&name),
        };
        if let (Some(id), Ok(number)) = (id, u32::try_from(self.defined.len())) {
            self.defined.push((kind, id));
            self.numbers.insert(name, number);
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<u32, HostError> {
        self.numbers.get(name).copied().ok_or(UNKNOWN)
    }

    pub(crate) fn increment(&self, config: &Config, number: u32, by: i64) -> Result<(), HostError> {
        let (_, id) = self.metric(number)?;
        let by = u64::try_from(by).map_err(|_| UNKNOWN)?;
        config.increment(id, by).then_some(()).ok_or(UNKNOWN)
    }

    pub(crate) fn record(&self, config: &Config, number: u32, value: u64) -> Result<(), HostError> {
        let is_recorded = match self.metric(number)? {
            (MetricKind::Histogram, id) => config.record(id, value),
            (_, id) => config.set_gauge(id, value),
        };
        is_recorded.then_some(()).ok_or(UNKNOWN)
    }

    fn metric(&self, number: u32) -> Result<(MetricKind, MetricId), HostError> {
        usize::try_from(number).ok().and_then(|index| self.defined.get(index)).copied().ok_or(UNKNOWN)
    }
}
