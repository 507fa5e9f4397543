//! Finding what `make` builds and installs.

use std::env;
use std::path::{Path, PathBuf};

/// The absolute path of a module that the build leaves in the workspace: from the environment variable, else the
/// default path in the workspace, or in `$CARGO_TARGET_DIR` instead of `target`. Fails the test with what to run if
/// there is no module.
pub fn built_path(variable: &str, default: &str, make: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| default_path(default), PathBuf::from);
    let advice = format!("run `{make}`, or set {variable} to the module's path");
    path.canonicalize().unwrap_or_else(|_| panic!("there is no module at `{}`: {advice}", path.display()))
}

fn default_path(path: &str) -> PathBuf {
    match path.strip_prefix("target/") {
        Some(built) => target().join(built),
        None => workspace().join(path),
    }
}

/// The folder that Cargo builds into.
pub fn target() -> PathBuf {
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    workspace().join(folder)
}

/// A tool that `make` installs: its path in `$JOTGATE_TOOLS`, or in `.tools` in the workspace.
pub fn tool(path: &str) -> PathBuf {
    let tools = env::var_os("JOTGATE_TOOLS").map_or_else(|| PathBuf::from(".tools"), PathBuf::from);
    workspace().join(tools).join(path)
}

/// The root of the checkout.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
