//! What happens: to the issuer, to proxies and VMs, and on behalf of people.

use std::time::Duration;

use super::issuer::{BAD_MOODS, Mood};
use super::setup::{MINUTE, Mutant, SECOND};
use super::simulation::{Happening, Simulation};
use gate::SharedValue;

impl Simulation {
    /// One step, and some time.
    pub(super) fn step(&mut self) {
        match self.random.below(40) {
            0 | 1 => self.change_mood(),
            2 => self.rotate_keys(),
            3 => self.restart_something(),
            4 | 5 => self.change_settings(),
            6 => self.change_clock(),
            7 => self.race(),
            8 => self.end_a_session(),
            9..=12 => self.abort(),
            13 => self.move_somebody(),
            _ => self.send_some(),
        }
        if self.setup.mutant.is_some() {
            self.break_things();
        }
        self.check_shared();
        let most = match self.random.below(40) {
            0 => 12 * MINUTE,
            1..=5 => 90 * SECOND,
            _ => 5 * SECOND,
        };
        let by = self.random.duration(Duration::from_millis(1), most);
        self.advance(by);
    }

    /// Somebody's tabs and scripts ask, several at once.
    fn send_some(&mut self) {
        let person = self.random.below(self.people.len());
        let proxies = self.fleet.proxies.len();
        for _ in 0..=self.random.below(4) {
            let proxy = match self.setup.is_sticky {
                true => self.people[person].proxy,
                false => self.random.below(proxies),
            };
            let index = self.any_vm(proxy);
            let is_navigation = self.random.once_in(3);
            self.send(person, (proxy, index), is_navigation, "/app");
        }
    }

    fn move_somebody(&mut self) {
        let person = self.random.below(self.people.len());
        self.people[person].proxy = self.random.below(self.fleet.proxies.len());
    }

    fn change_mood(&mut self) {
        let mood = if self.random.once_in(2) { self.random.choose(&BAD_MOODS) } else { Mood::Good };
        self.note(|| format!("the issuer is {mood:?}"));
        self.issuer.mood = mood;
    }

    fn rotate_keys(&mut self) {
        let keeps_old = self.random.once_in(2);
        if self.random.once_in(2) && self.issuer.rotate_keys(keeps_old) {
            self.last_fault = self.fleet.now;
            self.note(|| format!("the issuer has a new key; the old one stays: {keeps_old}"));
        }
    }

    fn restart_something(&mut self) {
        let proxy = self.random.below(self.fleet.proxies.len());
        if self.random.once_in(4) {
            self.start_proxy(proxy);
        } else {
            let index = self.any_vm(proxy);
            self.restart(proxy, index);
        }
    }

    /// The next step of a new secret, or all sessions end. It takes some time to be everywhere.
    fn change_settings(&mut self) {
        if self.fleet.now < self.settled {
            return;
        }
        if self.random.once_in(8) || self.setup.is(Mutant::NotBefore) {
            let not_before = self.fleet.now.after(5 * SECOND);
            self.note(|| format!("sessions from before now are over ({not_before:?})"));
            self.not_before = Some(not_before);
        } else {
            let is_changed = match self.setup.is(Mutant::SecretsAtOnce) {
                true => self.secrets.replace(),
                false => self.secrets.advance(),
            };
            if !is_changed {
                return;
            }
            let secrets = self.secrets.current();
            self.note(|| format!("the secrets are {secrets:?}"));
        }
        let longest = 20 * SECOND;
        for proxy in 0..self.fleet.proxies.len() {
            for index in 0..self.fleet.proxies[proxy].machines.len() {
                let after = self.random.duration(Duration::ZERO, longest);
                self.fleet.later(after, Happening::Reconfigure { proxy, index });
            }
        }
        self.settled = self.fleet.now.after(3 * longest);
        if self.secrets.begins_to_seal() {
            self.secrets.seals_since = self.fleet.now.after(longest);
        }
        self.people.iter_mut().for_each(|person| person.served_with_newest = 0);
    }

    fn change_clock(&mut self) {
        let proxy = self.random.below(self.fleet.proxies.len());
        let ahead = self.random.duration(Duration::ZERO, 5 * SECOND);
        self.set_clock(proxy, ahead);
    }

    /// Other VMs are faster, for some writes.
    fn race(&mut self) {
        let proxy = self.random.below(self.fleet.proxies.len());
        let races = self.random.below(3);
        self.fleet.proxies[proxy].store.stored().races = races;
    }

    /// Somebody is locked out at the issuer.
    fn end_a_session(&mut self) {
        let sessions: Vec<_> = self.issuer.families.keys().copied().collect();
        if !sessions.is_empty() && self.random.once_in(3) {
            let session = self.random.choose(&sessions);
            let now = self.fleet.now;
            self.note(|| format!("the issuer ends session {session}"));
            self.issuer.families.entry(session).and_modify(|family| {
                family.ended.get_or_insert(now);
            });
        }
    }

    /// What mutants do.
    fn break_things(&mut self) {
        let mut stored = self.fleet.proxies[0].store.stored();
        let mut put = |name: String, bytes: Vec<u8>| {
            stored.values.insert(name, SharedValue { bytes, version: 1 });
        };
        match self.setup.mutant {
            Some(Mutant::ClearText) => {
                put(String::from("jotgate.sessions"), b"..refresh-1-of-0".to_vec());
            }
            Some(Mutant::ManyEntries) => {
                let number = self.record.len();
                (0..100).for_each(|entry| put(format!("jotgate.sessions.{number}.{entry}"), vec![0; 100]));
            }
            _ => {}
        }
    }

    /// Nothing goes wrong from now on. What is under way comes to its end.
    pub(super) fn calm_down(&mut self) {
        self.note(|| String::from("the faults stop"));
        self.issuer.mood = Mood::Good;
        self.fleet.proxies.iter().for_each(|proxy| proxy.store.stored().races = 0);
        self.advance(3 * MINUTE);
        self.is_calm = true;
    }
}
