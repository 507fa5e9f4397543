//! What the command line takes. The help texts teach: each command has an example of its use.

use clap::{Args, Parser, Subcommand};

/// Checks, tests and explains configurations of the identity gate Jotgate, with the engine of the plugin itself.
#[derive(Debug, Parser)]
#[command(name = "jotgate", version, max_term_width = 100)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the JSON Schema of a configuration.
    #[command(after_help = SCHEMA_HELP)]
    Schema(Schema),
}

const SCHEMA_HELP: &str = "\
Examples:
  jotgate schema > jotgate.schema.json
  jotgate schema --markdown | less";

/// What `schema` takes.
#[derive(Args, Debug)]
pub struct Schema {
    /// Prints the reference that is made from it, as Markdown.
    #[arg(long)]
    pub markdown: bool,
}
