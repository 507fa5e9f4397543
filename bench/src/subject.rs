//! A variant that runs: an Envoy of its own, and the connections to it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use real_envoy::http::{Connection, Request};
use real_envoy::{Bootstrap, Envoy};

use crate::credential::{Bound, Credential};
use crate::failure::{At as _, Failure, Result};
use crate::gates::{bootstrap, logged};
use crate::login::log_in;
use crate::process::CpuClock;
use crate::variant::{Caller, Fresh, Gate, Jotgate, Session, Variant};
use crate::world::{SCOPES, URL, World, bare};

/// An Envoy under measurement.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) variant: Variant,
    pub(crate) envoy: Envoy,
    cpu: CpuClock,
    connections: Vec<Connection>,
    requests: Requests,
    /// The counters before what is measured, and how many requests there were since.
    before: BTreeMap<String, u64>,
    sent: u64,
    /// Where sessions are sealed, if that is elsewhere.
    sealer: Option<Envoy>,
}

/// What is sent: requests as bytes, ready for the wire.
#[derive(Debug)]
enum Requests {
    Same(Vec<u8>),
    Fresh(std::vec::IntoIter<String>, Request),
    Proofs(Box<Bound>, Request),
}

impl Subject {
    /// Starts Envoy and connects to it.
    pub(crate) fn start(world: &World, variant: &Variant) -> Result<Self> {
        let bootstrap = bootstrap(variant.gate, world);
        let bootstrap = if variant.load.logs { logged(bootstrap, variant.gate) } else { bootstrap };
        Self::with(&bootstrap, world, variant)
    }

    /// Likewise, with that configuration.
    pub(crate) fn with(bootstrap: &Bootstrap, world: &World, variant: &Variant) -> Result<Self> {
        let load = variant.load;
        let levels = ("warning", "wasm:error,dynamic_modules:error");
        let builder = Envoy::builder(&bootstrap.text()).concurrency(load.workers).log_levels(levels.0, levels.1);
        let envoy = builder.start().at(&variant.name)?;
        let connect = |_| Connection::open(envoy.address("gateway"));
        let connections = (0..load.connections).map(connect).collect::<std::io::Result<_>>().at(&variant.name)?;
        let requests = Requests::Fresh(Vec::new().into_iter(), bare(load.headers));
        let (cpu, before, sealer) = (CpuClock::of(envoy.pid())?, BTreeMap::new(), sealer(world, variant.gate)?);
        let mut subject = Self { variant: variant.clone(), envoy, cpu, connections, requests, before, sent: 0, sealer };
        match load.tokens.fresh {
            Fresh::Nothing => {
                let credential = subject.credential(world, SCOPES).at(&variant.name)?;
                subject.requests = Requests::Same(credential.on(bare(load.headers)).bytes());
            }
            Fresh::Proofs => {
                let bound = Box::new(world.bound_token(SCOPES).at(&variant.name)?);
                subject.requests = Requests::Proofs(bound, bare(load.headers));
            }
            Fresh::Tokens => {}
        }
        Ok(subject)
    }

    /// What its requests prove themselves with, with these scopes.
    pub(crate) fn credential(&self, world: &World, scopes: &str) -> Result<Credential> {
        match self.variant.gate {
            Gate::Jotgate(Jotgate { caller: Caller::Session(_), .. }) => {
                let sealer = self.sealer.as_ref().unwrap_or(&self.envoy);
                log_in(world, sealer.address("gateway"), scopes).map(Credential::Session)
            }
            Gate::Jotgate(Jotgate { caller: Caller::Opaque, .. }) => world.opaque_token(scopes).map(Credential::Token),
            _ if self.variant.load.tokens.fresh == Fresh::Proofs => Ok(world.bound_token(scopes)?.prove(URL)),
            _ => world.token_for(self.variant.load.tokens, scopes).map(Credential::Token),
        }
    }

    /// Hands out the tokens of a variant that needs a new one for each request.
    pub(crate) fn take_tokens(&mut self, tokens: Vec<String>) {
        if let Requests::Fresh(stock, _) = &mut self.requests {
            *stock = tokens.into_iter();
        }
    }

    /// From here on requests count.
    pub(crate) fn start_counting(&mut self) -> Result<()> {
        (self.before, self.sent) = (self.counters()?, 0);
        Ok(())
    }

    /// How far each counter went since, and how many requests there were.
    pub(crate) fn counted(&self) -> Result<(BTreeMap<String, u64>, u64)> {
        let mut counters = self.counters()?;
        for (name, count) in &mut counters {
            *count = count.saturating_sub(self.before.get(name).copied().unwrap_or_default());
        }
        Ok((counters, self.sent))
    }

    /// Sends so many requests, one after the other on each connection, and returns the CPU time that Envoy used.
    pub(crate) fn measure(&mut self, count: usize) -> Result<Duration> {
        let before = self.cpu.read()?;
        let mut left = count;
        while left > 0 {
            let batch = left.min(self.connections.len());
            for index in 0..batch {
                let bytes = self.next_request()?;
                self.connection(index)?.write(&bytes).at(&self.variant.name)?;
            }
            for index in 0..batch {
                let answer = self.connection(index)?.response(false).at(&self.variant.name)?;
                if answer.status != 200 {
                    let text = answer.text();
                    return Err(Failure::new(format!("expected 200, found {}: {text}", answer.status)))
                        .at(&self.variant.name);
                }
            }
            left -= batch;
        }
        Ok(self.cpu.read()?.saturating_sub(before))
    }

    /// The next request, for the wire.
    pub(crate) fn next_request(&mut self) -> Result<Vec<u8>> {
        self.sent += 1;
        match &mut self.requests {
            Requests::Same(bytes) => Ok(bytes.clone()),
            Requests::Proofs(bound, request) => Ok(bound.prove(URL).on(request.clone()).bytes()),
            Requests::Fresh(tokens, request) => {
                let token = tokens.next().ok_or_else(|| Failure::new("no token is left")).at(&self.variant.name)?;
                Ok(request.clone().bearer(&token).bytes())
            }
        }
    }

    fn connection(&mut self, index: usize) -> Result<&mut Connection> {
        self.connections.get_mut(index).ok_or_else(|| Failure::new("there is no such connection"))
    }

    /// The plugin counts by itself for a second: all is there when it let as many requests pass as Envoy did.
    fn counters(&self) -> Result<BTreeMap<String, u64>> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let counters = self.envoy.stats("").at(&self.variant.name)?;
            let allowed = counters.get("wasmcustom.jotgate_requests_allowed");
            let is_complete =
                allowed.is_none_or(|allowed| Some(allowed) == counters.get("http.gateway.downstream_rq_2xx"));
            if is_complete || Instant::now() > deadline {
                return Ok(counters);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A gate to which the secret is not old yet.
fn sealer(world: &World, gate: Gate) -> Result<Option<Envoy>> {
    let Gate::Jotgate(gate @ Jotgate { caller: Caller::Session(Session::Old), .. }) = gate else { return Ok(None) };
    let current = Gate::Jotgate(Jotgate { caller: Caller::Session(Session::Current), ..gate });
    let text = bootstrap(current, world).text();
    Ok(Some(Envoy::builder(&text).concurrency(1).start()?))
}
