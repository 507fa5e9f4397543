//! The data that the VMs of a proxy share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gate::{SharedData, SharedDataError, SharedValue};

/// Shared data; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Store(Rc<RefCell<Stored>>);

#[derive(Debug, Default)]
struct Stored {
    values: BTreeMap<String, SharedValue>,
    is_missing: bool,
    writes: u32,
}

impl Store {
    /// Shared data that a host does not have.
    pub fn missing() -> Self {
        Self(Rc::new(RefCell::new(Stored { is_missing: true, ..Stored::default() })))
    }
}

impl SharedData for Store {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        let stored = self.0.borrow();
        if stored.is_missing { Err(SharedDataError::Unavailable) } else { Ok(stored.values.get(name).cloned()) }
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        let mut stored = self.0.borrow_mut();
        if stored.is_missing {
            return Err(SharedDataError::Unavailable);
        }
        if stored.values.get(name).map(|value| value.version) != version {
            return Err(SharedDataError::Changed);
        }
        stored.writes += 1;
        let value = SharedValue { bytes: value.to_vec(), version: stored.writes };
        stored.values.insert(name.to_owned(), value);
        Ok(())
    }
}
