//! Has Envoy call back: on the main thread for a configuration, on its worker for a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::functions::{Functions, functions};
use crate::raw::Envoy;

/// Wakes a configuration: Envoy calls [`crate::Module::scheduled`] on the main thread. From any thread.
#[derive(Clone, Debug)]
pub struct ConfigWaker(Arc<Mutex<Option<Arc<Scheduler>>>>);

/// Wakes a request: Envoy calls [`crate::Module::stream_scheduled`] on its worker. From any thread.
#[derive(Clone, Debug)]
pub struct StreamWaker(Arc<Mutex<Option<Scheduler>>>);

impl ConfigWaker {
    /// # Safety
    ///
    /// `config` is a configuration that exists.
    pub(crate) unsafe fn new(config: Envoy) -> Option<Self> {
        let functions = functions()?;
        // SAFETY: the caller's.
        let pointer = unsafe { (functions.config_scheduler_new)(config) };
        let (commit, delete) = (functions.config_scheduler_commit, functions.config_scheduler_delete);
        Scheduler::new(pointer, commit, delete).map(|scheduler| Self(Arc::new(Mutex::new(Some(Arc::new(scheduler))))))
    }

    /// Has Envoy call, unless the configuration is gone.
    pub fn wake(&self) {
        // Without the lock: Envoy holds the configuration meanwhile, and where it is the last to do so, destroys it in
        // this call.
        let scheduler = lock(&self.0).clone();
        if let Some(scheduler) = scheduler {
            scheduler.commit();
        }
    }

    pub(crate) fn close(&self) {
        let scheduler = lock(&self.0).take();
        drop(scheduler);
    }
}

impl StreamWaker {
    /// # Safety
    ///
    /// `stream` is a request of this thread that exists, and the waker is closed when it is destroyed.
    pub(crate) unsafe fn new(functions: &Functions, stream: Envoy) -> Option<Self> {
        // SAFETY: the caller's.
        let pointer = unsafe { (functions.scheduler_new)(stream) };
        let scheduler = Scheduler::new(pointer, functions.scheduler_commit, functions.scheduler_delete);
        scheduler.map(|scheduler| Self(Arc::new(Mutex::new(Some(scheduler)))))
    }

    /// Has Envoy call, unless the request is gone.
    pub fn wake(&self) {
        // With the lock: the request, and the thread that runs it, stay as long as it is not closed.
        if let Some(scheduler) = lock(&self.0).as_ref() {
            scheduler.commit();
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.0).take();
    }
}

type Commit = unsafe extern "C" fn(Envoy, u64);
type Delete = unsafe extern "C" fn(Envoy);

/// One of Envoy's schedulers, which is deleted with this.
#[derive(Debug)]
struct Scheduler {
    pointer: Envoy,
    commit: Commit,
    delete: Delete,
}

// SAFETY: Envoy's schedulers are made to be used and deleted on any thread.
unsafe impl Send for Scheduler {}
// SAFETY: as above: one knows what it calls by a weak reference, and posts to a queue that has a lock.
unsafe impl Sync for Scheduler {}

impl Scheduler {
    fn new(pointer: Envoy, commit: Commit, delete: Delete) -> Option<Self> {
        (!pointer.is_null()).then_some(Self { pointer, commit, delete })
    }

    fn commit(&self) {
        // SAFETY: it is not deleted before this is dropped.
        unsafe { (self.commit)(self.pointer, 0) };
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: it is deleted this once.
        unsafe { (self.delete)(self.pointer) };
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
