//! Two proxies, each of some VMs with shared data of their own, and time: callouts that are answered later, and
//! responses that come later.

use std::collections::BTreeMap;
use std::time::Duration;

use super::issuer::{Issuer, TIMEOUT};
use super::people::{Person, Sent};
use super::promises::{Login, Promise, Text};
use super::secrets::Secrets;
use super::setup::{MOST_SECRETS, Mutant, Setup};
use crate::browser::form;
use crate::fleet::{Fleet, Machine, Next, Proxy, Vm};
use crate::seeds::{Random, Record, Simulated};
use crate::support::{Fetch, NOW, Outcome, Store, World};
use gate::Timestamp;

const PROXIES: usize = 2;
const VMS: usize = 4;
const PEOPLE: usize = 4;
/// How long tokens wait for the key of their ID token, at least.
const LONGEST_CHECK: Duration = Duration::from_secs(15);

/// What a VM was given.
pub(super) struct Given {
    /// The secrets that it has, the one that seals first.
    pub(super) secrets: Vec<usize>,
    /// The `notBefore` that it should keep to.
    pub(super) not_before: Option<Timestamp>,
}

/// What is known of a proxy.
pub(super) struct Known {
    /// When it started, and with it its shared data.
    pub(super) started: Timestamp,
    /// How many keys the issuer had when it was last asked for them.
    pub(super) keys: usize,
}

/// What happens later.
#[derive(Debug)]
pub(super) enum Happening {
    /// A callout is answered, or fails.
    Answer { vm: Vm, fetch: Fetch, answer: Option<(&'static str, String)>, grant: Option<usize>, keys: usize },
    /// The upstream responds to a request that was forwarded.
    Respond { sent: Sent },
    /// A browser goes to a page: perhaps back from the issuer.
    Go { person: usize, path: String },
    /// The settings of the hour reach a VM.
    Reconfigure { proxy: usize, index: usize },
}

pub(super) struct Simulation {
    pub(super) setup: Setup,
    pub(super) random: Random,
    pub(super) fleet: Fleet<Known, Given, Happening>,
    pub(super) issuer: Issuer,
    pub(super) people: Vec<Person>,
    pub(super) secrets: Secrets,
    pub(super) not_before: Option<Timestamp>,
    /// The requests that wait for a decision.
    pub(super) waiting: BTreeMap<(Vm, u64), Sent>,
    /// The responses that VMs have; and whether others may store them.
    pub(super) held: BTreeMap<(Vm, u64), (Sent, bool)>,
    /// Each opens what browsers have, by one of the secrets.
    pub(super) oracles: Vec<World>,
    /// By their first grant.
    pub(super) logins: BTreeMap<usize, Login>,
    /// From then on the settings may be changed again.
    pub(super) settled: Timestamp,
    /// What is known of the sessions that browsers were given, by their text.
    pub(super) texts: BTreeMap<String, Text>,
    /// The refreshes under way: by whom, and with which refresh token.
    pub(super) refreshing: Vec<(Vm, String)>,
    /// When each proxy was last given what a refresh token was good for, and which grant that was.
    pub(super) renewed: BTreeMap<(usize, String), (Timestamp, usize)>,
    /// When something last went wrong that may keep a refresh from its end.
    pub(super) last_fault: Timestamp,
    /// Since when nothing goes wrong.
    pub(super) is_calm: bool,
    pub(super) record: Record<Promise>,
}

impl Simulated for Simulation {
    type Mutant = Mutant;
    type Promise = Promise;

    fn start(seed: u64, mutant: Option<Mutant>) -> Self {
        let mut random = Random::new(seed);
        let setup = Setup::draw(&mut random, mutant);
        let now = Timestamp::from_secs(NOW);
        let mut simulation = Self {
            issuer: Issuer::new(&setup),
            people: (0..PEOPLE).map(|number| Person::new(number % PROXIES)).collect(),
            secrets: Secrets::new(now),
            not_before: None,
            fleet: Fleet::new(seed),
            waiting: BTreeMap::new(),
            held: BTreeMap::new(),
            oracles: (0..MOST_SECRETS)
                .map(|secret| World::beside(&Store::missing(), &Setup::oracle(secret), now, 0))
                .collect(),
            logins: BTreeMap::new(),
            settled: now,
            texts: BTreeMap::new(),
            refreshing: Vec::new(),
            renewed: BTreeMap::new(),
            last_fault: now,
            is_calm: false,
            record: Record::of(&setup),
            setup,
            random,
        };
        for _ in 0..PROXIES {
            let ahead = simulation.random.duration(Duration::ZERO, Duration::from_secs(5));
            let (store, machines, own) = (Store::default(), Vec::new(), Known { started: now, keys: 0 });
            simulation.fleet.proxies.push(Proxy { store, machines, ahead, own });
        }
        (0..PROXIES).for_each(|proxy| simulation.start_proxy(proxy));
        simulation.advance(Duration::from_secs(2));
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

    pub(super) fn any_vm(&mut self, proxy: usize) -> usize {
        let count = self.fleet.proxies[proxy].machines.len();
        self.random.below(count)
    }

    /// A proxy starts, with nothing in its shared data.
    pub(super) fn start_proxy(&mut self, proxy: usize) {
        self.note(|| format!("proxy {proxy} starts"));
        self.forget_work(|vm| vm.proxy == proxy);
        self.renewed.retain(|(by, _), _| *by != proxy);
        let now = self.fleet.now;
        let place = &mut self.fleet.proxies[proxy];
        (place.store, place.own) = (Store::default(), Known { started: now, keys: 0 });
        place.machines.clear();
        for _ in 0..VMS {
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
        self.fleet.proxies[proxy].machines[index] = self.start_machine(proxy);
        self.settle();
    }

    fn start_machine(&mut self, proxy: usize) -> Machine<Given> {
        self.last_fault = self.fleet.now;
        let secrets = self.secrets.current();
        let config = self.setup.config(&secrets, self.not_before);
        let store = match self.setup.is(Mutant::NothingIsShared) {
            true => Store::default(),
            false => self.fleet.proxies[proxy].store.clone(),
        };
        let own = Given { secrets, not_before: self.not_before };
        let mut machine = self.fleet.start(proxy, &store, &config, own);
        machine.world.holds_responses = true;
        machine
    }

    /// What VMs were about that are gone. Their clients come again by themselves.
    fn forget_work(&mut self, is_gone: impl Fn(Vm) -> bool) {
        self.last_fault = self.fleet.now;
        self.waiting.retain(|(vm, _), _| !is_gone(*vm));
        self.held.retain(|(vm, _), _| !is_gone(*vm));
        self.refreshing.retain(|(vm, _)| !is_gone(*vm));
    }

    /// A VM gets the configuration of the hour.
    pub(super) fn reconfigure(&mut self, proxy: usize, index: usize) {
        self.note(|| format!("VM {index} of proxy {proxy} is reconfigured"));
        self.last_fault = self.fleet.now;
        let (secrets, not_before) = (self.secrets.current(), self.not_before);
        let config = self.setup.config(&secrets, not_before);
        let machine = &mut self.fleet.proxies[proxy].machines[index];
        machine.own = Given { secrets, not_before };
        machine.world.reconfigure(&config);
        self.settle();
    }

    /// The clock of a proxy is set.
    pub(super) fn set_clock(&mut self, proxy: usize, ahead: Duration) {
        self.note(|| format!("the clock of proxy {proxy} is ahead by {ahead:?}"));
        self.last_fault = self.fleet.now;
        self.fleet.set_clock(proxy, ahead);
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
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Answer { vm, fetch, answer, grant, keys } => {
                if fetch.path == "/jwks" && answer.as_ref().is_some_and(|(status, _)| *status == "200") {
                    self.fleet.proxies[vm.proxy].own.keys = keys;
                    self.check_late_grants(vm.proxy);
                }
                self.answer(vm, &fetch, answer, grant);
            }
            Happening::Respond { sent } => self.respond(sent),
            Happening::Go { person, path } => self.navigate(person, &path),
            Happening::Reconfigure { proxy, index } => self.reconfigure(proxy, index),
        }
    }

    /// Takes up what the VMs did: callouts, and decisions on requests that had waited.
    pub(super) fn settle(&mut self) {
        loop {
            let (fetches, resumed) = self.fleet.take();
            if fetches.is_empty() && resumed.is_empty() && !self.release() {
                return;
            }
            for (vm, fetch) in fetches {
                self.ask(vm, fetch);
            }
            for (vm, id, outcome) in resumed {
                self.resumed(vm, id, outcome);
            }
        }
    }

    fn resumed(&mut self, vm: Vm, id: u64, outcome: Outcome) {
        if let Some(sent) = self.waiting.remove(&(vm, id)) {
            self.decided(sent, outcome);
        }
    }

    /// The issuer is asked.
    fn ask(&mut self, vm: Vm, fetch: Fetch) {
        assert!(fetch.timeout <= TIMEOUT, "callouts have the default timeout");
        if let Some(token) = refresh_token(&fetch) {
            self.check_refresh(vm, &token);
            self.refreshing.push((vm, token));
        }
        let served = self.issuer.serve(&fetch, vm, self.fleet.now, &mut self.random);
        if served.is_fault {
            self.last_fault = self.fleet.now.after(served.after);
        }
        let (path, grant, after) = (fetch.path.clone(), served.grant, served.after);
        let answer = served.answer.as_ref().map(|(status, _)| *status);
        self.note(|| format!("{vm:?} asks for {path}: grant {grant:?}, {answer:?} after {after:?}"));
        self.check_reuses();
        let keys = self.issuer.next_key;
        self.fleet.later(served.after, Happening::Answer { vm, fetch, answer: served.answer, grant, keys });
    }

    fn answer(&mut self, vm: Vm, fetch: &Fetch, answer: Option<(&'static str, String)>, grant: Option<usize>) {
        let now = self.fleet.now;
        let token = refresh_token(fetch);
        let Some(machine) = self.fleet.machine(vm) else { return };
        match &answer {
            Some((status, body)) => machine.world.answer_to(fetch, [(":status", *status)], body),
            None => machine.world.fail_fetch(fetch),
        }
        if let Some(number) = grant.filter(|_| answer.is_some()) {
            let keys = self.fleet.proxies[vm.proxy].own.keys;
            let grant = &mut self.issuer.grants[number];
            (grant.delivered, grant.is_checked) = (Some(now), grant.keys <= keys);
            if let Some(token) = &token {
                self.renewed.insert((vm.proxy, token.clone()), (now, number));
            }
        }
        let index = self.refreshing.iter().position(|(by, asked)| *by == vm && Some(asked) == token.as_ref());
        if let Some(index) = index {
            self.refreshing.swap_remove(index);
        }
    }

    /// A proxy has new keys: it may have waited for them, with tokens that it could not check.
    fn check_late_grants(&mut self, proxy: usize) {
        let (now, keys) = (self.fleet.now, self.fleet.proxies[proxy].own.keys);
        let is_late = |at: Timestamp| now.since(at) < LONGEST_CHECK;
        for grant in self.issuer.grants.iter_mut().filter(|grant| grant.asked_by.proxy == proxy) {
            grant.is_checked |= grant.keys <= keys && grant.delivered.is_some_and(is_late);
        }
    }

    pub(super) fn fail(&mut self, promise: Promise, words: String) {
        self.record.fail(self.fleet.now, promise, words);
    }
}

/// What a refresh is asked with.
fn refresh_token(fetch: &Fetch) -> Option<String> {
    let is_token_request = fetch.path == "/token";
    is_token_request.then(|| form(&fetch.body)).and_then(|mut asked| asked.remove("refresh_token"))
}
