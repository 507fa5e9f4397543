//! The programs that tests run: Envoy, and the gate in it.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, io};

use test_support::{target, tool, workspace};

use crate::error::StartError;

/// The module under test: `$JOTGATE_PLUGIN`, or `dist/jotgate.wasm`.
pub fn plugin() -> Result<PathBuf, StartError> {
    let path = env::var_os("JOTGATE_PLUGIN").map_or_else(|| workspace().join("dist/jotgate.wasm"), PathBuf::from);
    path.canonicalize().map_err(|_| StartError(format!("no plugin at {}: run `make plugin`", path.display())))
}

/// What the gate runs as, in the same tests: `$JOTGATE_HOST`, `plugin` (the default) or `module`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Gate {
    /// A native module.
    Module,
    /// A plugin in Wasm.
    Plugin,
}

impl Gate {
    /// The one under test.
    ///
    /// # Panics
    ///
    /// If there is no host of that name.
    pub fn under_test() -> Self {
        match env::var("JOTGATE_HOST").as_deref() {
            Err(_) | Ok("plugin") => Self::Plugin,
            Ok("module") => Self::Module,
            Ok(other) => panic!("JOTGATE_HOST is `{other}`, expected `plugin` or `module`"),
        }
    }

    /// What Envoy calls its log.
    pub(crate) fn component(self) -> &'static str {
        match self {
            Self::Module => "dynamic_modules",
            Self::Plugin => "wasm",
        }
    }
}

/// What Envoy puts before the names of a native module's metrics.
pub(crate) const MODULE_METRICS: &str = "dynamicmodulescustom.";
/// What Envoy puts before the names of the plugin's.
pub(crate) const PLUGIN_METRICS: &str = "wasmcustom.";

/// The native module: `$JOTGATE_MODULE`, or what the workspace builds for tests.
pub fn module() -> Result<PathBuf, StartError> {
    let default = || target().join("debug/libjotgate_module.so");
    let path = env::var_os("JOTGATE_MODULE").map_or_else(default, PathBuf::from);
    let missing = |_| StartError(format!("no module at {}: run `make module-for-tests`", path.display()));
    path.canonicalize().map_err(missing)
}

/// The name by which Envoy knows the native module, and the folder that it is in.
pub(crate) fn module_in_folder() -> Result<(String, PathBuf), StartError> {
    let path = module()?;
    let missing = || StartError(format!("`{}` is not the name of a module", path.display()));
    let name = path.file_stem().and_then(|name| name.to_str()?.strip_prefix("lib")).ok_or_else(missing)?;
    Ok((name.to_owned(), path.parent().ok_or_else(missing)?.to_path_buf()))
}

/// A runnable configuration with the native module in place of the plugin, as `make demo MODULE=1` has it.
pub(crate) fn as_module(configuration: &str) -> Result<String, StartError> {
    let failed = |error: io::Error| StartError(format!("as-module.py: {error}"));
    let file = tempfile::NamedTempFile::new().map_err(failed)?;
    fs::write(file.path(), configuration).map_err(failed)?;
    let script = workspace().join("envoy-config/as-module.py");
    let output = Command::new("python3").arg(script).arg(file.path()).arg(module_in_folder()?.0).output();
    let output = output.map_err(failed)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(StartError(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// Envoy itself.
pub(crate) fn envoy() -> Result<PathBuf, StartError> {
    let path = env::var_os("JOTGATE_ENVOY");
    let path = path.map_or_else(|| tool("venv/bin/jotgate-envoy"), PathBuf::from);
    path.canonicalize().map_err(|_| StartError(format!("no Envoy at {}: run `make envoy`", path.display())))
}
