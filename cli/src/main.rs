//! `jotgate`: see `jotgate --help`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let outcome = cli::run(&cli::arguments::Arguments::parse());
    // Whoever reads may have seen enough (`jotgate … | head`).
    let _ = std::io::stdout().lock().write_all(outcome.output.as_bytes());
    ExitCode::from(outcome.status)
}
