//! What the command line takes. The help texts teach: each command has an example of its use.

use std::path::PathBuf;

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
    /// Says what is wrong with configurations, and what may not be meant.
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// Prints the JSON Schema of a configuration.
    #[command(after_help = SCHEMA_HELP)]
    Schema(Schema),
}

const CHECK_HELP: &str = "\
A file is a configuration by itself (YAML or JSON), or holds some: a WasmPlugin, TrafficExtension, EnvoyExtensionPolicy
or EnvoyFilter, of one document or several, or Envoy's own configuration.

Examples:
  jotgate check jotgate.yaml
  jotgate check --strict deploy/*.yaml               in CI: warnings count, too
  jotgate check --allow open-default envoy.yaml      all but what is meant
  kubectl get wasmplugin -A -o yaml | jotgate check -

Exit status: 0 if all is well, 1 if there are errors, 2 if a file cannot be read. Docs: docs/command-line.md";

/// What `check` takes.
#[derive(Args, Debug)]
pub struct Check {
    /// The files; - is the standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Prints what was found as JSON, for programs.
    #[arg(long)]
    pub json: bool,
    /// Counts warnings as errors.
    #[arg(long)]
    pub strict: bool,
    /// Leaves out the warnings of this name; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub allow: Vec<String>,
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
