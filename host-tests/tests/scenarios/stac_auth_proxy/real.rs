//! STAC Auth Proxy itself.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use real_envoy::Port;
use real_envoy::http::Request;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use test_support::child::Child;
use test_support::tool;

use super::{SCOPES, Setting};
use crate::stac::{AUDIENCE, ISSUER};
use crate::world::World;

/// How long it may take to start; Python has much to read.
const START: Duration = Duration::from_mins(1);

/// A running STAC Auth Proxy; it is stopped when this is dropped.
pub(crate) struct Real {
    child: Child,
    port: Port,
    directory: TempDir,
}

/// Whether `make stac-auth-proxy` was here. Where it cannot be, `make test` says so loudly, and CI fails.
pub(crate) fn is_installed() -> bool {
    let is_installed = tool("venv-stac/installed").exists();
    if !is_installed {
        eprintln!("SKIPPED: STAC Auth Proxy is not installed: run `make stac-auth-proxy`");
    }
    is_installed
}

impl Real {
    /// In front of this world's upstream, with its issuer.
    pub(crate) fn start(world: &World, setting: Setting) -> Self {
        let (port, directory) = (Port::reserve().unwrap(), tempfile::tempdir().unwrap());
        let log = File::create(directory.path().join("log")).unwrap();
        let mut command = Command::new(python());
        command
            .args(["-m", "uvicorn", "--factory", "stac_auth_proxy.app:create_app", "--host", "127.0.0.1", "--port"])
            .arg(port.number().to_string())
            // Every setting is here: the usual environment must not add one.
            .env_clear()
            .envs(settings(world, setting))
            .current_dir(directory.path())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = Child::start(&mut command).unwrap();
        let mut real = Self { child, port, directory };
        real.wait();
        real
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port.number()).into()
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + START;
        while !Request::get("/healthz").send(self.address()).is_ok_and(|response| response.status == 200) {
            let is_late = Instant::now() > deadline;
            assert!(self.child.is_running() && !is_late, "STAC Auth Proxy does not start");
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.child.end();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines.len().saturating_sub(50);
            eprintln!("--- the end of STAC Auth Proxy's log:\n{}", lines[end..].join("\n"));
        }
    }
}

fn python() -> PathBuf {
    tool("venv-stac/bin/python3")
}

fn settings(world: &World, setting: Setting) -> Vec<(&'static str, String)> {
    let discovery = "/realms/stac/.well-known/openid-configuration";
    let mut settings = vec![
        ("UPSTREAM_URL", world.upstream.url()),
        ("OIDC_DISCOVERY_URL", format!("{ISSUER}/.well-known/openid-configuration")),
        ("OIDC_DISCOVERY_INTERNAL_URL", format!("{}{discovery}", world.issuer.url())),
        ("ALLOWED_JWT_AUDIENCES", AUDIENCE.to_string()),
        ("DEFAULT_PUBLIC", (setting != Setting::Private).to_string()),
        ("PROXY_OPTIONS", (setting == Setting::Private).to_string()),
        // What it adds to answers is no subject here, and the testbed's upstream speaks no STAC.
        ("CHECK_CONFORMANCE", "false".to_string()),
        ("ENABLE_AUTHENTICATION_EXTENSION", "false".to_string()),
        ("ENABLE_COMPRESSION", "false".to_string()),
        ("OPENAPI_SPEC_ENDPOINT", "/not-the-path-of-a-specification".to_string()),
    ];
    if setting == Setting::Scopes {
        settings.push(("PRIVATE_ENDPOINTS", private_endpoints().to_string()));
    }
    settings
}

fn private_endpoints() -> Value {
    let endpoint = |(_, pattern, methods, scopes): (&str, &str, &[&str], &[&str])| {
        let methods = methods.iter().map(|method| json!([method, scopes.join(" ")])).collect();
        (pattern.to_string(), methods)
    };
    Value::Object(SCOPES.into_iter().map(endpoint).collect::<Map<_, _>>())
}
