//! What a run measures, each section by itself.

pub(crate) mod cpu;
pub(crate) mod fetches;
pub(crate) mod latency;
pub(crate) mod memory;
pub(crate) mod start;

use crate::failure::Result;
use crate::options::{Plan, Section};
use crate::report::Report;
use crate::world::World;

/// Where a round takes a second and more, fewer do.
const FEW: usize = 5;

/// Measures one section, and adds what was found to the report.
pub(crate) fn measure(section: Section, world: &World, plan: &Plan, report: &mut Report) -> Result<()> {
    let few = plan.rounds.min(FEW);
    match section {
        Section::Cpu => report.cpu.push((section, cpu::compare(world, &plan.variants, plan.rounds, plan.requests)?)),
        Section::Rules | Section::Issuers | Section::TokenSize | Section::Headers | Section::Workers => {
            let series = cpu::compare(world, &section.variants(), plan.rounds, plan.requests)?;
            report.cpu.push((section, series));
        }
        Section::Latency => report.latency = latency::measure(world, few, plan.requests)?,
        Section::Start => report.starts = start::measure(world, few)?,
        Section::Fetches => report.fetches = fetches::measure(few)?,
        Section::Memory => report.growth = memory::measure(world, plan.tokens)?,
    }
    Ok(())
}
