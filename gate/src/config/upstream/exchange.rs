//! `exchange`: tokens that are exchanged (RFC 8693).

use super::super::reader::Node;
use super::Known;
use crate::policy::TokenExchange;

pub(super) fn read(node: &Node<'_, '_>, _: Known<'_>) -> Option<TokenExchange> {
    node.fail("is not there yet")
}
