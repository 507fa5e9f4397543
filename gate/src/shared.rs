//! The data that the VMs of a proxy share, as a host hands it over.

/// The data that the VMs of a proxy share.
pub trait SharedData {
    /// The value of `name`; `None` if there is none.
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError>;

    /// Writes the value of `name`, if it still has that `version`; without one, if there is no value yet.
    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError>;
}

/// A value in the shared data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SharedValue {
    /// What was written.
    pub bytes: Vec<u8>,
    /// Another one after each write.
    pub version: u32,
}

/// Why shared data was not read or written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SharedDataError {
    /// Somebody else has written in between.
    Changed,
    /// The host has no such data, or it fails.
    Unavailable,
}

/// A host without shared data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoSharedData;

impl SharedData for NoSharedData {
    fn read(&mut self, _: &str) -> Result<Option<SharedValue>, SharedDataError> {
        Err(SharedDataError::Unavailable)
    }

    fn write(&mut self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), SharedDataError> {
        Err(SharedDataError::Unavailable)
    }
}
