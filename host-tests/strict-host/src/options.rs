//! How a VM is set up.

use crate::log::LogLevel;
use crate::shared_data::SharedData;
use std::collections::BTreeMap;

/// The configuration of a VM, as Envoy's `vm_config` and filter configuration would give it.
#[derive(Clone, Debug)]
pub struct VmOptions {
    pub(crate) allow_on_headers_stop_iteration: bool,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) fuel_per_call: u64,
    pub(crate) keep_duplicate_lines: bool,
    pub(crate) log_level: LogLevel,
    pub(crate) plugin_name: String,
    /// By path with NULs between segments.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) random_seed: u64,
    pub(crate) shared_data: Option<SharedData>,
    pub(crate) vm_configuration: Vec<u8>,
}

impl VmOptions {
    /// An empty environment, no configuration, log level info, and fuel for about a second per callback.
    pub fn new() -> Self {
        Self {
            allow_on_headers_stop_iteration: false,
            environment: BTreeMap::new(),
            fuel_per_call: 2_000_000_000,
            keep_duplicate_lines: false,
            log_level: LogLevel::Info,
            plugin_name: "plugin".to_owned(),
            properties: BTreeMap::new(),
            random_seed: 0,
            shared_data: None,
            vm_configuration: Vec::new(),
        }
    }

    /// Lets action 1 of a headers callback stop the headers alone, as Envoy's option of that name does.
    #[must_use]
    pub fn allow_on_headers_stop_iteration(mut self, allow: bool) -> Self {
        self.allow_on_headers_stop_iteration = allow;
        self
    }

    /// Sets an environment variable of the VM.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// How many instructions a callback may take before it counts as an endless loop.
    #[must_use]
    pub fn fuel_per_call(mut self, fuel: u64) -> Self {
        self.fuel_per_call = fuel;
        self
    }

    /// Hands the plugin every line of a request's header on its own. Envoy joins the lines of names that it knows,
    /// `authorization` and `x-forwarded-for` among them, by commas; other hosts need not.
    #[must_use]
    pub fn keep_duplicate_lines(mut self, keep: bool) -> Self {
        self.keep_duplicate_lines = keep;
        self
    }

    /// What `proxy_get_log_level` answers. Every line is captured, whatever the level.
    #[must_use]
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.log_level = level;
        self
    }

    /// What the property `plugin_name` says.
    #[must_use]
    pub fn plugin_name(mut self, name: impl Into<String>) -> Self {
        self.plugin_name = name.into();
        self
    }

    /// A property that all contexts see: `source.address`, say. Integers are 8 bytes, little-endian.
    #[must_use]
    pub fn property(mut self, path: &str, value: impl AsRef<[u8]>) -> Self {
        self.properties.insert(property_path(path), value.as_ref().to_vec());
        self
    }

    /// Two VMs with the same seed draw the same random bytes.
    #[must_use]
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.random_seed = seed;
        self
    }

    /// Another shared data than the proxy's: the VM has another `vm_id`.
    #[must_use]
    pub fn shared_data(mut self, shared_data: SharedData) -> Self {
        self.shared_data = Some(shared_data);
        self
    }

    /// The VM configuration.
    #[must_use]
    pub fn vm_configuration(mut self, configuration: impl Into<Vec<u8>>) -> Self {
        self.vm_configuration = configuration.into();
        self
    }
}

impl Default for VmOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A dotted path as the ABI writes it.
pub(crate) fn property_path(path: &str) -> Vec<u8> {
    path.replace('.', "\0").into_bytes()
}
