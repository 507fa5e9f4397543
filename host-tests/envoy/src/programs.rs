//! The programs that tests run: Envoy, and the plugin in it.

use std::env;
use std::path::PathBuf;

use test_support::{tool, workspace};

use crate::error::StartError;

/// The module under test: `$JOTGATE_PLUGIN`, or `dist/jotgate.wasm`.
pub fn plugin() -> Result<PathBuf, StartError> {
    let path = env::var_os("JOTGATE_PLUGIN").map_or_else(|| workspace().join("dist/jotgate.wasm"), PathBuf::from);
    path.canonicalize().map_err(|_| StartError(format!("no plugin at {}: run `make plugin`", path.display())))
}

/// Envoy itself.
pub(crate) fn envoy() -> Result<PathBuf, StartError> {
    let path = env::var_os("JOTGATE_ENVOY");
    let path = path.map_or_else(|| tool("venv/bin/jotgate-envoy"), PathBuf::from);
    path.canonicalize().map_err(|_| StartError(format!("no Envoy at {}: run `make envoy`", path.display())))
}
