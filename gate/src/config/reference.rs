//! References to claims.

use super::reader::Node;
use crate::claims::ClaimRef;

/// A claim reference: a dotted path, or a list of member names.
pub(super) fn claim_ref(node: &Node<'_, '_>) -> Option<ClaimRef> {
    const EXPECTED: &str = "a claim: a dotted path or a list of member names";
    let found = match node.value.as_str() {
        Some(path) => ClaimRef::dotted(path),
        None if node.value.elements().next().is_some() => ClaimRef::exact(node.list_of(Node::owned_text)?),
        None => None,
    };
    found.or_else(|| node.expected(EXPECTED))
}
