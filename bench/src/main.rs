//! Measures what the gate costs in a real Envoy, beside what it replaces.
//!
//! Every variant has an Envoy of its own, all of them run at the same time, and each is measured in each round: CPU time
//! per request, by the kernel's clock for that process. What is measured is checked before and after: answers, headers
//! that the upstream sees, refusals and counters.

#![cfg_attr(
    test,
    expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a panic is how a test fails")
)]

mod authz;
mod check;
mod failure;
mod fetches;
mod gates;
mod latency;
mod machine;
mod memory;
mod options;
mod process;
mod progress;
mod report;
mod rounds;
mod start;
mod statistics;
mod subject;
mod targets;
mod variant;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use crate::failure::Result;
use crate::machine::Machine;
use crate::options::{Options, Plan, Section};
use crate::progress::step;
use crate::report::Report;
use crate::world::World;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let plan = options.plan()?;
    step("making keys");
    let world = World::start()?;
    let mut report = Report::new(Machine::look(&world)?, &plan);
    for section in &plan.sections {
        step(format!("== {}", section.name()));
        measure(*section, &world, &plan, &mut report)?;
        // What was found stays found if a later section fails.
        report.write(&options.out)?;
    }
    step(format!("the report and the figures are in {}", options.out.display()));
    println!("{}", report.text());
    Ok(())
}

fn measure(section: Section, world: &World, plan: &Plan, report: &mut Report) -> Result<()> {
    match section {
        Section::Cpu => {
            let series = rounds::compare(world, &plan.variants, plan.rounds, plan.requests)?;
            report.cpu.push((section, series));
        }
        Section::Rules | Section::Issuers | Section::TokenSize | Section::Headers | Section::Workers => {
            let series = rounds::compare(world, &section.variants(), plan.rounds, plan.requests)?;
            report.cpu.push((section, series));
        }
        // Fewer, since a round takes a second and more here.
        Section::Latency => report.latency = latency::measure(world, plan.rounds.min(5), plan.requests)?,
        Section::Start => report.starts = start::measure(world, plan.rounds.min(5))?,
        Section::Fetches => report.fetches = fetches::measure(plan.rounds.min(5))?,
        Section::Memory => report.growth = memory::measure(world, plan.tokens)?,
    }
    Ok(())
}
