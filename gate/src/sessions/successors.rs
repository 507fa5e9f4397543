//! stand-in
use super::content::Session;
use super::keyring::Keyring;
use crate::capabilities::Capabilities;
use crate::shared::SharedData;
use crate::time::Timestamp;
use std::time::Duration;
pub(crate) enum Claim {
    Follow { until: Timestamp },
    Full,
    Lease,
    Successor(Vec<u8>),
    Unavailable,
}
pub(crate) struct Successors;
impl Successors {
    pub(crate) fn new(_: &Keyring, _: usize, _: &mut dyn SharedData, _: Capabilities<'_>) -> Self {
        Self
    }
    pub(crate) fn claim(&mut self, _: &Session, _: Duration) -> Claim {
        Claim::Unavailable
    }
    pub(crate) fn publish(&mut self, _: &Session, _: &[u8]) {}
    pub(crate) fn release(&mut self, _: &Session) {}
}
