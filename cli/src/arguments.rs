//! The arguments of the command line. The help texts teach: each command has examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Reports mistakes in configurations, and likely mistakes.
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// Prints a script by which a shell completes commands.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Completions),
    /// Explains how a request is decided, step by step.
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Explain),
    /// Translates Istio's request authentications and authorization policies.
    #[command(after_help = FROM_ISTIO_HELP)]
    FromIstio(FromIstio),
    /// Prints the JSON Schema of a configuration.
    #[command(after_help = SCHEMA_HELP)]
    Schema(Schema),
    /// Runs test cases against the rules of a configuration, and reports those that fail.
    #[command(after_help = TEST_HELP)]
    Test(Test),
}

const CHECK_HELP: &str = "\
A file is a configuration by itself (YAML or JSON), or holds some: a WasmPlugin, TrafficExtension, EnvoyExtensionPolicy
or EnvoyFilter, of one document or several, or Envoy's own configuration.

Examples:
  jotgate check jotgate.yaml
  jotgate check --strict deploy/*.yaml               in CI: warnings are errors
  jotgate check --allow open-default envoy.yaml      all but what is intended
  kubectl get wasmplugin -A -o yaml | jotgate check -

Exit status: 0 without errors, 1 with errors, 2 if a file cannot be read. Docs: docs/command-line.md";

/// The arguments of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// The files; - is the standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Prints the findings as JSON, for programs.
    #[arg(long)]
    pub json: bool,
    /// Treats warnings as errors.
    #[arg(long)]
    pub strict: bool,
    /// Skips the warnings of this name; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub allow: Vec<String>,
}

const COMPLETIONS_HELP: &str = "\
Examples:
  jotgate completions bash > /etc/bash_completion.d/jotgate
  jotgate completions zsh > \"${fpath[1]}/_jotgate\"
  jotgate completions fish > ~/.config/fish/completions/jotgate.fish";

/// The arguments of `completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell.
    pub shell: Shell,
}

/// A shell.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// fish
    Fish,
    /// zsh
    Zsh,
}

const EXPLAIN_HELP: &str = "\
The decision is the engine's, and so is every step of it: which rules were skipped and why, where a credential was
found, which check of the token failed, which requirement is not met, what the upstream or the client gets.

Without keys a signature cannot be checked: give the issuer's key set with --keys, or trust the signature without a
check with --trust-signature. A token that only its issuer can read (`introspection`) needs the issuer's answer, with
--introspection.

Examples:
  jotgate explain jotgate.yaml --request 'GET /orders/7'
  jotgate explain jotgate.yaml --request 'GET https://api.example.com/orders/7' --token @token.txt --keys jwks.json
  jotgate explain jotgate.yaml --request 'POST /orders' --token @token.txt --trust-signature --at 2027-01-15T08:00:00Z
  jotgate explain gateway.yaml --request 'GET /' --header 'Cookie: session=a.b.c' --json
  jotgate explain jotgate.yaml --request 'GET /' --token gt-abc.def --introspection answer.json
  jotgate explain jotgate.yaml --request 'GET /' --session '{\"sub\": \"alice\"}'
  jotgate explain jotgate.yaml --request 'GET https://dash.example.com/' --header 'Accept: text/html'

Exit status: 0 if the request passes, 1 if it is denied or undecided, 2 if it cannot be explained.
Docs: docs/command-line.md";

/// The arguments of `explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// The configuration, or what holds it; - is the standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A method, and a path or URL.
    #[arg(long, value_name = "'METHOD PATH'")]
    pub request: String,
    /// A line of the request; may be given several times.
    #[arg(long, value_name = "'NAME: VALUE'")]
    pub header: Vec<String>,
    /// A token, or @ and its file; sent as the first of `credentials`.
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// A proof of possession, or @ and its file, which the token comes with.
    #[arg(long, value_name = "JWT")]
    pub proof: Option<String>,
    /// The SHA-256 of the client's certificate, in hexadecimal.
    #[arg(long, value_name = "DIGEST", default_value = "")]
    pub certificate: String,
    /// The claims of a session that the browser has, as JSON, or @ and their file.
    #[arg(long, value_name = "CLAIMS")]
    pub session: Option<String>,
    /// What the issuer of a token that only it can read says of it: the JSON of its answer.
    #[arg(long, value_name = "FILE")]
    pub introspection: Option<PathBuf>,
    /// The key set of the token's issuer, where the configuration does not have it.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Trusts every signature without a check.
    #[arg(long)]
    pub trust_signature: bool,
    /// The time: 2027-01-15T08:00:00Z, or seconds since 1970; default: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The address that the request comes from.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "")]
    pub peer: String,
    /// Which configuration, where the file holds several.
    #[arg(long, value_name = "NAME")]
    pub configuration: Option<String>,
    /// Prints the explanation as JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

const FROM_ISTIO_HELP: &str = "\
What cannot be carried over is denied rather than let pass, and listed in the comments of the configuration; so are
the ports of hosts, which Jotgate does not see.

Examples:
  jotgate from-istio policies.yaml > jotgate.yaml
  kubectl get requestauthentication,authorizationpolicy -A -o yaml \\
    | jotgate from-istio - --namespace shop --label app=orders
  jotgate from-istio --target Gateway/shop --namespace shop policies/*.yaml

Exit status: 0 if all was carried over, 1 if something could not be (see the comments), 2 if nothing was made.
Docs: docs/command-line.md";

/// The arguments of `from-istio`.
#[derive(Args, Debug)]
pub struct FromIstio {
    /// The files; - is the standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The namespace of the workload that the configuration is for.
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// A label of the workload; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Vec<String>,
    /// What the policies' targetRefs name: a Gateway or a Service.
    #[arg(long, value_name = "KIND/NAME")]
    pub target: Option<String>,
    /// The namespace whose policies are for the whole mesh.
    #[arg(long, value_name = "NAME", default_value = "istio-system")]
    pub root_namespace: String,
}

const SCHEMA_HELP: &str = "\
Examples:
  jotgate schema > jotgate.schema.json
  jotgate schema --markdown | less";

/// The arguments of `schema`.
#[derive(Args, Debug)]
pub struct Schema {
    /// Prints the reference that is made from it, as Markdown.
    #[arg(long)]
    pub markdown: bool,
}

const TEST_HELP: &str = "\
Cases are YAML or JSON. A token is made of the claims that a case gives, beside the usual ones of its issuer:

  cases:
  - {name: health is public, request: GET /healthz, expect: pass}
  - {name: orders need a token, request: GET /orders/7, expect: 401 missing_token}
  - name: readers do not write
    request: POST /orders/7
    claims: {sub: alice, scope: \"orders:read\"}
    expect: {status: 403, reason: insufficient_scope, rule: write}
  - name: the upstream gets the user
    request: GET https://api.example.com/orders/7
    headers: {X-Auth-Request-User: mallory}
    claims: {sub: alice}
    expect: {pass: true, rule: rest, upstream: {X-Auth-Request-User: alice, authorization: null}}
  - {name: expired tokens are rejected, request: GET /orders/7, claims: {exp: -5m}, expect: 401 expired}

Examples:
  jotgate test jotgate.yaml cases.yaml
  jotgate test --every-rule deploy/gateway.yaml cases.yaml

Exit status: 0 if all cases hold, 1 if some fail, 2 if they cannot be run. Docs: docs/command-line.md";

/// The arguments of `test`.
#[derive(Args, Debug)]
pub struct Test {
    /// The configuration, or what holds it; - is the standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The cases.
    #[arg(value_name = "CASES")]
    pub cases: PathBuf,
    /// Which configuration, where the file holds several.
    #[arg(long, value_name = "NAME")]
    pub configuration: Option<String>,
    /// Fails if no case reaches some rule.
    #[arg(long)]
    pub every_rule: bool,
    /// Prints the results as JSON, for programs.
    #[arg(long)]
    pub json: bool,
}
