//! `jotgate`: what people do with a configuration before a proxy gets it.
//!
//! Each command is a module. They read what people write through [`document`], which knows where each value stands,
//! and leave every judgement to the engine, `gate`.

pub mod arguments;
pub mod document;
pub mod schema;

use self::arguments::{Arguments, Command};

/// What a command has to say, and how it ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What it prints.
    pub output: String,
    /// The status that it ends with: 0, 1 where what it was asked about is not well, 2 where it cannot tell.
    pub status: u8,
}

/// Runs a command.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Schema(asked) => {
            let schema = schema::schema();
            let output = if asked.markdown { schema::markdown(&schema) } else { document::pretty_json(&schema) };
            Outcome { output, status: 0 }
        }
    }
}
