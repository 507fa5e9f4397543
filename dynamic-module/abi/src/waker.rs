//! Has Envoy call back: on the main thread for a configuration, on its worker for a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::functions::{Functions, functions};
use crate::raw::Envoy;

/// Wakes a configuration: Envoy calls [`crate::Module::scheduled`] on the main thread. From any thread.
#[derive(Clone, Debug)]
pub struct ConfigWaker(Arc<Scheduler>);

/// Wakes a request: Envoy calls [`crate::Module::stream_scheduled`] on its worker. From any thread.
#[derive(Clone, Debug)]
pub struct StreamWaker(Arc<Scheduler>);

impl ConfigWaker {
    /// # Safety
    ///
    /// `config` is a configuration that exists, and the waker is closed when it is destroyed.
    pub(crate) unsafe fn new(config: Envoy) -> Option<Self> {
        let functions = functions()?;
        // SAFETY: the caller's.
        let scheduler = unsafe { (functions.config_scheduler_new)(config) };
        let delete = functions.config_scheduler_delete;
        Scheduler::new(scheduler, functions.config_scheduler_commit, delete).map(|scheduler| Self(Arc::new(scheduler)))
    }

    /// Has Envoy call, unless the configuration is gone.
    pub fn wake(&self) {
        self.0.commit();
    }

    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl StreamWaker {
    /// # Safety
    ///
    /// `stream` is a request of this thread that exists, and the waker is closed when it is destroyed.
    pub(crate) unsafe fn new(functions: &Functions, stream: Envoy) -> Option<Self> {
        // SAFETY: the caller's.
        let scheduler = unsafe { (functions.scheduler_new)(stream) };
        let delete = functions.scheduler_delete;
        Scheduler::new(scheduler, functions.scheduler_commit, delete).map(|scheduler| Self(Arc::new(scheduler)))
    }

    /// Has Envoy call, unless the request is gone.
    pub fn wake(&self) {
        self.0.commit();
    }

    pub(crate) fn close(&self) {
        self.0.close();
    }
}

type Commit = unsafe extern "C" fn(Envoy, u64);
type Delete = unsafe extern "C" fn(Envoy);

/// One of Envoy's schedulers. INVARIANT: while it is there, what it calls back exists, and so the thread that runs that.
#[derive(Debug)]
struct Scheduler {
    pointer: Mutex<Option<Pointer>>,
    commit: Commit,
    delete: Delete,
}

#[derive(Clone, Copy, Debug)]
struct Pointer(Envoy);

// SAFETY: Envoy's schedulers are made to be used on any thread; one at a time does so here.
unsafe impl Send for Pointer {}

impl Scheduler {
    fn new(pointer: Envoy, commit: Commit, delete: Delete) -> Option<Self> {
        (!pointer.is_null()).then(|| Self { pointer: Mutex::new(Some(Pointer(pointer))), commit, delete })
    }

    fn commit(&self) {
        if let Some(Pointer(pointer)) = *self.lock() {
            // SAFETY: it was not deleted, and is not before the lock is given back.
            unsafe { (self.commit)(pointer, 0) };
        }
    }

    fn close(&self) {
        if let Some(Pointer(pointer)) = self.lock().take() {
            // SAFETY: it is deleted this once, and nobody finds it again.
            unsafe { (self.delete)(pointer) };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pointer>> {
        self.pointer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.close();
    }
}
