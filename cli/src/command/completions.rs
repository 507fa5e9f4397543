//! `jotgate completions`

use clap::CommandFactory as _;

use crate::arguments::{Arguments, Completions, Shell};
use crate::outcome::Outcome;

/// What a shell completes commands by.
pub(crate) fn completions(asked: &Completions) -> Outcome {
    let shell = match asked.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "jotgate", &mut script);
    Outcome { output: String::from_utf8_lossy(&script).into_owned(), ..Outcome::default() }
}
