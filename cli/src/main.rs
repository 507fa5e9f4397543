//! `jotgate`: see `jotgate --help`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(&cli::arguments::Arguments::parse()) {
        Ok(outcome) => {
            // A reader may have stopped (`jotgate … | head`). Colours are for terminals.
            let _ = anstream::stdout().lock().write_all(outcome.output.as_bytes());
            if let Some(aside) = outcome.aside {
                let _ = writeln!(anstream::stderr(), "jotgate: {aside}");
            }
            ExitCode::from(outcome.status)
        }
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "jotgate: {}", error.0);
            ExitCode::from(cli::STATUS_USAGE)
        }
    }
}
