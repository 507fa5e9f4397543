//! The metrics of a proxy: every VM adds to the same ones.

use crate::status::Status;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The metrics by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, u64>,
    histograms: BTreeMap<String, Vec<u64>>,
}

/// The three kinds, with the ABI's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// The metrics that one VM defined: Envoy gives a new id per definition, also for a name that exists.
#[derive(Debug, Default)]
pub(crate) struct Defined {
    names: BTreeMap<u32, String>,
    /// How many there are of each kind.
    counts: [u32; 3],
}

impl Metrics {
    /// No metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// A counter; `None`: never defined.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.0.borrow().counters.get(name).copied()
    }

    /// A gauge; `None`: never defined.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.0.borrow().gauges.get(name).copied()
    }

    /// What was recorded in a histogram, in order; `None`: never defined.
    pub fn histogram(&self, name: &str) -> Option<Vec<u64>> {
        self.0.borrow().histograms.get(name).cloned()
    }

    /// The counters that are not zero, by name: what a test usually wants to see whole.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let inner = self.0.borrow();
        inner.counters.iter().filter(|(_, count)| **count > 0).map(|(name, count)| (name.clone(), *count)).collect()
    }

    fn define(&self, kind: Kind, name: &str) {
        let mut inner = self.0.borrow_mut();
        match kind {
            Kind::Counter => drop(inner.counters.entry(name.to_owned()).or_default()),
            Kind::Gauge => drop(inner.gauges.entry(name.to_owned()).or_default()),
            Kind::Histogram => drop(inner.histograms.entry(name.to_owned()).or_default()),
        }
    }
}

impl Defined {
    pub(crate) fn define(&mut self, metrics: &Metrics, kind: u32, name: &str) -> Result<u32, Status> {
        let kind = Kind::from_number(kind).ok_or(Status::BAD_ARGUMENT)?;
        metrics.define(kind, name);
        let count = &mut self.counts[kind as usize];
        *count += 1;
        // As in Envoy: the lowest two bits of an id are the kind.
        let id = *count * 4 + kind as u32;
        self.names.insert(id, name.to_owned());
        Ok(id)
    }

    pub(crate) fn increment(&self, metrics: &Metrics, id: u32, offset: i64) -> Result<(), Status> {
        let mut inner = metrics.0.borrow_mut();
        let value = match Kind::from_number(id % 4) {
            Some(Kind::Counter) if offset > 0 => inner.counters.entry(self.name(id)?).or_default(),
            Some(Kind::Gauge) => inner.gauges.entry(self.name(id)?).or_default(),
            Some(Kind::Counter) => return self.name(id).and(Err(Status::BAD_ARGUMENT)),
            Some(Kind::Histogram) | None => return Err(Status::BAD_ARGUMENT),
        };
        *value = value.wrapping_add_signed(offset);
        Ok(())
    }

    pub(crate) fn record(&self, metrics: &Metrics, id: u32, value: u64) -> Result<(), Status> {
        let name = self.name(id)?;
        let mut inner = metrics.0.borrow_mut();
        match Kind::from_number(id % 4).ok_or(Status::NOT_FOUND)? {
            Kind::Counter => *inner.counters.entry(name).or_default() += value,
            Kind::Gauge => *inner.gauges.entry(name).or_default() = value,
            Kind::Histogram => inner.histograms.entry(name).or_default().push(value),
        }
        Ok(())
    }

    pub(crate) fn get(&self, metrics: &Metrics, id: u32) -> Result<u64, Status> {
        match Kind::from_number(id % 4) {
            Some(Kind::Counter) => Ok(metrics.counter(&self.name(id)?).unwrap_or(0)),
            Some(Kind::Gauge) => Ok(metrics.gauge(&self.name(id)?).unwrap_or(0)),
            Some(Kind::Histogram) | None => Err(Status::BAD_ARGUMENT),
        }
    }

    fn name(&self, id: u32) -> Result<String, Status> {
        self.names.get(&id).cloned().ok_or(Status::NOT_FOUND)
    }
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Histogram].get(number as usize).copied()
    }
}
