//! What a run measures, each section by itself.

pub(crate) mod cpu;
pub(crate) mod fetches;
pub(crate) mod latency;
pub(crate) mod memory;
pub(crate) mod start;

use crate::failure::Result;
use crate::figures::Figures;
use crate::options::{Plan, Section};
use crate::world::World;

/// Where a round takes a second and more, fewer do.
const FEW: usize = 5;

/// Measures one section, and adds what was found to the figures.
pub(crate) fn measure(section: Section, world: &World, plan: &Plan, figures: &mut Figures) -> Result<()> {
    let few = plan.rounds.min(FEW);
    match section {
        Section::Cpu => figures.cpu.push((section, cpu::compare(world, &plan.variants, plan.rounds, plan.requests)?)),
        Section::Rules | Section::Issuers | Section::TokenSize | Section::Headers | Section::Workers => {
            let series = cpu::compare(world, &section.variants(), plan.rounds, plan.requests)?;
            figures.cpu.push((section, series));
        }
        Section::Latency => figures.latency = latency::measure(world, few, plan.requests)?,
        Section::Start => figures.starts = start::measure(world, few)?,
        Section::Fetches => figures.fetches = fetches::measure(few)?,
        Section::Memory => figures.growth = memory::measure(world, plan.tokens)?,
    }
    Ok(())
}
