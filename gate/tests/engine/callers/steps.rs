//! What happens: to services, proxies and VMs, and on behalf of clients.

use std::time::Duration;

use super::issuers::{BAD_MOODS, Mood, Service};
use super::setup::{Mutant, SECOND, Variant};
use super::simulation::Simulation;
use gate::SharedValue;

/// How far a clock may be ahead.
const MOST_AHEAD: Duration = Duration::from_secs(90);
/// The longest pause of an endpoint that failed, what is under way, and the longest `cacheFor`.
const LONGEST_PAUSE: Duration = Duration::from_secs(70);

impl Simulation {
    /// One step, and some time.
    pub(super) fn step(&mut self) {
        match self.random.below(40) {
            0..=2 => self.change_mood(),
            3 | 4 => self.revoke_or_issue(),
            5 => self.restart_something(),
            6 | 7 => self.reconfigure_something(),
            8 => self.change_clock(),
            9 => self.race(),
            10 | 11 => self.abort(),
            12 | 13 => self.flood(),
            _ => self.send_some(),
        }
        if self.setup.is(Mutant::ClearText) {
            let value = SharedValue { bytes: b"..gt-0001.0123456789abcdef".to_vec(), version: 1 };
            self.fleet.proxies[0].store.stored().values.insert(String::from("jotgate.tokens"), value);
        }
        self.check_bounds();
        let most = match self.random.below(40) {
            0 => 90 * SECOND,
            1..=5 => 20 * SECOND,
            6..=20 => 2 * SECOND,
            _ => SECOND / 5,
        };
        let by = self.random.duration(Duration::from_millis(1), most);
        self.advance(by);
    }

    fn change_mood(&mut self) {
        let service = self.random.choose(&Service::ALL);
        let mood = if self.random.once_in(3) { Mood::Good } else { self.random.choose(&BAD_MOODS) };
        self.note(|| format!("{service:?} is {mood:?}"));
        self.issuers.moods[service as usize] = mood;
    }

    fn revoke_or_issue(&mut self) {
        let now = self.fleet.now;
        let index = self.random.below(self.issuers.tokens.len());
        let token = &mut self.issuers.tokens[index];
        if token.is_active(now) {
            token.revoked = Some(now);
        }
        let is_active = self.issuers.tokens.iter().filter(|token| token.is_active(now)).count();
        self.note(|| format!("token {index} is revoked, {is_active} are active"));
        if is_active < 6 {
            self.issuers.issue(now, &mut self.random);
        }
    }

    fn restart_something(&mut self) {
        let vm = self.any_vm();
        match self.random.once_in(4) {
            true => self.start_proxy(vm.proxy),
            false => self.restart(vm.proxy, vm.index),
        }
    }

    fn reconfigure_something(&mut self) {
        let vm = self.any_vm();
        let variant = self.random.choose(&Variant::ALL);
        self.reconfigure(vm.proxy, vm.index, variant);
    }

    fn change_clock(&mut self) {
        let proxy = self.random.below(self.fleet.proxies.len());
        let ahead = match self.random.once_in(2) {
            true => self.random.duration(Duration::ZERO, 5 * SECOND),
            false => self.random.duration(Duration::ZERO, MOST_AHEAD),
        };
        self.set_clock(proxy, ahead);
    }

    /// Other VMs are faster, for some writes.
    fn race(&mut self) {
        let proxy = self.random.below(self.fleet.proxies.len());
        let races = self.random.choose(&[1, 3, 40]);
        self.fleet.proxies[proxy].store.stored().races = races;
    }

    /// Nothing goes wrong from now on. What is under way comes to its end.
    pub(super) fn calm_down(&mut self) {
        self.note(|| String::from("the faults stop"));
        self.issuers.moods = [if self.setup.is(Mutant::StaysBad) { Mood::Gone } else { Mood::Good }; 4];
        self.issuers.is_generous = true;
        self.fleet.proxies.iter().for_each(|proxy| proxy.store.stored().races = 0);
        (0..self.fleet.proxies.len()).for_each(|proxy| self.set_clock(proxy, SECOND));
        self.advance(LONGEST_PAUSE);
        // What the host never ended is nobody's any more.
        let steady: Vec<_> = (0..self.fleet.proxies.len()).map(|proxy| self.steady(proxy)).collect();
        self.lookups.retain(|lookup| steady[lookup.vm.proxy].since(lookup.at) < LONGEST_PAUSE / 2);
        self.is_calm = true;
    }
}
