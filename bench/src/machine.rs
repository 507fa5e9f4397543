//! What it was measured on.

use std::num::NonZero;
use std::{fs, thread};

use real_envoy::{Bootstrap, Envoy, module, plugin};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Result;
use crate::modules::nothing;
use crate::world::World;

/// The machine, and the programs that were measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// Runnable processes in the last minute, before the run: a figure taken on a busy machine is a bad one.
    pub(crate) load: String,
    pub(crate) envoy: String,
    pub(crate) plugin_bytes: u64,
    pub(crate) module_bytes: u64,
    pub(crate) nothing_bytes: u64,
}

impl Machine {
    pub(crate) fn look(world: &World) -> Result<Self> {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = read("/proc/loadavg");
        let envoy = Envoy::start(&Bootstrap::new(world.upstream.address()).text())?;
        let information = envoy.admin_get("/server_info")?.json();
        let version = information.get("version").and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            processor: processor.map_or("unknown", |(_, name)| name).into(),
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            load: load.split(' ').next().unwrap_or_default().into(),
            // The commit, the number, and how it was built.
            envoy: version.split('/').nth(1).unwrap_or(version).into(),
            module_bytes: fs::metadata(module()?)?.len(),
            plugin_bytes: fs::metadata(plugin()?)?.len(),
            nothing_bytes: fs::metadata(nothing())?.len(),
        })
    }
}
