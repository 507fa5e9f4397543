//! Secrets: a text, or better `{env: NAME}`. No message shows one.

use oauth::Secret;

use super::reader::Node;
use super::{Environment, variable};

/// With fewer octets, keys could be guessed (NIST SP 800-107 §5.3.4).
const LEAST_OCTETS: usize = 32;

/// The variable whose value takes part in what shared entries are authenticated with.
const SHARED_SECRET: &str = "JOTGATE_SHARED_SECRET";

/// What the VMs of a proxy have in common, and others need not know; empty if it is not set.
pub(super) fn of_vms(env: Environment<'_>) -> String {
    env(SHARED_SECRET).unwrap_or_default()
}

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
