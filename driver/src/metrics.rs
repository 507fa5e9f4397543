//! Metrics by the host's numbers.

use gate::{Gate, Metric, Timestamp};

use crate::host::Host;

/// The metrics that were defined. A host that has none, or no more, is no reason to refuse anyone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// In the order in which the engine lists them: the most frequent first.
    defined: Vec<Defined>,
    /// When the host gets to know what was counted.
    due: Option<Timestamp>,
}

/// A metric with the host's number.
#[derive(Clone, Debug)]
struct Defined {
    metric: Metric,
    number: u32,
    /// What was counted and the host does not know yet.
    counted: u32,
}

impl Metrics {
    /// Defines all metrics: monitoring sees the first event of a counter only if the counter was there before.
    pub(crate) fn define(&mut self, host: &mut impl Host, gate: &Gate) {
        for metric in gate.metrics() {
            self.find(host, gate, metric);
        }
    }

    /// Counts an event; the host gets to know of it when that is due.
    pub(crate) fn count(&mut self, host: &mut impl Host, gate: &Gate, metric: Metric, now: Timestamp) {
        let Some(counter) = self.find(host, gate, metric) else { return };
        counter.counted = counter.counted.saturating_add(1);
        match host.count_period() {
            None => counter.report(host),
            Some(period) if self.due.is_none() => self.due = Some(now.after(period)),
            Some(_) => {}
        }
    }

    /// Sets a gauge, or adds a value to a histogram.
    pub(crate) fn record(&mut self, host: &mut impl Host, gate: &Gate, metric: Metric, value: u64) {
        if let Some(defined) = self.find(host, gate, metric) {
            let _ = host.record_metric(defined.number, value);
        }
    }

    /// When [`Metrics::report`] is to be called.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// Lets the host know of all that was counted.
    pub(crate) fn report(&mut self, host: &mut impl Host) {
        self.due = None;
        self.defined.iter_mut().filter(|defined| defined.counted > 0).for_each(|defined| defined.report(host));
    }

    fn find(&mut self, host: &mut impl Host, gate: &Gate, metric: Metric) -> Option<&mut Defined> {
        if let Some(index) = self.defined.iter().position(|defined| defined.metric == metric) {
            return self.defined.get_mut(index);
        }
        let number = host.define_metric(metric.kind(), &gate.metric_name(metric)).ok()?;
        self.defined.push(Defined { metric, number, counted: 0 });
        self.defined.last_mut()
    }
}

impl Defined {
    /// What a host does not take now, it gets with what comes next.
    fn report(&mut self, host: &mut impl Host) {
        if host.increment_metric(self.number, self.counted.into()).is_ok() {
            self.counted = 0;
        }
    }
}
