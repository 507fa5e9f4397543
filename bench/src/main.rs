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
mod credential;
mod failure;
mod figures;
mod gates;
mod login;
mod machine;
mod modules;
mod options;
mod process;
mod progress;
mod report;
mod sections;
mod statistics;
mod subject;
mod targets;
mod variant;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use crate::failure::Result;
use crate::figures::Figures;
use crate::machine::Machine;
use crate::options::Options;
use crate::progress::step;
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
    let mut figures = Figures::new(Machine::look(&world)?, &plan);
    for section in &plan.sections {
        step(format!("== {}", section.name()));
        sections::measure(*section, &world, &plan, &mut figures)?;
        // What was found stays found if a later section fails.
        report::write(&figures, &options.out)?;
    }
    step(format!("the report and the figures are in {}", options.out.display()));
    println!("{}", report::text(&figures));
    Ok(())
}
