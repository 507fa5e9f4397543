//! Trees as values of Rust, each mistake with its location.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::node::Node;
use super::write::JsonText;
use crate::finding::Finding;

/// What `node` is, read as a `T`. `name` is what mistakes in it are called.
pub(crate) fn typed<T: DeserializeOwned>(node: &Node, name: &'static str) -> Result<T, Finding> {
    let json = JsonText::new(node).text;
    let read = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(&json));
    read.map_err(|error| {
        let path = error.path().to_string();
        // Its location in the JSON that was made of it is not one in the file.
        let message = error.inner().to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let path = if path == "." { String::new() } else { path };
        Finding::error(name, path, message, at(node, error.path()).span.clone())
    })
}

/// The value that a path leads to, as far as it leads.
fn at<'n>(tree: &'n Node, path: &Path) -> &'n Node {
    let mut node = tree;
    for segment in path {
        let next = match segment {
            Segment::Seq { index } => node.elements().get(*index),
            Segment::Map { key } => node.get(key),
            _ => None,
        };
        node = next.unwrap_or(node);
    }
    node
}
