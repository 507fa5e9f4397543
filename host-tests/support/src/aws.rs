//! A security token service and a command line that others wrote, as `make aws` installs them.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::built::{tool, workspace};
use crate::server::Server;

/// Whether `make aws` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub fn is_installed() -> bool {
    let is_installed = tool("venv-aws/installed").exists();
    if !is_installed {
        eprintln!("SKIPPED: moto and awscli are not installed: run `make aws`");
    }
    is_installed
}

/// A running moto: it gives anybody credentials for any role.
#[derive(Debug)]
pub struct Moto(Server);

impl Moto {
    /// Starts it, and does not wait for it.
    pub fn start() -> Self {
        let mut python = Command::new(tool("venv-aws/bin/python3"));
        python.arg(workspace().join("host-tests/aws/sts.py"));
        Self(Server::spawn("moto", python))
    }

    /// Where it listens. Waits for it to start.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Credentials as the service gives them.
#[derive(Clone, Debug)]
pub struct Credentials<'c> {
    /// `AccessKeyId`.
    pub access_key: &'c str,
    /// `SecretAccessKey`.
    pub secret_key: &'c str,
    /// `SessionToken`.
    pub session_token: &'c str,
}

/// What `aws eks get-token` makes of credentials: a token that begins with `k8s-aws-v1.`.
pub fn eks_token(cluster: &str, region: &str, credentials: &Credentials<'_>) -> String {
    let mut aws = Command::new(tool("venv-aws/bin/python3"));
    aws.args(["-m", "awscli", "eks", "get-token", "--cluster-name", cluster, "--region", region]);
    // Nothing of this machine is used.
    aws.env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/nonexistent");
    aws.env("AWS_ACCESS_KEY_ID", credentials.access_key).env("AWS_SECRET_ACCESS_KEY", credentials.secret_key);
    let made = aws.env("AWS_SESSION_TOKEN", credentials.session_token).output().expect("it is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).expect("it prints JSON");
    made["status"]["token"].as_str().expect("it makes a token").to_owned()
}
