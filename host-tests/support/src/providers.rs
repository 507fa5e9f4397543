//! OpenID providers that others wrote, as `make providers` installs them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::built::{tool, workspace};
use crate::server::Server;

/// How long it may take until what was asked of a provider in the background has arrived there.
const SOON: Duration = Duration::from_secs(10);

/// Whether `make providers` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub fn are_installed() -> bool {
    let are_installed = tool("providers/installed").exists();
    if !are_installed {
        eprintln!("SKIPPED: the OpenID providers are not installed: run `make providers`");
    }
    are_installed
}

/// Certificates for connections on which both sides have one: for each name its `certificate` and `key`.
pub fn certificates(names: &[&str]) -> Value {
    let mut python = Command::new(tool("providers/venv/bin/python3"));
    let made = python.arg(script("certificates.py").as_ref() as &Path).args(names).output().expect("it is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).expect("it prints JSON")
}

/// A running provider.
#[derive(Debug)]
pub struct Provider(Server);

/// A request that [`Provider::certified`] has answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answered {
    /// Which endpoint it was: `authorization`, `token`, `revocation`, `end_session`, `userinfo`, …; none for its pages.
    pub endpoint: Option<String>,
    /// `grant_type`, at the token endpoint.
    pub grant: Option<String>,
    /// The status.
    pub status: u64,
    /// What it held that must stay secret: names and values.
    pub secrets: Vec<(String, String)>,
}

impl Provider {
    /// oidc-provider, with what `host-tests/providers/certified.mjs` takes.
    pub fn certified(options: &Value) -> Self {
        let mut command = Command::new("node");
        command.arg(script("certified.mjs")).arg(options.to_string());
        Self::spawn("oidc-provider", command)
    }

    /// oidc-provider-mock, with a user of these claims.
    pub fn mock(claims: &Value) -> Self {
        let mut command = Command::new(tool("providers/venv/bin/python3"));
        command.arg(script("mock.py")).arg(claims.to_string());
        Self::spawn("oidc-provider-mock", command)
    }

    fn spawn(name: &str, mut command: Command) -> Self {
        command.current_dir(tool("providers"));
        Self(Server::spawn(name, command))
    }

    /// Where it listens. Waits for it to start.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address())
    }

    /// What it has answered until now; [`Provider::mock`] does not say.
    pub fn answered(&self) -> Vec<Answered> {
        self.0.lines().iter().filter_map(|line| read(line)).collect()
    }

    /// Whether it has answered, within a few seconds, so many requests of that kind.
    pub fn has_answered(&self, count: usize, is_meant: impl Fn(&Answered) -> bool) -> bool {
        let meant = |lines: &[String]| lines.iter().filter_map(|line| read(line)).filter(|one| is_meant(one)).count();
        self.0.wait_for(SOON, |lines| meant(lines) >= count)
    }

    /// What it complained about.
    pub fn errors(&self) -> String {
        self.0.errors()
    }
}

fn script(name: &str) -> impl AsRef<Path> + AsRef<std::ffi::OsStr> {
    let path = workspace().join("host-tests/providers").join(name);
    path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(line: &str) -> Option<Answered> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let secret = |pair: &Value| Some((text(pair.get(0)?)?, text(pair.get(1)?)?));
    Some(Answered {
        endpoint: text(&line["endpoint"]),
        grant: text(&line["grant"]),
        status: line["status"].as_u64()?,
        secrets: line["secrets"].as_array()?.iter().filter_map(secret).collect(),
    })
}
