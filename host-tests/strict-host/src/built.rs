//! Modules that `make` builds.

use crate::plugin::Plugin;
use test_support::built_path;

/// Loads a module that the build leaves in the workspace; see [`built_path`].
pub fn built(variable: &str, default: &str, make: &str) -> Plugin {
    let path = built_path(variable, default, make);
    Plugin::load(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}
