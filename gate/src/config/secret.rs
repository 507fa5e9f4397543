//! Secrets: a text, or better `{env: NAME}`. No message shows one.

use oauth::Secret;

use super::reader::Node;
use super::{Environment, variable};

/// With fewer octets, keys could be guessed (NIST SP 800-107 §5.3.4).
const LEAST_OCTETS: usize = 32;

/// Any text.
pub(super) fn read(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Secret> {
    variable::read_or_text(node, env).map(Secret::new)
}

/// What keys are made of.
pub(super) fn read_for_keys(node: &Node<'_, '_>, env: Environment<'_>) -> Option<Secret> {
    let secret = read(node, env)?;
    match secret.reveal().len() {
        LEAST_OCTETS.. => Some(secret),
        length => node.fail(format!(
            "expected a secret of {LEAST_OCTETS} octets or more, found {length}: `openssl rand -base64 48` makes one"
        )),
    }
}
