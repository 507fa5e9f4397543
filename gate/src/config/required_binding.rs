//! `require`: what tokens must be bound to.

use super::reader::Node;
use crate::policy::RequiredBinding;

/// `senderConstraint` of an issuer or a rule.
pub(super) fn read_section(node: &Node<'_, '_>) -> Option<RequiredBinding> {
    let mut object = node.object()?;
    let require = object.required("require").and_then(|node| read(&node));
    object.finish();
    require
}

pub(super) fn read(node: &Node<'_, '_>) -> Option<RequiredBinding> {
    node.word(&[
        ("any", RequiredBinding::Any),
        ("dpop", RequiredBinding::Dpop),
        ("mtls", RequiredBinding::Mtls),
        ("none", RequiredBinding::None),
    ])
}
