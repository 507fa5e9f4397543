//! The host's shared data, as the engine uses it.

use abi::{Status, hostcalls};
use gate::{SharedData, SharedDataError, SharedValue};

/// The data that all VMs of one `vm_id` share.
#[derive(Debug, Default)]
pub(crate) struct HostSharedData;

/// Creates what is absent: hosts compare a number with that of the present version only where there is one, and take
/// 0 for none. No version has this one.
const ABSENT: u32 = u32::MAX;

impl SharedData for HostSharedData {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        match hostcalls::shared_data(name) {
            Ok((bytes, version)) => Ok(Some(SharedValue { bytes, version })),
            Err(Status::NOT_FOUND) => Ok(None),
            Err(_) => Err(SharedDataError::Unavailable),
        }
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        // A version without a number cannot be compared with.
        let cas = version.filter(|&version| version != 0).unwrap_or(ABSENT);
        hostcalls::set_shared_data(name, value, cas).map_err(|status| match status {
            Status::CAS_MISMATCH => SharedDataError::Changed,
            _ => SharedDataError::Unavailable,
        })
    }
}
