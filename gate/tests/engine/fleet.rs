//! Proxies of several VMs each, with shared data and a clock of their own, and what happens at which instant.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Fetch, NOW, Outcome, Store, World, before};
use gate::Timestamp;

/// A VM of a proxy, and which one in a row it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Vm {
    pub(crate) proxy: usize,
    pub(crate) index: usize,
    pub(crate) life: u64,
}

/// A VM at work, and what else is to be known of it.
pub(crate) struct Machine<M> {
    pub(crate) world: World,
    /// Each that starts is another one.
    pub(crate) life: u64,
    pub(crate) own: M,
}

/// A proxy, and what else is to be known of it.
pub(crate) struct Proxy<P, M> {
    pub(crate) store: Store,
    pub(crate) machines: Vec<Machine<M>>,
    /// How far its clock is ahead of the slowest.
    pub(crate) ahead: Duration,
    pub(crate) own: P,
}

/// What became of a request that had waited, by its number.
pub(crate) type Resumed = (Vm, u64, Outcome);

/// What comes next.
pub(crate) enum Next<H> {
    Happens(H),
    /// VMs had something to do.
    TimedOut,
}

pub(crate) struct Fleet<P, M, H> {
    pub(crate) now: Timestamp,
    pub(crate) proxies: Vec<Proxy<P, M>>,
    queue: BTreeMap<(Timestamp, u64), H>,
    queued: u64,
    lives: u64,
}

impl<P, M, H> Fleet<P, M, H> {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Timestamp::from_secs(NOW);
        Self { now, proxies: Vec::new(), queue: BTreeMap::new(), queued: 0, lives: seed << 20 }
    }

    /// What a proxy's clock shows.
    pub(crate) fn clock(&self, proxy: usize) -> Timestamp {
        self.now.after(self.proxies[proxy].ahead)
    }

    pub(crate) fn vm(&self, proxy: usize, index: usize) -> Vm {
        Vm { proxy, index, life: self.proxies[proxy].machines[index].life }
    }

    pub(crate) fn vms(&self) -> Vec<Vm> {
        let proxies = self.proxies.iter().enumerate();
        proxies.flat_map(|(proxy, place)| (0..place.machines.len()).map(move |index| self.vm(proxy, index))).collect()
    }

    /// The VM, if it is still there.
    pub(crate) fn machine(&mut self, vm: Vm) -> Option<&mut Machine<M>> {
        let machine = self.proxies[vm.proxy].machines.get_mut(vm.index)?;
        (machine.life == vm.life).then_some(machine)
    }

    /// A VM that starts now, beside others that have this store.
    pub(crate) fn start(&mut self, proxy: usize, store: &Store, config: &Value, own: M) -> Machine<M> {
        self.lives += 1;
        let mut world = World::beside(store, config, self.clock(proxy), self.lives);
        world.pass(Duration::ZERO);
        Machine { world, life: self.lives, own }
    }

    /// The clock of a proxy is set. Its VMs see that at once.
    pub(crate) fn set_clock(&mut self, proxy: usize, ahead: Duration) {
        self.proxies[proxy].ahead = ahead;
        self.show_time();
        self.proxies[proxy].machines.iter_mut().for_each(|machine| machine.world.tick());
    }

    pub(crate) fn later(&mut self, after: Duration, happening: H) {
        self.queued += 1;
        self.queue.insert((self.now.after(after), self.queued), happening);
    }

    /// Lets time pass until something happens, until `end` at most.
    pub(crate) fn next(&mut self, end: Timestamp) -> Option<Next<H>> {
        let happens = self.queue.first_key_value().map(|((at, _), _)| *at);
        let due = self.next_timeout();
        let next = [happens, due].into_iter().flatten().min().filter(|next| *next <= end);
        self.now = next.map_or(end, |next| next.max(self.now));
        self.show_time();
        next?;
        if due.is_some_and(|due| due <= self.now) {
            let machines = self.proxies.iter_mut().flat_map(|proxy| &mut proxy.machines);
            machines.for_each(|machine| machine.world.pass(Duration::ZERO));
            return Some(Next::TimedOut);
        }
        self.queue.pop_first().map(|(_, happening)| Next::Happens(happening))
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        let due = self.proxies.iter().flat_map(|proxy| {
            let due = proxy.machines.iter().filter_map(|machine| machine.world.gate().next_timeout());
            due.map(|due| before(due, proxy.ahead))
        });
        due.min()
    }

    fn show_time(&mut self) {
        for proxy in &mut self.proxies {
            let now = self.now.after(proxy.ahead);
            proxy.machines.iter_mut().for_each(|machine| machine.world.now = now);
        }
    }

    /// What VMs ask, and what became of requests that had waited, since somebody looked.
    pub(crate) fn take(&mut self) -> (Vec<(Vm, Fetch)>, Vec<Resumed>) {
        let (mut fetches, mut resumed) = (Vec::new(), Vec::new());
        for (number, proxy) in self.proxies.iter_mut().enumerate() {
            for (index, machine) in proxy.machines.iter_mut().enumerate() {
                let vm = Vm { proxy: number, index, life: machine.life };
                fetches.extend(machine.world.fetches.drain(..).map(|fetch| (vm, fetch)));
                let found = std::mem::take(&mut machine.world.resumed);
                resumed.extend(found.into_iter().map(|(id, outcome)| (vm, id, outcome)));
            }
        }
        (fetches, resumed)
    }
}
