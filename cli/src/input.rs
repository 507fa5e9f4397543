//! The files that a command reads.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use crate::outcome::Error;

/// A file that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Input {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// More than any configuration has.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a file; `-` is the standard input.
pub fn read(path: &Path) -> Result<Input, Error> {
    let is_stdin = path.as_os_str() == "-";
    let name = if is_stdin { String::from("<stdin>") } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let outcome = match is_stdin {
        true => std::io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes),
        false => fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes)),
    };
    outcome.map_err(|error| Error(format!("cannot read {name}: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| Error(format!("cannot read {name}: it is not UTF-8")))?;
    // A byte order mark is no part of what is written.
    let text = text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text);
    Ok(Input { name, text })
}
