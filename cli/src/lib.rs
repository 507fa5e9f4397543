//! `jotgate`: arguments, files, what is printed, and the exit status. All else is the library `inspect`.

pub mod arguments;
pub mod input;
pub mod outcome;
pub mod schema;

mod command;
mod report;

use self::arguments::{Arguments, Command};
pub use self::outcome::{Error, Outcome, STATUS_TROUBLE, STATUS_USAGE};

/// Runs a command.
pub fn run(arguments: &Arguments) -> Result<Outcome, Error> {
    match &arguments.command {
        Command::Check(asked) => command::check(asked),
        Command::Completions(asked) => Ok(command::completions(asked)),
        Command::Explain(asked) => command::explain(asked),
        Command::FromIstio(asked) => command::from_istio(asked),
        Command::Schema(asked) => Ok(command::schema(asked)),
        Command::Test(asked) => command::test(asked),
    }
}
