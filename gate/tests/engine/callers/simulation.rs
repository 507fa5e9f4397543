//! Two proxies, the services that they ask, and time: what is asked, what is answered and when.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::clients::{Clients, Sent, thumbprints};
use super::issuers::{Answer, Issuers, Service};
use super::promises::Promise;
use super::setup::{Mutant, PATIENCE, SECOND, Setup, Variant};
use crate::fleet::{Fleet, Next, Vm};
use crate::seeds::{Random, Record, Simulated};
use crate::support::{Fetch, NOW, Store};
use gate::{CalloutId, Timestamp};

const PROXIES: usize = 2;

/// What happens later.
pub(super) enum Happening {
    /// A callout is answered, or fails.
    Answer {
        vm: Vm,
        fetch: Fetch,
        answer: Option<(&'static str, String)>,
        number: usize,
    },
    /// The host gives a callout up.
    GiveUp {
        vm: Vm,
        fetch: Fetch,
    },
    Send(Sent),
}

/// A lookup under way.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) vm: Vm,
    pub(super) service: Service,
    pub(super) about: String,
    pub(super) callout: CalloutId,
    /// By a clock that never runs backwards.
    pub(super) at: Timestamp,
}

/// By how much the clock of a proxy was set forward, in all.
pub(super) type Forward = Duration;

pub(super) struct Simulation {
    pub(super) setup: Setup,
    pub(super) random: Random,
    pub(super) fleet: Fleet<Forward, Variant, Happening>,
    pub(super) issuers: Issuers,
    pub(super) clients: Clients,
    /// The requests that wait for a decision.
    pub(super) waiting: BTreeMap<(Vm, u64), Sent>,
    pub(super) lookups: Vec<Lookup>,
    /// When what was asked about last failed, by steady clocks.
    pub(super) failed: BTreeMap<(Vm, Service, String), Timestamp>,
    /// The number of the newest yes about a token that a VM has, and when it was asked for by its steady clock.
    pub(super) known: BTreeMap<(Vm, String), (usize, Timestamp)>,
    /// The callouts that were ever made.
    pub(super) callouts: BTreeSet<(Vm, CalloutId)>,
    /// The VMs in which a proof was taken, in each proxy.
    pub(super) proofs_taken: BTreeMap<(usize, usize), Vec<Vm>>,
    pub(super) last_restart: Timestamp,
    pub(super) is_calm: bool,
    pub(super) record: Record<Promise>,
}

impl Simulated for Simulation {
    type Mutant = Mutant;
    type Promise = Promise;

    fn start(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut random = Random::new(seed);
        let setup = Setup::draw(&mut random, mutant);
        let mut issuers = Issuers::new(&setup, thumbprints());
        let fleet = Fleet::new(seed);
        for _ in 0..6 {
            issuers.issue(fleet.now, &mut random);
        }
        let mut simulation = Self {
            fleet,
            issuers,
            clients: Clients::new(&setup),
            waiting: BTreeMap::new(),
            lookups: Vec::new(),
            failed: BTreeMap::new(),
            known: BTreeMap::new(),
            callouts: BTreeSet::new(),
            proofs_taken: BTreeMap::new(),
            last_restart: Timestamp::from_secs(NOW),
            is_calm: false,
            record: Record::of(&setup),
            setup,
            random,
        };
        for proxy in 0..PROXIES {
            let ahead = simulation.random.duration(Duration::ZERO, 5 * SECOND);
            let (store, machines) = (Store::default(), Vec::new());
            simulation.fleet.proxies.push(crate::fleet::Proxy { store, machines, ahead, own: Duration::ZERO });
            simulation.start_proxy(proxy);
        }
        simulation
    }

    fn go_on(&mut self) {
        self.step();
    }

    fn end(&mut self) {
        self.recover();
    }

    fn record(&mut self) -> &mut Record<Promise> {
        &mut self.record
    }
}

impl Simulation {
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        self.record.note(self.fleet.now, line);
    }

    /// What the clock of a proxy shows that is never set back.
    pub(super) fn steady(&self, proxy: usize) -> Timestamp {
        self.fleet.now.after(self.fleet.proxies[proxy].own)
    }

    pub(super) fn start_proxy(&mut self, proxy: usize) {
        self.note(|| format!("proxy {proxy} starts"));
        self.forget_work(|vm| vm.proxy == proxy);
        self.proofs_taken.retain(|(by, _), _| *by != proxy);
        self.fleet.proxies[proxy].store = if self.setup.has_store { Store::default() } else { Store::missing() };
        self.fleet.proxies[proxy].machines.clear();
        for _ in 0..self.setup.vms {
            let machine = self.start_machine(proxy);
            self.fleet.proxies[proxy].machines.push(machine);
        }
        self.settle();
    }

    /// A VM dies, whatever it was about, and is replaced.
    pub(super) fn restart(&mut self, proxy: usize, index: usize) {
        let old = self.fleet.vm(proxy, index);
        self.note(|| format!("{old:?} is replaced"));
        self.forget_work(|vm| vm == old);
        let machine = self.start_machine(proxy);
        self.fleet.proxies[proxy].machines[index] = machine;
        self.settle();
    }

    fn start_machine(&mut self, proxy: usize) -> crate::fleet::Machine<Variant> {
        self.last_restart = self.fleet.now;
        let variant = self.random.choose(&Variant::ALL);
        let store = match self.setup.is(Mutant::NothingIsShared) {
            true => Store::default(),
            false => self.fleet.proxies[proxy].store.clone(),
        };
        self.fleet.start(proxy, &store, &self.setup.config(variant), variant)
    }

    fn forget_work(&mut self, is_gone: impl Fn(Vm) -> bool) {
        self.waiting.retain(|(vm, _), _| !is_gone(*vm));
        self.lookups.retain(|lookup| !is_gone(lookup.vm));
    }

    pub(super) fn reconfigure(&mut self, proxy: usize, index: usize, variant: Variant) {
        let vm = self.fleet.vm(proxy, index);
        self.note(|| format!("{vm:?} gets {variant:?}"));
        let config = self.setup.config(variant);
        let machine = &mut self.fleet.proxies[proxy].machines[index];
        let before = std::mem::replace(&mut machine.own, variant);
        let keeps = |service: Service| service.introspects() && before.keeps(variant, service == Service::Gaf);
        self.lookups.retain(|lookup| lookup.vm != vm || keeps(lookup.service));
        self.failed.retain(|(by, service, _), _| *by != vm || keeps(*service));
        let answers = &self.issuers.answers;
        let lasts = |answer: &Answer| keeps(answer.service) && !answer.is_large;
        self.known.retain(|(by, _), (number, _)| *by != vm || lasts(&answers[*number]));
        machine.world.reconfigure(&config);
        self.settle();
    }

    /// The clock of a proxy is set.
    pub(super) fn set_clock(&mut self, proxy: usize, ahead: Duration) {
        let before = self.fleet.proxies[proxy].ahead;
        self.note(|| format!("the clock of proxy {proxy} is ahead by {ahead:?}, and was by {before:?}"));
        // What it has not seen before that is lost to it.
        self.fleet.set_clock(proxy, before);
        self.fleet.proxies[proxy].own += ahead.saturating_sub(before);
        self.fleet.set_clock(proxy, ahead);
        if ahead < before {
            // Proofs that were forgotten as too old may be good again.
            self.proofs_taken.retain(|(by, _), _| *by != proxy);
            self.clients.forget_proofs();
        }
        self.settle();
    }

    /// Lets time pass, everything at its instant.
    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.fleet.now.after(by);
        while !self.record.is_broken() {
            match self.fleet.next(end) {
                None => return,
                Some(Next::TimedOut) => {}
                Some(Next::Happens(happening)) => self.happen(happening),
            }
            self.settle();
            self.check_waiting();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Answer { vm, fetch, answer, number } => self.answer(vm, &fetch, answer.as_ref(), number),
            Happening::GiveUp { vm, fetch } => {
                if self.is_under_way(vm, &fetch) {
                    self.end_lookup(vm, &fetch, false);
                    if let Some(machine) = self.fleet.machine(vm) {
                        machine.world.fail_fetch(&fetch);
                    }
                }
            }
            Happening::Send(sent) => self.send(sent),
        }
    }

    /// Takes up what the VMs did: callouts, and decisions on requests that had waited.
    pub(super) fn settle(&mut self) {
        loop {
            let (fetches, resumed) = self.fleet.take();
            if fetches.is_empty() && resumed.is_empty() {
                return;
            }
            for (vm, fetch) in fetches {
                if self.setup.is(Mutant::CalloutTwice) {
                    self.ask(vm, fetch.clone());
                }
                self.ask(vm, fetch);
            }
            for (vm, id, outcome) in resumed {
                if let Some(sent) = self.waiting.remove(&(vm, id)) {
                    self.decided(sent, &outcome);
                }
            }
        }
    }

    /// A service is asked.
    fn ask(&mut self, vm: Vm, fetch: Fetch) {
        if !self.callouts.insert((vm, fetch.id)) {
            self.fail(Promise::Effects, format!("{vm:?} uses callout {:?} again", fetch.id));
        }
        let Some(service) = Service::asked_by(&fetch) else { return };
        let about = Issuers::about(&fetch);
        let at = self.steady(vm.proxy);
        self.check_lookup(vm, service, &about, &fetch);
        self.lookups.push(Lookup { vm, service, about: about.clone(), callout: fetch.id, at });
        let served = self.issuers.serve(service, about.clone(), self.fleet.now, &mut self.random);
        let (after, number) = (served.after, served.number);
        let status = served.answer.as_ref().map(|(status, _)| *status);
        self.note(|| format!("{vm:?} asks {service:?} about {about:.30}: {number}, {status:?} after {after:?}"));
        // A host ends a callout in time; one in two silent ones does not.
        let timeout = fetch.timeout;
        if after > timeout && after < Duration::from_secs(30) {
            self.fleet.later(timeout, Happening::GiveUp { vm, fetch });
        } else {
            self.fleet.later(after, Happening::Answer { vm, fetch, answer: served.answer, number });
        }
    }

    fn is_under_way(&self, vm: Vm, fetch: &Fetch) -> bool {
        self.lookups.iter().any(|lookup| lookup.vm == vm && lookup.callout == fetch.id)
    }

    /// Takes note of the end of a lookup.
    fn end_lookup(&mut self, vm: Vm, fetch: &Fetch, is_fine: bool) {
        let steady = self.steady(vm.proxy);
        let Some(index) = self.lookups.iter().position(|found| found.vm == vm && found.callout == fetch.id) else {
            return;
        };
        let lookup = self.lookups.swap_remove(index);
        let is_late = steady >= lookup.at.after(PATIENCE);
        let key = (vm, lookup.service, lookup.about);
        match is_fine {
            true => drop(self.failed.remove(&key)),
            false if is_late => {}
            false => drop(self.failed.insert(key, steady)),
        }
    }

    fn answer(&mut self, vm: Vm, fetch: &Fetch, answer: Option<&(&'static str, String)>, number: usize) {
        let now = self.fleet.now;
        let steady = self.steady(vm.proxy);
        let lookup = self.lookups.iter().find(|found| found.vm == vm && found.callout == fetch.id).cloned();
        let is_yes = self.issuers.answers[number].is_yes && answer.is_some();
        self.end_lookup(vm, fetch, is_yes);
        if self.fleet.machine(vm).is_none() {
            return;
        }
        self.note(|| format!("{vm:?} has answer {number}"));
        self.issuers.answers[number].delivered = Some(now);
        if let Some(lookup) = lookup.filter(|lookup| is_yes && lookup.service.introspects()) {
            // One that comes when nobody waits any more is as good as none.
            if steady < lookup.at.after(self.setup.timeout) {
                self.known.insert((vm, lookup.about), (number, lookup.at));
            }
        }
        let Some(machine) = self.fleet.machine(vm) else { return };
        match answer {
            Some((status, body)) => machine.world.answer_to(fetch, [(":status", *status)], body),
            None => machine.world.fail_fetch(fetch),
        }
    }

    pub(super) fn fail(&mut self, promise: Promise, words: String) {
        self.record.fail(self.fleet.now, promise, words);
    }
}
