//! Finding the modules that `make` builds.

#[cfg(feature = "host")]
use crate::host::Plugin;
use std::path::{Path, PathBuf};

/// Loads a module that the build leaves in the workspace; see [`built_path`].
#[cfg(feature = "host")]
pub fn built(variable: &str, default: &str, make: &str) -> Plugin {
    let path = built_path(variable, default, make);
    Plugin::load(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

/// The module's absolute path: from the environment variable, else the default path in the workspace. Fails the test
/// with what to run if there is no module.
pub fn built_path(variable: &str, default: &str, make: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = std::env::var_os(variable).map_or_else(|| workspace.join(default), PathBuf::from);
    let advice = format!("run `{make}`, or set {variable} to the module's path");
    path.canonicalize().unwrap_or_else(|_| panic!("there is no module at `{}`: {advice}", path.display()))
}
