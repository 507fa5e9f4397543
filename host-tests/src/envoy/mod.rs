//! A real Envoy for a test: it gets ports of its own, its log is kept, and it ends with the test.
//!
//! ```no_run
//! # use host_tests::envoy::{Bootstrap, Envoy, http::Request};
//! # use testbed::{issuer::{Issuer, Options, TokenRequest}, upstream::Upstream};
//! let issuer = Issuer::start(Options::default()).unwrap();
//! let upstream = Upstream::start(0).unwrap();
//! let plugin_configuration = "{…}";
//! let bootstrap = Bootstrap::new(upstream.address())
//!     .cluster("issuer", issuer.address())
//!     .plugin(plugin_configuration);
//! let envoy = Envoy::start(&bootstrap.text()).unwrap();
//! let token = issuer.token(&TokenRequest::subject("alice")).unwrap();
//! let response = Request::get("/orders").bearer(&token).send(envoy.address("gateway")).unwrap();
//! assert_eq!(response.status, 200);
//! ```
//!
//! The binary is `$JOTGATE_ENVOY` or `venv/bin/jotgate-envoy` among the tools (see [`crate::tool`]), which `make envoy` installs.

mod bootstrap;
mod config;
pub mod http;
pub mod http2;
mod ports;
mod process;
pub mod verdict;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fmt, fs};

use serde_json::Value;

pub use self::bootstrap::Bootstrap;
pub use self::http::raise_file_limit;
pub use self::ports::Port;

use self::config::Config;
use self::http::{Request, Response};
use self::process::Process;

/// How long Envoy may take to start: compiling the module is the slow part, more so on a busy machine.
const START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// A running Envoy; it is stopped when this is dropped, and shows its log if the test failed.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
    ports: BTreeMap<String, Port>,
}

impl Envoy {
    /// Starts Envoy with this bootstrap configuration and waits until it serves.
    pub fn start(config: &str) -> Result<Self, StartError> {
        Self::builder(config).start()
    }

    /// Like [`Envoy::start`], with options. Placeholders in the configuration are replaced:
    /// `{{port:NAME}}` by a free port, `{{dir}}` by a directory for this run, `{{plugin}}` by the module's path.
    pub fn builder(config: &str) -> Builder {
        Builder { config: Config::with_placeholders(config), options: Options::default() }
    }

    /// One of the repository's runnable configurations (a path in the workspace, such as
    /// `envoy-config/quickstart.yaml`): its fixed ports become free ones, named `gateway` (18000), `issuer`
    /// (18001), `upstream` (18002), `admin` (18003) and `second-issuer` (18004).
    pub fn runnable(path: &str) -> Result<Builder, StartError> {
        let whole = workspace().join(path);
        let text = fs::read_to_string(&whole).map_err(|error| StartError(format!("{}: {error}", whole.display())))?;
        Ok(Builder { config: Config::with_fixed_ports(&text), options: Options::default() })
    }

    /// Where the port of that name listens.
    ///
    /// # Panics
    ///
    /// If the configuration has no such port.
    pub fn address(&self, name: &str) -> SocketAddr {
        let Some(port) = self.ports.get(name) else {
            panic!("no port is named `{name}`, there are {:?}", self.ports.keys());
        };
        (Ipv4Addr::LOCALHOST, port.number()).into()
    }

    /// The process id, for example to read its CPU time.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The directory of this run, which `{{dir}}` stands for.
    pub fn directory(&self) -> &Path {
        self.process.directory()
    }

    /// Everything that was logged until now.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// The admin interface's answer to `GET`.
    pub fn admin_get(&self, path: &str) -> io::Result<Response> {
        Request::get(path).send(self.admin)
    }

    /// The admin interface's answer to `POST`, which changes something (`/logging?wasm=debug`).
    pub fn admin_post(&self, path: &str) -> io::Result<Response> {
        Request::new("POST", path).send(self.admin)
    }

    /// The counters and gauges whose names start with the prefix (`wasmcustom.jotgate_` for the plugin's).
    pub fn stats(&self, prefix: &str) -> io::Result<BTreeMap<String, u64>> {
        let text = self.admin_get("/stats")?.text();
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        let wanted = pairs.filter(|(name, _)| name.starts_with(prefix));
        Ok(wanted.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// One counter or gauge; 0 if there is none of that name.
    pub fn stat(&self, name: &str) -> io::Result<u64> {
        Ok(self.stats(name)?.get(name).copied().unwrap_or_default())
    }

    /// The entries of the access log that [`Bootstrap`] sets up, once there are at least so many (or after two
    /// seconds, since Envoy writes them when a request has ended for both sides).
    pub fn access_log(&self, at_least: usize) -> Vec<Value> {
        let path = self.directory().join("access.log");
        let deadline = Instant::now() + Duration::from_secs(2);
        loop {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let entries: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if entries.len() >= at_least || Instant::now() > deadline {
                return entries;
            }
            std::thread::sleep(POLL);
        }
    }
}

/// An Envoy that is about to start.
#[derive(Debug)]
pub struct Builder {
    config: Config,
    options: Options,
}

#[derive(Debug)]
struct Options {
    concurrency: usize,
    log_level: String,
    component_log_level: String,
    environment: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 2,
            log_level: "warning".into(),
            component_log_level: "wasm:info".into(),
            environment: Vec::new(),
        }
    }
}

impl Builder {
    /// How many workers there are; 2 by default.
    #[must_use]
    pub fn concurrency(mut self, workers: usize) -> Self {
        self.options.concurrency = workers;
        self
    }

    /// The general log level (`warning` by default) and that of components (`wasm:info`).
    #[must_use]
    pub fn log_levels(mut self, general: &str, components: &str) -> Self {
        self.options.log_level = general.into();
        self.options.component_log_level = components.into();
        self
    }

    /// A variable in Envoy's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options.environment.push((name.into(), value.into()));
        self
    }

    /// The port of that name is this one, on which something else listens already.
    #[must_use]
    pub fn port(mut self, name: &str, address: SocketAddr) -> Self {
        self.config.set_port(name, address.port());
        self
    }

    /// Replaces text in the configuration.
    #[must_use]
    pub fn replace(mut self, text: &str, replacement: &str) -> Self {
        self.config.replace(text, replacement);
        self
    }

    /// Starts Envoy and waits until it serves.
    pub fn start(self) -> Result<Envoy, StartError> {
        raise_file_limit();
        let Options { concurrency, log_level, component_log_level, environment } = self.options;
        let directory = tempfile::tempdir().map_err(|error| StartError(error.to_string()))?;
        let (text, ports) = self.config.resolve(directory.path())?;
        let arguments = [
            ["--concurrency", &concurrency.to_string()],
            ["--log-level", &log_level],
            ["--component-log-level", &component_log_level],
            // Entries of the access log are written at once instead of every ten seconds.
            ["--file-flush-interval-msec", "10"],
        ];
        let mut process = Process::start(&binary()?, arguments.as_flattened(), &environment, directory, &text)?;
        let admin = wait_until_live(&mut process)?;
        Ok(Envoy { process, admin, ports })
    }
}

/// Why Envoy did not start, with what it logged.
#[derive(Clone, PartialEq, Eq)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// As the message, since this is what `unwrap` shows.
impl fmt::Debug for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// The root of the checkout.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The module under test: `$JOTGATE_PLUGIN`, or `dist/jotgate.wasm`.
pub fn plugin() -> Result<PathBuf, StartError> {
    let path = env::var_os("JOTGATE_PLUGIN").map_or_else(|| workspace().join("dist/jotgate.wasm"), PathBuf::from);
    path.canonicalize().map_err(|_| StartError(format!("no plugin at {}: run `make plugin`", path.display())))
}

fn binary() -> Result<PathBuf, StartError> {
    let path = env::var_os("JOTGATE_ENVOY");
    let path = path.map_or_else(|| crate::tool("venv/bin/jotgate-envoy"), PathBuf::from);
    path.canonicalize().map_err(|_| StartError(format!("no Envoy at {}: run `make envoy`", path.display())))
}

fn wait_until_live(process: &mut Process) -> Result<SocketAddr, StartError> {
    let deadline = Instant::now() + START;
    loop {
        if let Some(admin) = process.admin_address()
            && Request::get("/ready").send(admin).is_ok_and(|response| response.text().trim() == "LIVE")
        {
            return Ok(admin);
        }
        let problem = if !process.is_running() {
            "Envoy ended"
        } else if Instant::now() > deadline {
            "Envoy is not ready in time (does the configuration have an `admin` member?)"
        } else {
            std::thread::sleep(POLL);
            continue;
        };
        return Err(StartError(format!("{problem}; it logged:\n{}", process.log())));
    }
}
