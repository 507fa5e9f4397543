//! The modules that a proxy loads: the plugin, and those that it is compared with.

use std::fs;
use std::path::PathBuf;

use real_envoy::plugin;
use test_support::built_path;

use crate::failure::{At as _, Failure, Result};

/// Writes a copy of the plugin that hosts do not call for responses, since that callback has another name in it.
pub(crate) fn plugin_for_requests() -> Result<PathBuf> {
    const CALLBACK: &[u8; 25] = b"proxy_on_response_headers";
    const NO_CALLBACK: &[u8; 25] = b"proxy_no_response_headers";
    let mut module = fs::read(plugin()?)?;
    let start = module.windows(CALLBACK.len()).position(|window| window == CALLBACK);
    let name = start.and_then(|start| module.get_mut(start..)?.first_chunk_mut());
    *name.ok_or_else(|| Failure::new("the plugin has no callback for responses"))? = *NO_CALLBACK;
    let path = nothing().with_file_name("requests.wasm");
    fs::write(&path, module).at(path.display())?;
    Ok(path)
}

/// The module that makes the calls of a gate.
pub(crate) fn calls() -> PathBuf {
    built_path("JOTGATE_CALLS", "target/wasm32-wasip1/plugin/calls.wasm", "make nothing")
}

/// The module that does nothing.
pub(crate) fn nothing() -> PathBuf {
    built_path("JOTGATE_NOTHING", "target/wasm32-wasip1/plugin/nothing.wasm", "make nothing")
}
