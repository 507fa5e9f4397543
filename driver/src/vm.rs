//! The configurations of a VM, and whose requests are whose.

use std::collections::BTreeMap;

use gate::{ConfigErrors, Gate, Policy, RequestId, Timestamp};
use jose::signature::SignatureVerifier;

use crate::driver::{Action, Driver, refuse_for_the_host};
use crate::host::{CalloutToken, Host, LogLevel};

/// Everything in one VM of a proxy: a host may run several configurations in one, each under a root context.
#[derive(Debug)]
pub struct Vm<V> {
    /// One for each root context that is configured: few.
    drivers: Vec<Driver<V>>,
    /// The root context of each request's context.
    requests: BTreeMap<u32, u32>,
}

impl<V> Vm<V> {
    /// A VM without contexts.
    pub const fn new() -> Self {
        Self { drivers: Vec::new(), requests: BTreeMap::new() }
    }

    /// A context is new: one for a configuration, whose `root` is 0, or one for a request.
    pub fn create_context(&mut self, context: u32, root: u32) {
        // A root context gets a driver when it is configured.
        if root != 0 {
            self.requests.insert(context, root);
        }
    }
}

impl<V> Default for Vm<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: SignatureVerifier> Vm<V> {
    /// A context is gone.
    pub fn delete_context(&mut self, host: &mut impl Host, context: u32) {
        match self.requests.remove(&context) {
            Some(root) => {
                if let Some(driver) = self.driver_mut(root) {
                    driver.cancel(RequestId(context.into()));
                }
            }
            None => {
                if let Some(mut driver) = self.take_driver(context) {
                    driver.end(host);
                }
            }
        }
    }

    /// A configuration of `size` bytes is there; `false` rejects it, and the one before it stays. `verifier` makes what
    /// checks signatures for it.
    pub fn configure<H: Host>(
        &mut self,
        host: &mut H,
        root: u32,
        size: usize,
        verifier: impl FnOnce(&mut H) -> V,
    ) -> bool {
        let configuration = match size {
            0 => Ok(Vec::new()),
            size => host.configuration(size),
        };
        let (Ok(configuration), Ok(now)) = (configuration, host.now()) else {
            host.log(LogLevel::Error, "jotgate: the host gives neither configuration nor time");
            return false;
        };
        match Policy::parse(&configuration, &|name| host.environment(name)) {
            Ok(policy) => {
                let mut driver = Driver::new(root, Gate::new(policy, now, seed(now)), verifier(host));
                // Requests that wait for the configuration before this one are decided on by this one.
                if let Some(predecessor) = self.take_driver(root) {
                    driver.inherit(host, predecessor);
                }
                driver.start(host, now);
                self.drivers.push(driver);
                true
            }
            Err(errors) => {
                refusals(&errors).for_each(|line| host.log(LogLevel::Error, &line));
                false
            }
        }
    }

    /// The timer of a configuration has run out.
    pub fn tick(&mut self, host: &mut impl Host, root: u32) {
        if let Some(driver) = self.driver_mut(root) {
            driver.tick(host);
        }
    }

    /// A callout of a configuration was answered.
    pub fn callout_answered(&mut self, host: &mut impl Host, root: u32, token: CalloutToken, body_size: usize) {
        if let Some(driver) = self.driver_mut(root) {
            driver.callout_answered(host, token, body_size);
        }
    }

    /// The headers of a request are there.
    pub fn request_headers(&mut self, host: &mut impl Host, context: u32, has_body: bool) -> Action {
        match self.requests.get(&context).copied().and_then(|root| self.driver_mut(root)) {
            Some(driver) => driver.request_headers(host, RequestId(context.into()), has_body),
            None => refuse_for_the_host(host),
        }
    }

    /// The trailers of a request are there.
    pub fn request_trailers(&self, host: &mut impl Host, context: u32) -> Action {
        let root = self.requests.get(&context).copied();
        match self.drivers.iter().find(|driver| Some(driver.root()) == root) {
            Some(driver) => driver.request_trailers(host),
            None => refuse_for_the_host(host),
        }
    }

    /// The headers of a response are there.
    pub fn response_headers(&mut self, host: &mut impl Host, context: u32) -> Action {
        match self.requests.get(&context).copied().and_then(|root| self.driver_mut(root)) {
            Some(driver) => driver.response_headers(host, RequestId(context.into())),
            None => Action::Continue,
        }
    }

    fn driver_mut(&mut self, root: u32) -> Option<&mut Driver<V>> {
        self.drivers.iter_mut().find(|driver| driver.root() == root)
    }

    fn take_driver(&mut self, root: u32) -> Option<Driver<V>> {
        let index = self.drivers.iter().position(|driver| driver.root() == root)?;
        Some(self.drivers.swap_remove(index))
    }
}

/// The lines of the log about a configuration that is refused.
pub fn refusals(errors: &ConfigErrors) -> impl Iterator<Item = String> {
    errors.iter().map(|error| format!("jotgate: configuration refused: {error}"))
}

/// The instant is not the same in any two VMs, and seeds nothing but jitter.
pub fn seed(now: Timestamp) -> u64 {
    let since = now.since_epoch();
    since.as_secs() ^ u64::from(since.subsec_nanos())
}
