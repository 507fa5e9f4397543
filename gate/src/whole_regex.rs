//! Regular expressions over whole texts, in time that is linear in the text.

use regex_lite::{Error, Regex, RegexBuilder};

/// The longest expression, in bytes.
const MAX_LENGTH: usize = 1024;
/// The most memory that a compiled expression takes, in bytes. Each byte of a text costs one look at each of its states
/// at most, so this bounds time as well. States take less in Wasm than natively.
pub(crate) const MAX_COMPILED: usize = 16_384;
const MAX_NESTING: u32 = 32;

/// An expression that matches a whole text. `Err` says what is wrong with it.
pub(crate) fn parse(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!("is longer than {MAX_LENGTH} bytes"));
    }
    // By itself first: no parenthesis of its own may end the group around it.
    compile(pattern, MAX_COMPILED, MAX_NESTING).map_err(|error| explain(pattern, &error))?;
    compile_whole(pattern, MAX_COMPILED).map_err(|error| match is_too_large(&error) {
        true => explain(pattern, &error),
        false => "ends in a comment".to_string(),
    })
}

/// The same, of an expression that is known to be one by itself.
pub(crate) fn compile_whole(pattern: &str, max_compiled: usize) -> Result<Regex, Error> {
    compile(&format!(r"\A(?:{pattern})\z"), max_compiled, MAX_NESTING + 1)
}

fn compile(pattern: &str, max_compiled: usize, max_nesting: u32) -> Result<Regex, Error> {
    RegexBuilder::new(pattern).size_limit(max_compiled).nest_limit(max_nesting).build()
}

fn is_too_large(error: &Error) -> bool {
    error.to_string() == "compiled regex exceeded size limit"
}

fn explain(pattern: &str, error: &Error) -> String {
    if is_too_large(error) {
        return format!("compiles to more than {MAX_COMPILED} bytes");
    }
    // The library does not say where. From the character on that it stumbles over, nothing that follows helps.
    let is_alike = |length: usize| {
        let start = pattern.get(..length).unwrap_or_default();
        compile(start, MAX_COMPILED, MAX_NESTING).err().as_ref() == Some(error)
    };
    let length = (0..pattern.len()).rev().find(|length| !is_alike(*length)).map_or(1, |length| length + 1);
    format!("is no regular expression: {error}, at its character {length}")
}
