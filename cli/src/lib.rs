//! `jotgate`: what people do with a configuration before a proxy gets it.
//!
//! Each command is a module. They read what people write through [`document`], which knows where each value stands,
//! and leave every judgement to the engine, `gate`.

pub mod arguments;
pub mod cases;
pub mod check;
pub mod configuration;
pub mod diagnostic;
pub mod document;
pub mod engine;
pub mod explain;
pub mod find;
pub mod finding;
pub mod input;
pub mod instant;
pub mod istio;
pub mod load;
pub mod place;
pub mod render;
pub mod request_line;
pub mod schema;

mod stand_ins;
mod suggestion;
mod typed;

use clap::CommandFactory as _;

use self::arguments::{Arguments, Command, Shell};

/// What a command has to say, and how it ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What it prints; it may hold colours.
    pub output: String,
    /// What it says beside it, on the standard error.
    pub aside: Option<String>,
    /// The status that it ends with.
    pub status: u8,
}

/// What was asked about is not well.
pub const STATUS_TROUBLE: u8 = 1;
/// The command could not do what it was asked.
pub const STATUS_USAGE: u8 = 2;

/// Runs a command.
pub fn run(arguments: &Arguments) -> Result<Outcome, input::Error> {
    match &arguments.command {
        Command::Check(asked) => check::run(asked),
        Command::Test(asked) => cases::run(asked),
        Command::Completions(asked) => Ok(completions(asked.shell)),
        Command::Explain(asked) => explain::run(asked),
        Command::FromIstio(asked) => istio::run(asked),
        Command::Schema(asked) => {
            let schema = schema::schema();
            let output = if asked.markdown { schema::markdown(&schema) } else { document::pretty_json(&schema) };
            Ok(Outcome { output, ..Outcome::default() })
        }
    }
}

/// What a shell completes commands by.
fn completions(shell: Shell) -> Outcome {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "jotgate", &mut script);
    Outcome { output: String::from_utf8_lossy(&script).into_owned(), ..Outcome::default() }
}
