//! Files in YAML or JSON: a tree in which every value knows its location in the file.

mod embedded;
mod json;
mod node;
mod position;
mod scalar;
mod typed;
mod write;
mod yaml;

pub use self::embedded::{embedded_json, json_at};
pub use self::node::{Ambiguity, Content, Divergent, Document, Flaw, Member, Node};
pub use self::position::position;
pub(crate) use self::typed::typed;
pub use self::write::{JsonText, Origin, flow, pretty_json, quote};

/// Reads a file: JSON, or YAML with any number of documents. `Err` says why neither can be read.
pub fn read(text: &str) -> Result<Vec<Document>, Flaw> {
    match json::read(text) {
        Some(root) => Ok(vec![Document { root, flaws: Vec::new() }]),
        None => yaml::read(text),
    }
}
