//! Names of credentials, and of roles.

use std::sync::Arc;

use super::super::reader::Node;

/// A name that metrics can carry.
pub(super) fn read_name(node: &Node<'_, '_>) -> Option<Arc<str>> {
    let name = node.text()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match name.len() <= 64 && name.bytes().all(is_plain) {
        true => Some(name.into()),
        false => node.expected("a name of letters, digits, `-` and `_`, of 64 at most: metrics carry it"),
    }
}
