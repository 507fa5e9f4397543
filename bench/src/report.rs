//! What was found, for readers and for programs.

mod chart;
mod markdown;
mod record;

use std::fs;
use std::path::Path;

use crate::failure::{At as _, Result};
use crate::machine::Machine;
use crate::options::{Plan, Section};
use crate::sections::cpu::Series;
use crate::sections::fetches::Fetches;
use crate::sections::latency::Latency;
use crate::sections::memory::Growth;
use crate::sections::start::Starts;

/// Everything that a run found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) requests: usize,
    pub(crate) cpu: Vec<(Section, Vec<Series>)>,
    pub(crate) latency: Vec<Latency>,
    pub(crate) starts: Vec<Starts>,
    pub(crate) fetches: Vec<Fetches>,
    pub(crate) growth: Vec<Growth>,
}

impl Report {
    /// One in which nothing has been found yet.
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

    /// The tables.
    pub(crate) fn text(&self) -> String {
        markdown::text(self)
    }

    /// Writes `report.md`, `figures.json`, `rounds.csv`, and `cpu.svg` where CPU time was compared.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let write = |name: &str, text: String| fs::write(folder.join(name), text).at(folder.join(name).display());
        fs::create_dir_all(folder).at(folder.display())?;
        write("report.md", self.text())?;
        write("figures.json", record::json(self))?;
        write("rounds.csv", record::csv(self))?;
        self.usual().map_or(Ok(()), |series| write("cpu.svg", chart::svg(&chart::bars(series))))
    }

    /// The section that the targets are about.
    pub(crate) fn usual(&self) -> Option<&[Series]> {
        self.cpu.iter().find(|(section, _)| *section == Section::Cpu).map(|(_, series)| series.as_slice())
    }
}
