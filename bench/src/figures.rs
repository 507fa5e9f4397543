//! What a run measured.

use crate::machine::Machine;
use crate::options::{Plan, Section};
use crate::sections::cpu::Series;
use crate::sections::fetches::Fetches;
use crate::sections::latency::Latency;
use crate::sections::memory::Growth;
use crate::sections::start::Starts;
use crate::statistics::Spread;
use crate::variant::WARM;

/// Everything that a run measured.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) cpu: Vec<(Section, Vec<Series>)>,
    pub(crate) latency: Vec<Latency>,
    pub(crate) starts: Vec<Starts>,
    pub(crate) fetches: Vec<Fetches>,
    pub(crate) growth: Vec<Growth>,
}

impl Figures {
    /// None so far.
    pub(crate) const fn new(machine: Machine, plan: &Plan) -> Self {
        Self {
            machine,
            rounds: plan.rounds,
            requests: plan.requests,
            cpu: Vec::new(),
            latency: Vec::new(),
            starts: Vec::new(),
            fetches: Vec::new(),
            growth: Vec::new(),
        }
    }

    /// How many milliseconds the usual variant of the plugin takes from the start of the process to the first request
    /// that passes.
    pub(crate) fn first_admitted(&self) -> Option<Spread> {
        self.starts.iter().find(|one| one.variant.name == WARM).and_then(|one| Spread::of(&one.millis))
    }

    /// The section that the targets are about.
    pub(crate) fn usual(&self) -> Option<&[Series]> {
        self.cpu.iter().find(|(section, _)| *section == Section::Cpu).map(|(_, series)| series.as_slice())
    }
}
