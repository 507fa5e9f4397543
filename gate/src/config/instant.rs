//! Instants (RFC 3339 §5.6).

use super::reader::Node;
use crate::time::Timestamp;

pub(super) fn read(node: &Node<'_, '_>) -> Option<Timestamp> {
    match aws::instant::parse(node.string()?) {
        Some(since_epoch) => Some(Timestamp::default().after(since_epoch)),
        None => node.expected("an instant such as `2026-11-29T09:00:00Z` (RFC 3339 §5.6)"),
    }
}
