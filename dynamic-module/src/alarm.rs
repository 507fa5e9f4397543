//! The thread that wakes engines when something is due: Envoy has no timers for modules.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use module_abi::{ConfigWaker, LogLevel, StreamWaker, log};

/// The thread, until this is dropped.
#[derive(Debug)]
pub(crate) struct Alarm {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What Envoy is asked to call for an engine.
#[derive(Clone, Debug)]
pub(crate) enum Waker {
    Main(ConfigWaker),
    Worker(StreamWaker),
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By engine.
    due: Vec<Option<(Instant, Waker)>>,
    is_over: bool,
}

impl Alarm {
    /// Starts the thread, for so many engines, if there are any. `None` where it does not start: requests could wait for
    /// good.
    pub(crate) fn start(engines: usize) -> Option<Self> {
        let shared = Arc::new(Shared::default());
        if engines == 0 {
            return Some(Self { shared, thread: None });
        }
        shared.lock().due.resize_with(engines, || None);
        let run = Arc::clone(&shared);
        let thread = thread::Builder::new().name("jotgate_alarm".into()).spawn(move || run.run());
        let refused = |error: &_| {
            log(LogLevel::Error, &format!("jotgate: the system has no thread for timers ({error}): raise its limit"));
        };
        Some(Self { shared, thread: Some(thread.inspect_err(refused).ok()?) })
    }

    /// Has an engine woken at this instant, once, or not at all.
    pub(crate) fn set(&self, engine: usize, due: Option<(Instant, Waker)>) {
        if let Some(slot) = self.shared.lock().due.get_mut(engine) {
            *slot = due;
        }
        self.shared.changed.notify_one();
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        // Envoy may destroy the configuration in a call of this thread, which cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let now = Instant::now();
            let due: Vec<Waker> = state.take_due(now);
            if !due.is_empty() {
                // Without the lock: a worker that sets its timer never waits for Envoy's.
                drop(state);
                due.iter().for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            let wait = state.next().map_or(Duration::from_hours(1), |next| next.saturating_duration_since(now));
            (state, _) = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_due(&mut self, now: Instant) -> Vec<Waker> {
        let due = self.due.iter_mut().filter_map(|slot| slot.take_if(|(due, _)| *due <= now));
        due.map(|(_, waker)| waker).collect()
    }

    fn next(&self) -> Option<Instant> {
        self.due.iter().flatten().map(|(due, _)| *due).min()
    }
}

impl Waker {
    pub(crate) fn wake(&self) {
        match self {
            Self::Main(waker) => waker.wake(),
            Self::Worker(waker) => waker.wake(),
        }
    }
}
