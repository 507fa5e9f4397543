//! Metrics by the host's numbers.

use gate::{Gate, Metric};

use crate::host::Host;

/// The metrics that were defined. A host that has none, or no more, is no reason to refuse anyone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// In the order in which the engine lists them: the most frequent first.
    numbers: Vec<(Metric, u32)>,
}

impl Metrics {
    /// Defines all metrics: monitoring sees the first event of a counter only if the counter was there before.
    pub(crate) fn define(&mut self, host: &mut impl Host, gate: &Gate) {
        for metric in gate.metrics() {
            self.number(host, gate, metric);
        }
    }

    pub(crate) fn increment(&mut self, host: &mut impl Host, gate: &Gate, metric: Metric) {
        if let Some(number) = self.number(host, gate, metric) {
            let _ = host.increment_metric(number, 1);
        }
    }

    /// Sets a gauge, or adds a value to a histogram.
    pub(crate) fn record(&mut self, host: &mut impl Host, gate: &Gate, metric: Metric, value: u64) {
        if let Some(number) = self.number(host, gate, metric) {
            let _ = host.record_metric(number, value);
        }
    }

    fn number(&mut self, host: &mut impl Host, gate: &Gate, metric: Metric) -> Option<u32> {
        if let Some(&(_, number)) = self.numbers.iter().find(|(known, _)| *known == metric) {
            return Some(number);
        }
        let number = host.define_metric(metric.kind(), &gate.metric_name(metric)).ok()?;
        self.numbers.push((metric, number));
        Some(number)
    }
}
