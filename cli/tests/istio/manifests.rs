//! Files of manifests, and what is made of them.

use std::path::PathBuf;

use clap::Parser as _;
use cli::arguments::Arguments;

/// A file of manifests, which goes away with it.
pub(crate) struct Manifests(PathBuf);

impl Manifests {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).expect("can be written");
        Self(path)
    }

    /// Runs the command: what it makes and its status, or why it makes nothing.
    pub(crate) fn translate(&self, options: &[&str]) -> Result<(String, u8), String> {
        let path = self.0.to_str().expect("is text");
        let arguments = [&["jotgate", "from-istio", path], options].concat();
        let arguments = Arguments::try_parse_from(arguments).expect("is a command line");
        match cli::run(&arguments) {
            Ok(outcome) => Ok((outcome.output, outcome.status)),
            Err(error) => Err(anstream::adapter::strip_str(&error.0).to_string().replace(path, "FILE")),
        }
    }
}

impl Drop for Manifests {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
