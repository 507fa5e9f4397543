//! A running Envoy, and one that is about to start.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde_json::Value;
use test_support::{SOON, workspace};

use crate::config::Config;
use crate::error::StartError;
use crate::http::{Request, Response, raise_file_limit};
use crate::ports::Port;
use crate::process::Process;
use crate::programs::{self, Gate, MODULE_METRICS, PLUGIN_METRICS};

/// How long Envoy may take to start: compiling the module is the slow part, more so on a busy machine.
const START: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);

/// A running Envoy; it is stopped when this is dropped, and shows its log if the test failed.
#[derive(Debug)]
pub struct Envoy {
    process: Arc<Mutex<Process>>,
    directory: PathBuf,
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
    /// (18001), `upstream` (18002), `admin` (18003), `second-issuer` (18004) and `sts` (18005).
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
        self.process().pid()
    }

    /// The bytes of memory that the process holds.
    pub fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kibibytes.map(|count| count * 1024).ok_or_else(|| io::Error::other("no VmRSS in the status of the process"))
    }

    /// The directory of this run, which `{{dir}}` stands for.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Everything that was logged until now.
    pub fn log(&self) -> String {
        self.process().log()
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.process().is_running()
    }

    /// The admin interface's answer to `GET`.
    pub fn admin_get(&self, path: &str) -> io::Result<Response> {
        Request::get(path).send(self.admin)
    }

    /// The admin interface's answer to `POST`, which changes something (`/logging?wasm=debug`).
    pub fn admin_post(&self, path: &str) -> io::Result<Response> {
        Request::new("POST", path).send(self.admin)
    }

    /// The counters and gauges whose names start with the prefix (`wasmcustom.jotgate_` for the gate's, whatever it runs
    /// as).
    pub fn stats(&self, prefix: &str) -> io::Result<BTreeMap<String, u64>> {
        let text = self.admin_get("/stats")?.text().replace(MODULE_METRICS, PLUGIN_METRICS);
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        let wanted = pairs.filter(|(name, _)| name.starts_with(prefix));
        Ok(wanted.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
    }

    /// One counter or gauge; 0 if there is none of that name.
    pub fn stat(&self, name: &str) -> io::Result<u64> {
        Ok(self.stats(name)?.get(name).copied().unwrap_or_default())
    }

    /// One counter, once it is at least `count`, or when that is not soon: plugins count by themselves for a while.
    pub fn counter(&self, name: &str, count: u64) -> io::Result<u64> {
        let deadline = Instant::now() + SOON;
        loop {
            let found = self.stat(name)?;
            if found >= count || Instant::now() > deadline {
                return Ok(found);
            }
            std::thread::sleep(POLL);
        }
    }

    /// The entries of the access log that [`crate::Bootstrap`] sets up, once there are at least so many (Envoy writes
    /// them when a request has ended for both sides), or when that is not soon.
    pub fn access_log(&self, at_least: usize) -> Vec<Value> {
        let path = self.directory().join("access.log");
        let deadline = Instant::now() + SOON;
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

impl Envoy {
    /// The same process, seen with the ports and the directory of a part of its listeners.
    pub(crate) fn part(&self, directory: PathBuf, ports: BTreeMap<String, Port>) -> Self {
        Self { process: Arc::clone(&self.process), directory, admin: self.admin, ports }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.process().show_log();
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
    files: Vec<(String, String)>,
    drain_seconds: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 2,
            log_level: "warning".into(),
            component_log_level: "gate:info".into(),
            environment: Vec::new(),
            files: Vec::new(),
            // Envoy's default.
            drain_seconds: 600,
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

    /// The general log level (`warning` by default) and that of components (`gate:info`, `gate` being what the
    /// gate runs as).
    #[must_use]
    pub fn log_levels(mut self, general: &str, components: &str) -> Self {
        self.options.log_level = general.into();
        self.options.component_log_level = components.into();
        self
    }

    /// How long a listener that was replaced or removed has for its connections.
    #[must_use]
    pub fn drain_seconds(mut self, seconds: u32) -> Self {
        self.options.drain_seconds = seconds;
        self
    }

    /// A variable in Envoy's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.options.environment.push((name.into(), value.into()));
        self
    }

    /// A file in the directory of this run.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.options.files.push((name.into(), text.into()));
        self
    }

    /// The port of that name is this one, on which something else listens already.
    #[must_use]
    pub fn port(mut self, name: &str, address: SocketAddr) -> Self {
        self.config.set_port(name, Port::taken(address.port()));
        self
    }

    /// The port of that name is this one, which somebody had to know before.
    #[must_use]
    pub fn reserved(mut self, name: &str, port: Port) -> Self {
        self.config.set_port(name, port);
        self
    }

    /// Replaces text in the configuration.
    #[must_use]
    pub fn replace(mut self, text: &str, replacement: &str) -> Self {
        self.config.replace(text, replacement);
        self
    }

    /// Starts Envoy and waits until it serves.
    pub fn start(mut self) -> Result<Envoy, StartError> {
        raise_file_limit();
        self.config.choose_gate()?;
        self.options.environment.extend(self.config.take_environment());
        let Options { concurrency, log_level, component_log_level, mut environment, files, drain_seconds } =
            self.options;
        let directory = tempfile::tempdir().map_err(StartError::of)?;
        for (name, text) in files {
            fs::write(directory.path().join(name), text).map_err(StartError::of)?;
        }
        let has_module = self.config.has_module();
        let (text, ports) = self.config.resolve(directory.path())?;
        let component_log_level = component_log_level.replace("gate:", &format!("{}:", Gate::under_test().component()));
        if has_module {
            environment.push((
                "ENVOY_DYNAMIC_MODULES_SEARCH_PATH".into(),
                programs::module_in_folder()?.1.display().to_string(),
            ));
        }
        let arguments = [
            ["--concurrency", &concurrency.to_string()],
            ["--log-level", &log_level],
            ["--component-log-level", &component_log_level],
            ["--drain-time-s", &drain_seconds.to_string()],
            // Entries of the access log are written at once instead of every ten seconds.
            ["--file-flush-interval-msec", "10"],
        ];
        let mut process =
            Process::start(&programs::envoy()?, arguments.as_flattened(), &environment, directory, &text)?;
        let admin = wait_until_live(&mut process)?;
        let directory = process.directory().to_path_buf();
        Ok(Envoy { process: Arc::new(Mutex::new(process)), directory, admin, ports })
    }
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
