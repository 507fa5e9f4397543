//! The data that the engines of a process share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use gate::{SharedData, SharedDataError, SharedValue};

/// The data of all configurations of one filter name. It is there as long as one of them is.
#[derive(Debug, Default)]
pub(crate) struct Store(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    values: HashMap<String, SharedValue>,
    writes: u32,
}

static STORES: Mutex<BTreeMap<String, Weak<Mutex<Entries>>>> = Mutex::new(BTreeMap::new());

impl Store {
    /// That of all configurations of this filter name.
    pub(crate) fn named(name: &str) -> Self {
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|_, store| store.strong_count() > 0);
        if let Some(store) = stores.get(name).and_then(Weak::upgrade) {
            return Self(store);
        }
        let store = Self::default();
        stores.insert(name.to_owned(), Arc::downgrade(&store.0));
        store
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedData for &Store {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        Ok(self.lock().values.get(name).cloned())
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        let mut entries = self.lock();
        if entries.values.get(name).map(|value| value.version) != version {
            return Err(SharedDataError::Changed);
        }
        entries.writes = entries.writes.wrapping_add(1);
        let value = SharedValue { bytes: value.to_vec(), version: entries.writes };
        entries.values.insert(name.to_owned(), value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_over_the_version_that_was_read_only() {
        let mut store = &Store::default();
        assert_eq!(store.read("name"), Ok(None));
        assert_eq!(store.write("name", b"first", Some(1)), Err(SharedDataError::Changed));
        assert_eq!(store.write("name", b"first", None), Ok(()));
        let first = store.read("name").unwrap().unwrap();
        assert_eq!(store.write("name", b"second", None), Err(SharedDataError::Changed));
        assert_eq!(store.write("name", b"second", Some(first.version)), Ok(()));
        assert_eq!(store.write("name", b"third", Some(first.version)), Err(SharedDataError::Changed));
        assert_eq!(store.read("name").unwrap().unwrap().bytes, b"second");
    }

    #[test]
    fn a_store_is_that_of_its_name_as_long_as_somebody_has_it() {
        let has_value = |name| (&Store::named(name)).read("name").unwrap().is_some();
        let one = Store::named("a");
        (&one).write("name", b"value", None).unwrap();
        assert!(has_value("a"));
        assert!(!has_value("b"));
        drop(one);
        assert!(!has_value("a"));
    }
}
