//! The data that the VMs of a proxy share.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use gate::{SharedData, SharedDataError, SharedValue};

/// Shared data; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Store(Rc<RefCell<Stored>>);

/// What a store holds, and how it behaves.
#[derive(Debug, Default)]
pub struct Stored {
    /// The values by name.
    pub values: BTreeMap<String, SharedValue>,
    /// The host has no shared data.
    pub is_missing: bool,
    /// So many writes from now on find that another VM was faster.
    pub races: usize,
    /// How often a value was read.
    pub reads: usize,
    /// How often a value was written; the version of the last one.
    pub writes: u32,
}

impl Store {
    /// Shared data that a host does not have.
    pub fn missing() -> Self {
        let store = Self::default();
        store.stored().is_missing = true;
        store
    }

    /// What it holds, to be looked at and changed.
    pub fn stored(&self) -> RefMut<'_, Stored> {
        self.0.borrow_mut()
    }
}

impl Stored {
    fn check(&self) -> Result<(), SharedDataError> {
        if self.is_missing { Err(SharedDataError::Unavailable) } else { Ok(()) }
    }
}

impl SharedData for Store {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        let mut stored = self.stored();
        stored.reads += 1;
        stored.check()?;
        Ok(stored.values.get(name).cloned())
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        let mut stored = self.stored();
        stored.check()?;
        if stored.races > 0 || stored.values.get(name).map(|value| value.version) != version {
            stored.races = stored.races.saturating_sub(1);
            return Err(SharedDataError::Changed);
        }
        stored.writes += 1;
        let value = SharedValue { bytes: value.to_vec(), version: stored.writes };
        stored.values.insert(name.to_owned(), value);
        Ok(())
    }
}
