//! JSON, for programs.

use serde::Serialize;

/// A value for programs, as JSON on several lines.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    // What is made here has texts for the names of members: it cannot fail.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
