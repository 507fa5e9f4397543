//! `crossSite`: what becomes of requests that other sites have browsers send.

use super::origin;
use super::reader::{Node, all};
use crate::policy::CrossSite;

/// `{origins: […]}`, or `allow`.
pub(super) fn read(node: &Node<'_, '_>) -> Option<CrossSite> {
    if let Some(text) = node.value.as_str() {
        return match text {
            "allow" => Some(CrossSite::Allow),
            _ => node.expected("an object with `origins`, or `allow`"),
        };
    }
    let mut object = node.object()?;
    let origins = object.or("origins", Vec::new(), |node| all(node.elements()?.iter().map(origin::read_text)));
    object.finish();
    Some(CrossSite::Refuse { origins: origins? })
}
