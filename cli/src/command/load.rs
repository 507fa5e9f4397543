//! The one configuration that a command works with.

use inspect::configuration::{self, Loaded};

use crate::input::Input;
use crate::outcome::Error;
use crate::report::render_rejection;

/// Loads the configuration in a file; the one called `wanted`, where there are several.
pub(super) fn load(file: &Input, wanted: Option<&str>) -> Result<Loaded, Error> {
    let variable = |name: &str| std::env::var(name).ok();
    configuration::load(&file.text, wanted, &variable).map_err(|rejection| Error(render_rejection(file, &rejection)))
}
