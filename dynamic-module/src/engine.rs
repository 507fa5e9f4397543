//! One engine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use driver::Driver;
use gate::CalloutFailure;

use crate::host::{Envoy, now};
use crate::later::Later;
use crate::mail::{Delivery, Outcome};
use crate::requests::Requests;
use crate::signatures::Native;

/// An engine, as all threads see it.
#[derive(Debug)]
pub(crate) struct Engine(Mutex<Desk>);

/// What the thread has that has the lock.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) core: Core,
    pub(crate) requests: Requests,
}

/// The engine itself, with its driver.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) driver: Driver<Native>,
    is_started: bool,
}

impl Engine {
    pub(crate) fn new(driver: Driver<Native>) -> Self {
        let desk = Desk { core: Core::new(driver), requests: Requests::default() };
        Self(Mutex::new(desk))
    }

    /// `None` after a panic: what may be half done decides nothing before it [began anew](Self::begin_anew).
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, Desk>> {
        self.0.lock().ok()
    }

    /// Puts a new engine in the place of one that panicked, and answers with what is to be done about the requests that
    /// waited in that one, or that it had decided on. Their worker alone can do it: elsewhere, the engine stays as it is
    /// if there are any.
    pub(crate) fn begin_anew(&self, driver: Driver<Native>, is_worker: bool) -> Vec<Later> {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if desk.requests.need_their_worker() && !is_worker {
            return Vec::new();
        }
        *desk = Desk { core: Core::new(driver), requests: desk.requests.abandoned() };
        self.0.clear_poison();
        std::mem::take(&mut desk.requests.later)
    }

    pub(crate) fn has_panicked(&self) -> bool {
        self.0.is_poisoned()
    }
}

impl Core {
    pub(crate) fn new(driver: Driver<Native>) -> Self {
        Self { driver, is_started: false }
    }

    /// Starts the engine, unless it was started.
    pub(crate) fn start(&mut self, envoy: &mut Envoy<'_>) {
        if !self.is_started
            && let Some(now) = now()
        {
            self.is_started = true;
            self.driver.start(envoy, now);
        }
    }

    /// Takes the answers that were left for this engine.
    pub(crate) fn take_mail(&mut self, envoy: &mut Envoy<'_>) {
        for delivery in std::mem::take(&mut envoy.requests.mail) {
            self.take(envoy, delivery);
        }
    }

    /// Takes what came of a callout.
    pub(crate) fn take(&mut self, envoy: &mut Envoy<'_>, Delivery { token, outcome }: Delivery) {
        #[cfg(feature = "faults")]
        crate::faults::panic_if_answered(&outcome);
        match outcome {
            Outcome::Answered(response) => {
                let Envoy { config, metrics, post, engine, store, .. } = *envoy;
                let requests = &mut *envoy.requests;
                let (size, response) = (response.body.len(), Some(&response));
                let mut envoy = Envoy { config, metrics, post, engine, store, requests, response, rerouted: None };
                self.driver.callout_answered(&mut envoy, token, size);
            }
            Outcome::NoAnswer => self.driver.callout_failed(envoy, token, CalloutFailure::NoAnswer),
            Outcome::NotSent { status } => {
                self.driver.callout_failed(envoy, token, CalloutFailure::NotSent { status });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use gate::{Gate, Policy, Timestamp};
    use module_abi::StreamId;

    use super::*;

    fn driver() -> Driver<Native> {
        let configuration = br#"{"default": "deny", "issuers": [{
            "name": "main", "issuer": "https://idp.example", "audiences": ["demo"],
            "keys": {"jwksUri": "https://idp.example/keys", "cluster": "idp"}
        }]}"#;
        let policy = Policy::parse(configuration, &|_| None).unwrap();
        Driver::new(0, Gate::new(policy, Timestamp::from_nanos(1), 1), Native::default())
    }

    #[test]
    fn an_engine_that_panicked_does_nothing_before_it_began_anew() {
        let engine = Engine::new(driver());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _desk = engine.lock();
            panic!("in the middle of something");
        }));
        assert!(panicked.is_err() && engine.has_panicked());
        assert!(engine.lock().is_none());
        assert!(engine.begin_anew(driver(), false).is_empty());
        assert!(!engine.has_panicked() && engine.lock().is_some());
    }

    #[test]
    fn what_an_engine_decided_before_it_panicked_is_left_to_its_worker() {
        let engine = Engine::new(driver());
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            engine.lock().unwrap().requests.later.push(Later::Continue(StreamId(7)));
            let _desk = engine.lock();
            panic!("in the middle of something");
        }));
        assert!(panicked.is_err());
        assert!(engine.begin_anew(driver(), false).is_empty() && engine.has_panicked());
        assert!(matches!(engine.begin_anew(driver(), true)[..], [Later::Continue(StreamId(7))]));
        assert!(!engine.has_panicked() && engine.begin_anew(driver(), true).is_empty());
    }
}
