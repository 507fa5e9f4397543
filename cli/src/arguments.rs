//! What the command line takes. The help texts teach: each command has an example of its use.

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
    /// Says what is wrong with configurations, and what may not be meant.
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// Prints what a shell completes commands by.
    #[command(after_help = COMPLETIONS_HELP)]
    Completions(Completions),
    /// Explains what becomes of a request, step by step.
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Explain),
    /// Translates Istio's policies: who may sign tokens, and who may pass.
    #[command(after_help = FROM_ISTIO_HELP)]
    FromIstio(FromIstio),
    /// Prints the JSON Schema of a configuration.
    #[command(after_help = SCHEMA_HELP)]
    Schema(Schema),
    /// Plays cases to the rules of a configuration, and says where they come out otherwise.
    #[command(after_help = TEST_HELP)]
    Test(Test),
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

const COMPLETIONS_HELP: &str = "\
Examples:
  jotgate completions bash > /etc/bash_completion.d/jotgate
  jotgate completions zsh > \"${fpath[1]}/_jotgate\"
  jotgate completions fish > ~/.config/fish/completions/jotgate.fish";

/// What `completions` takes.
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
The decision is the engine's, and so is every step of it: which rules were passed over and why, where a credential was
found, which check of the token failed, what of the access is not met, what the upstream or the client gets.

Without keys a signature cannot be checked: give the issuer's key set with --keys, or go on as if the token were signed
with --trust-signature.

Examples:
  jotgate explain jotgate.yaml --request 'GET /orders/7'
  jotgate explain jotgate.yaml --request 'GET https://api.example.com/orders/7' --token @token.txt --keys jwks.json
  jotgate explain jotgate.yaml --request 'POST /orders' --token @token.txt --trust-signature --at 2027-01-15T08:00:00Z
  jotgate explain gateway.yaml --request 'GET /' --header 'Cookie: session=a.b.c' --json

Exit status: 0 if the request passes, 1 if it is refused or that cannot be told, 2 if it cannot be explained.
Docs: docs/command-line.md";

/// What `explain` takes.
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
    /// A token, or @ and its file; it is put in the first of the configuration's `credentials`.
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    /// The key set of the token's issuer, where the configuration does not have it.
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Takes every signature for a good one.
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
What cannot be carried over is refused rather than let pass, and told in the comments of the configuration; so are the
ports of hosts, which Jotgate does not see.

Examples:
  jotgate from-istio policies.yaml > jotgate.yaml
  kubectl get requestauthentication,authorizationpolicy -A -o yaml \\
    | jotgate from-istio - --namespace shop --label app=orders
  jotgate from-istio --target Gateway/shop --namespace shop policies/*.yaml

Exit status: 0 if all was carried over, 1 if something could not be, as the comments tell, 2 if nothing could be made.
Docs: docs/command-line.md";

/// What `from-istio` takes.
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

/// What `schema` takes.
#[derive(Args, Debug)]
pub struct Schema {
    /// Prints the reference that is made from it, as Markdown.
    #[arg(long)]
    pub markdown: bool,
}

const TEST_HELP: &str = "\
Cases are YAML or JSON. A token is made of the claims that a case gives, beside the usual ones of its issuer:

  cases:
  - {name: anybody sees health, request: GET /healthz, expect: pass}
  - {name: strangers do not, request: GET /orders/7, expect: 401 missing_token}
  - name: readers do not write
    request: POST /orders/7
    claims: {sub: alice, scope: \"orders:read\"}
    expect: {status: 403, reason: insufficient_scope, rule: write}
  - name: the upstream is told who it is
    request: GET https://api.example.com/orders/7
    headers: {X-Auth-Request-User: mallory}
    claims: {sub: alice}
    expect: {pass: true, rule: rest, upstream: {X-Auth-Request-User: alice, authorization: null}}
  - {name: old tokens are of no use, request: GET /orders/7, claims: {exp: -5m}, expect: 401 expired}

Examples:
  jotgate test jotgate.yaml cases.yaml
  jotgate test --every-rule deploy/gateway.yaml cases.yaml

Exit status: 0 if all cases come out as expected, 1 if not, 2 if they cannot be played. Docs: docs/command-line.md";

/// What `test` takes.
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
    /// Fails if a rule is left that no case reaches.
    #[arg(long)]
    pub every_rule: bool,
    /// Prints what became of the cases as JSON, for programs.
    #[arg(long)]
    pub json: bool,
}
