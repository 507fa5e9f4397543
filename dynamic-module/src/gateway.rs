//! One configuration: Envoy's hooks, for its engines.

use driver::{Driver, LogLevel, refusals, seed};
use gate::{Gate, Policy, RequestId, Timestamp};
use module_abi::{Action, Answer, Config, ConfigWaker, Definition, Main, Module, Stream, StreamId};

use crate::alarm::Alarm;
use crate::engine::{Core, Desk, Engine};
use crate::host::{self, Envoy};
use crate::later::Later;
use crate::mail::{Delivery, Post};
use crate::metrics::Metrics;
use crate::requests::Requests;
use crate::signatures::Native;
use crate::store::Store;

/// A configuration, with an engine for each worker, and as the last one that of the main thread.
#[derive(Debug)]
pub(crate) struct Gateway {
    policy: Policy,
    engines: Vec<Engine>,
    metrics: Metrics,
    post: Post,
    store: Store,
    waker: ConfigWaker,
    alarm: Alarm,
}

impl Module for Gateway {
    fn configure(definition: &Definition, name: &str, configuration: &[u8]) -> Option<Self> {
        let waker = definition.waker();
        let policy = read_policy(configuration)?;
        let metrics = Metrics::define(definition, &new_gate(&policy)?);
        // An Envoy that only checks its configuration needs neither threads nor fetches.
        let engines = if definition.is_check() { 0 } else { definition.workers() + 1 };
        let gateway = Self {
            engines: (0..engines).map(|_| new_driver(&policy).map(Engine::new)).collect::<Option<_>>()?,
            policy,
            metrics,
            post: Post::new(waker.clone()),
            store: Store::named(name),
            alarm: Alarm::start(engines)?,
            waker,
        };
        // Starts the main thread's engine, once Envoy has made its clusters and knows this configuration.
        gateway.waker.wake();
        Some(gateway)
    }

    fn scheduled(&self, main: Main<'_>) {
        for index in (0..self.engines.len()).rev() {
            self.on_main_thread(main.config(), index, |core, envoy| {
                // That of the main thread: the others start with their first request, and find its keys.
                if index + 1 == self.engines.len() {
                    core.start(envoy);
                }
                tick_if_due(core, envoy);
            });
        }
        self.make_callouts(main);
    }

    fn callout_done(&self, main: Main<'_>, number: u64, answer: Option<Answer<'_>>) {
        if let Some((engine, delivery)) = self.post.receive(number, answer) {
            self.deliver(main.config(), engine, delivery);
        }
        self.make_callouts(main);
    }

    fn request_headers(&self, config: &Config, stream: Stream, end_of_stream: bool) -> Action {
        let decide = |core: &mut Core, envoy: &mut Envoy<'_>| {
            #[cfg(feature = "faults")]
            crate::faults::panic_if_asked(stream.id);
            core.start(envoy);
            let action = core.driver.request_headers(envoy, request(stream.id), !end_of_stream);
            match action {
                driver::Action::Continue => envoy.requests.request_passed(stream.id),
                driver::Action::Pause if envoy.requests.is_answered(stream.id) => {}
                driver::Action::Pause => envoy.requests.request_waits(stream.id),
            }
            translate(action)
        };
        self.with_worker(config, stream, decide).unwrap_or_else(|| refuse(stream.id))
    }

    fn request_trailers(&self, config: &Config, stream: Stream) -> Action {
        let clean = |core: &mut Core, envoy: &mut Envoy<'_>| translate(core.driver.request_trailers(envoy));
        self.with_worker(config, stream, clean).unwrap_or_else(|| refuse(stream.id))
    }

    fn response_headers(&self, config: &Config, stream: Stream) -> Action {
        let decide = |core: &mut Core, envoy: &mut Envoy<'_>| {
            let action = core.driver.response_headers(envoy, request(stream.id));
            if action == driver::Action::Pause {
                envoy.requests.response_waits(stream.id);
            }
            translate(action)
        };
        self.with_worker(config, stream, decide).unwrap_or(Action::Continue)
    }

    fn stream_scheduled(&self, config: &Config, stream: Stream) {
        self.with_worker(config, stream, |core, envoy| {
            envoy.requests.current = None;
            core.take_mail(envoy);
            tick_if_due(core, envoy);
        });
    }

    fn stream_gone(&self, config: &Config, stream: Stream) {
        self.with_worker(config, stream, |core, envoy| {
            envoy.requests.forget(stream.id);
            core.driver.cancel(request(stream.id));
        });
    }

    fn panicked(&self, _: &Config, worker: Option<usize>) {
        match worker {
            Some(index) => self.begin_anew(index, true),
            // The main thread acts on any.
            None => (0..self.engines.len()).for_each(|index| self.begin_anew(index, false)),
        }
        self.waker.wake();
    }
}

impl Gateway {
    /// Has a worker's engine do something in a hook of this request. `None` if there is no such worker.
    fn with_worker<T>(
        &self,
        config: &Config,
        stream: Stream,
        act: impl FnOnce(&mut Core, &mut Envoy<'_>) -> T,
    ) -> Option<T> {
        let (_, workers) = self.engines.split_last()?;
        let Some(mut desk) = workers.get(stream.worker)?.lock() else {
            self.begin_anew(stream.worker, true);
            return None;
        };
        let Desk { core, requests } = &mut *desk;
        let mut envoy = self.envoy(config, stream.worker, requests);
        envoy.requests.current = Some(stream.id);
        let done = act(core, &mut envoy);
        envoy.requests.current = None;
        // The request that was woken for it may be gone. Who waits is continued in a call of its own.
        if !envoy.requests.mail.is_empty() {
            match envoy.requests.waker() {
                Some(waker) => waker.wake(),
                None => core.take_mail(&mut envoy),
            }
        }
        requests.arm(&self.alarm, stream.worker, &self.waker);
        let later = std::mem::take(&mut requests.later);
        drop(desk);
        later.into_iter().for_each(Later::carry_out);
        Some(done)
    }

    /// Has an engine do something on the main thread, unless requests of its worker wait: then its worker must do it.
    fn on_main_thread(&self, config: &Config, index: usize, act: impl FnOnce(&mut Core, &mut Envoy<'_>)) {
        let Some(mut desk) = self.engines.get(index).and_then(Engine::lock) else { return };
        let Desk { core, requests } = &mut *desk;
        if requests.waker().is_none() {
            act(core, &mut self.envoy(config, index, requests));
            requests.arm(&self.alarm, index, &self.waker);
        }
    }

    /// Has an engine begin anew, if it panicked: nothing that may be half done is trusted.
    fn begin_anew(&self, index: usize, is_worker: bool) {
        let Some(engine) = self.engines.get(index).filter(|engine| engine.has_panicked()) else { return };
        if let Some(driver) = new_driver(&self.policy) {
            engine.begin_anew(driver, is_worker).into_iter().for_each(Later::carry_out);
        }
    }

    /// Makes the callouts that engines wait for.
    fn make_callouts(&self, main: Main<'_>) {
        for (engine, delivery) in self.post.make(main) {
            self.deliver(main.config(), engine, delivery);
        }
    }

    /// Hands an engine what came of a callout.
    fn deliver(&self, config: &Config, index: usize, delivery: Delivery) {
        // An engine that begins anew asks anew.
        let Some(mut desk) = self.engines.get(index).and_then(Engine::lock) else { return };
        if let Some(waker) = desk.requests.waker() {
            desk.requests.mail.push(delivery);
            waker.wake();
            return;
        }
        let Desk { core, requests } = &mut *desk;
        core.take(&mut self.envoy(config, index, requests), delivery);
        requests.arm(&self.alarm, index, &self.waker);
    }

    fn envoy<'c>(&'c self, config: &'c Config, engine: usize, requests: &'c mut Requests) -> Envoy<'c> {
        let Self { metrics, post, store, .. } = self;
        Envoy { config, metrics, post, engine, store, requests, response: None, rerouted: None }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let Some(now) = host::now() else { return };
        for mut desk in self.engines.iter().filter_map(Engine::lock) {
            desk.core.driver.release(&mut &self.store, now);
        }
    }
}

fn tick_if_due(core: &mut Core, envoy: &mut Envoy<'_>) {
    envoy.requests.rang();
    if envoy.requests.take_due() {
        core.driver.tick(envoy);
    }
}

fn read_policy(configuration: &[u8]) -> Option<Policy> {
    let policy = Policy::parse(configuration, &|name| std::env::var(name).ok());
    policy.map_err(|errors| refusals(&errors).for_each(|line| host::log(LogLevel::Error, &line))).ok()
}

fn new_gate(policy: &Policy) -> Option<Gate> {
    let now: Timestamp = host::now()?;
    Some(Gate::new(policy.clone(), now, seed(now)))
}

fn new_driver(policy: &Policy) -> Option<Driver<Native>> {
    Some(Driver::new(0, new_gate(policy)?, Native::default()))
}

/// The numbers of requests are those of their streams.
fn request(StreamId(id): StreamId) -> RequestId {
    RequestId(id)
}

fn translate(action: driver::Action) -> Action {
    match action {
        driver::Action::Continue => Action::Continue,
        driver::Action::Pause => Action::Pause,
    }
}

/// There is no engine for the request.
fn refuse(id: StreamId) -> Action {
    Later::Refuse(id).carry_out();
    Action::Pause
}
