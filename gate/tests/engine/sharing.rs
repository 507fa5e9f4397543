//! Keys that several VMs of one proxy share, in every order of events.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Key, NOW, Outcome, Store, World, at, before, fetched, key_set, policy};
use gate::{Decision, Effect, Gate, HeaderLine, Request, RequestId, Response, SharedValue, Timestamp};

const SECOND: Duration = Duration::from_secs(1);
/// A few polls of the shared entry.
const SOON: Duration = Duration::from_millis(50);

/// The VMs of a proxy.
struct Proxy {
    store: Store,
    worlds: Vec<World>,
    now: Timestamp,
}

impl Proxy {
    fn new(count: u64, config: &Value) -> Self {
        let mut proxy = Self { store: Store::default(), worlds: Vec::new(), now: Timestamp::from_secs(NOW) };
        (0..count).for_each(|_| proxy.join(config));
        proxy.pass(Duration::ZERO);
        proxy
    }

    /// With keys that every VM has.
    fn settled(count: u64) -> Self {
        let mut proxy = Self::new(count, &fetched(&json!({}), &json!({})));
        proxy.worlds[0].answer_keys(&[&Key::new("a")]);
        proxy.pass(2 * SECOND);
        proxy
    }

    /// Another VM starts.
    fn join(&mut self, config: &Value) {
        let seed = self.worlds.len() as u64;
        self.worlds.push(World::beside(&self.store, config, self.now, seed));
    }

    /// Lets time pass for all, each event at its instant.
    fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some(due) = self.worlds.iter().filter_map(|world| world.gate().next_timeout()).min() {
            let due = due.max(self.now);
            if due > end {
                break;
            }
            self.set(due);
            for world in &mut self.worlds {
                world.pass(Duration::ZERO);
            }
        }
        self.set(end);
    }

    /// The host's clock shows `now`.
    fn set(&mut self, now: Timestamp) {
        self.now = now;
        self.worlds.iter_mut().for_each(|world| world.now = now);
    }

    /// Timers run on, whatever becomes of the clock.
    fn tick(&mut self) {
        for world in &mut self.worlds {
            world.tick();
        }
    }

    fn fetches(&self) -> usize {
        self.worlds.iter().map(|world| world.fetches.len()).sum()
    }

    /// The index of the VM that fetches.
    fn fetching(&self) -> usize {
        self.worlds.iter().position(|world| !world.fetches.is_empty()).expect("a VM fetches")
    }

    /// That VM.
    fn fetcher(&mut self) -> &mut World {
        let index = self.fetching();
        &mut self.worlds[index]
    }

    fn pass_until_fetch(&mut self) {
        while self.fetches() == 0 {
            self.pass(SECOND);
        }
    }

    fn with_token(&mut self, token: &str) -> Vec<String> {
        let verdict = |world: &mut World| {
            let outcome = world.with_token(token);
            // It may have waited for no more than a poll.
            world.resumed.get(&world.last()).unwrap_or(&outcome).summary()
        };
        self.worlds.iter_mut().map(verdict).collect()
    }

    fn last(&self) -> Vec<String> {
        self.worlds
            .iter()
            .map(|world| world.resumed.values().last().map(Outcome::summary).unwrap_or_default())
            .collect()
    }

    /// The one entry that there is.
    fn entry(&self) -> Vec<u8> {
        let stored = self.store.stored();
        assert_eq!(stored.values.len(), 1);
        stored.values.values().next().expect("is one").bytes.clone()
    }

    /// However often another plugin writes back the entry `old`, which has the key `a`, that key stays withdrawn.
    fn keeps_out_replayed_keys(&mut self, old: &[u8], seconds: usize) {
        let (withdrawn, current) = (token("a"), Key::new("b"));
        for _ in 0..seconds {
            self.overwrite(old);
            self.pass(SECOND);
            for world in &mut self.worlds {
                assert_ne!(world.with_token(&withdrawn).summary(), "ok");
                while !world.fetches.is_empty() {
                    world.answer_keys(&[&current]);
                }
            }
        }
    }

    /// What another plugin may do.
    fn overwrite(&self, bytes: &[u8]) {
        let mut stored = self.store.stored();
        stored.writes += 1;
        let version = stored.writes;
        for value in stored.values.values_mut() {
            *value = SharedValue { bytes: bytes.to_vec(), version };
        }
    }
}

fn token(kid: &'static str) -> String {
    Key::new(kid).token(&json!({"exp": NOW * 2, "iat": null}))
}

#[test]
fn one_vm_fetches_and_requests_of_all_go_on() {
    let mut proxy = Proxy::new(8, &fetched(&json!({}), &json!({})));
    assert_eq!(proxy.fetches(), 1);
    assert_eq!(proxy.with_token(&token("a")), ["waiting"; 8]);
    proxy.pass(SECOND);
    proxy.fetcher().answer_keys(&[&Key::new("a")]);
    proxy.pass(SOON);
    assert_eq!(proxy.last(), ["ok"; 8]);
    for _ in 0..20 {
        proxy.pass_until_fetch();
        assert_eq!(proxy.fetches(), 1);
        proxy.fetcher().answer_keys(&[&Key::new("a")]);
        assert_eq!(proxy.with_token(&token("a")), ["ok"; 8]);
    }
    let fetched: u64 = proxy.worlds.iter().filter_map(|world| world.metrics.get("jotgate_keys_fetched_main")).sum();
    assert_eq!(fetched, 21);
}

/// The last VM that could have fetched at all: a host may fail or be filled up at any time.
#[test]
fn a_vm_that_cannot_share_fetches_alone() {
    for (is_missing, races) in [(true, 0), (false, 1000)] {
        let store = Store::default();
        store.stored().is_missing = is_missing;
        store.stored().races = races;
        for seed in 0..2 {
            let mut world = World::beside(&store, &fetched(&json!({}), &json!({})), Timestamp::from_secs(NOW), seed);
            world.pass(Duration::ZERO);
            assert_eq!(world.fetches.len(), 1);
            world.answer_keys(&[&Key::new("a")]);
            assert_eq!(world.with_token(&token("a")).summary(), "ok");
        }
    }
}

/// A host may know nothing of shared data.
#[test]
fn a_vm_without_shared_data_fetches_for_itself() {
    let now = Timestamp::from_secs(NOW);
    let mut gate = Gate::new(policy(&fetched(&json!({}), &json!({}))), now, 1);
    let mut fetches = 0;
    // Answers callouts, and leaves everything else alone.
    let mut settle = |gate: &mut Gate| {
        for _ in 0..3 {
            gate.handle_timeout(at(now));
            while let Some(effect) = gate.poll_effect() {
                if let Effect::Callout(callout) = effect {
                    fetches += 1;
                    let body = key_set(&[&Key::new("a")]);
                    gate.handle_callout(
                        callout.id,
                        Ok(Response::new(&[(b":status", b"200")], body.as_bytes())),
                        at(now),
                    );
                }
            }
        }
        fetches
    };
    assert_eq!(settle(&mut gate), 1);
    for (kid, expected, fetches) in [("a", true, 1), ("b", false, 2), ("b", false, 2)] {
        let credential = format!("Bearer {}", token(kid));
        let lines: [HeaderLine<'_>; 3] =
            [(b":method", b"GET"), (b":path", b"/x"), (b"authorization", credential.as_bytes())];
        let decide = |gate: &mut Gate| gate.handle_request(RequestId(1), &Request::new(&lines), at(now));
        let mut decision = decide(&mut gate);
        assert_eq!(settle(&mut gate), fetches, "{kid}");
        if decision == Decision::Wait {
            decision = decide(&mut gate);
        }
        assert_eq!(matches!(decision, Decision::Forward(..)), expected, "{kid}: {decision:?}");
    }
}

#[test]
fn a_vm_that_loses_a_race_polls_again() {
    let store = Store::default();
    store.stored().races = 2;
    let mut world = World::beside(&store, &fetched(&json!({}), &json!({})), Timestamp::from_secs(NOW), 1);
    world.pass(Duration::ZERO);
    assert_eq!((world.fetches.len(), store.stored().writes), (1, 1));
}

/// The entry has keys for a VM without any, and a lease: what comes of that fetch is worth waiting for, too.
#[test]
fn a_vm_that_gets_its_first_keys_waits_for_those_that_are_being_fetched() {
    let config = fetched(&json!({}), &json!({}));
    let mut proxy = Proxy::new(2, &config);
    proxy.pass(SOON);
    let fetcher = proxy.fetching();
    proxy.worlds[fetcher].answer_keys(&[&Key::new("a")]);
    assert_eq!(proxy.worlds[fetcher].with_token(&token("b")).summary(), "waiting");
    // One that was there, and one that is new.
    proxy.join(&config);
    assert_eq!(proxy.with_token(&token("b")), ["waiting"; 3]);
    assert_eq!(proxy.with_token(&token("a")), ["ok"; 3]);
    proxy.worlds[fetcher].answer_keys(&[&Key::new("a"), &Key::new("b")]);
    proxy.pass(SOON);
    assert!(proxy.worlds.iter().all(|world| world.waiting.is_empty()));
    assert_eq!(proxy.with_token(&token("b")), ["ok"; 3]);
    assert_eq!(proxy.fetches(), 0);
}

#[test]
fn a_failure_is_everybodys_failure() {
    let mut proxy = Proxy::new(4, &fetched(&json!({}), &json!({"waitFor": "500ms"})));
    let mut delays = Vec::new();
    for _ in 0..6 {
        let failed = proxy.now;
        proxy.fetcher().fail();
        proxy.pass_until_fetch();
        assert_eq!(proxy.fetches(), 1);
        delays.push(proxy.now.since(failed).as_secs());
    }
    for (delay, expected) in delays.iter().zip([1, 2, 4, 8, 16, 30]) {
        assert!((expected..=expected + 4).contains(delay), "{delays:?}");
    }
    let lines: Vec<_> = proxy.worlds.iter().flat_map(|world| &world.log).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(proxy.with_token(&token("a")), ["waiting"; 4]);
    proxy.fetcher().answer_keys(&[&Key::new("a")]);
    proxy.pass(SOON);
    assert_eq!(proxy.last(), ["ok"; 4]);
}

#[test]
fn an_unknown_kid_waits_for_the_fetch_of_another_vm() {
    let mut proxy = Proxy::settled(4);
    assert_eq!(proxy.with_token(&token("b")), ["waiting"; 4]);
    assert_eq!(proxy.fetches(), 1);
    proxy.pass(SECOND);
    proxy.fetcher().answer_keys(&[&Key::new("a"), &Key::new("b")]);
    proxy.pass(SOON);
    assert_eq!(proxy.last(), ["ok"; 4]);
    assert_eq!(proxy.with_token(&token("c")), ["401 unknown_key"; 4]);
    assert_eq!(proxy.fetches(), 0, "the cooldown is the proxy's");
    proxy.pass(30 * SECOND);
    assert_eq!(proxy.with_token(&token("c")), ["waiting"; 4]);
    proxy.fetcher().fail();
    proxy.pass(SOON);
    assert_eq!(proxy.last(), ["401 unknown_key"; 4]);
}

#[test]
fn a_vm_in_its_cooldown_still_sees_what_others_fetched() {
    let mut proxy = Proxy::settled(2);
    assert_eq!(proxy.worlds[1].with_token(&token("b")).summary(), "waiting");
    proxy.worlds[1].answer_keys(&[&Key::new("a"), &Key::new("b")]);
    assert_eq!(proxy.worlds[0].with_token(&token("b")).summary(), "ok", "after a look, within its own call");
}

#[test]
fn a_flood_in_the_cooldown_reads_the_entry_once_a_second() {
    let mut proxy = Proxy::settled(1);
    assert_eq!(proxy.worlds[0].with_token(&token("b")).summary(), "waiting");
    proxy.worlds[0].answer_keys(&[&Key::new("a")]);
    let before = proxy.store.stored().reads;
    for _ in 0..100 {
        proxy.worlds[0].with_token(&token("b"));
        proxy.pass(SECOND / 50);
    }
    let reads = proxy.store.stored().reads - before;
    assert!(reads <= 3, "{reads}");
}

/// The refresh may have been answered before the key was published.
#[test]
fn a_token_that_joins_an_older_fetch_gets_one_of_its_own() {
    for share in [true, false] {
        let mut world = World::new(&fetched(&json!({"share": share}), &json!({})));
        world.answer_keys(&[&Key::new("a")]);
        world.pass_until_fetch();
        assert_eq!(world.with_token(&token("b")).summary(), "waiting");
        let id = world.last();
        assert_eq!(world.fetches.len(), 1, "there is one under way");
        world.answer_keys(&[&Key::new("a")]);
        assert!(world.resumed.is_empty());
        assert_eq!(world.fetches.len(), 1, "its own");
        world.answer_keys(&[&Key::new("a"), &Key::new("b")]);
        assert_eq!(world.resumed[&id].summary(), "ok");
        assert_eq!(world.with_token(&token("c")).summary(), "401 unknown_key", "that was the fetch of this cooldown");
    }
}

#[test]
fn nothing_that_was_withdrawn_comes_back() {
    let mut proxy = Proxy::settled(2);
    let old = proxy.entry();
    proxy.pass_until_fetch();
    proxy.fetcher().answer_keys(&[&Key::new("b")]);
    proxy.pass(60 * SECOND);
    assert_eq!(proxy.with_token(&token("b")), ["ok"; 2]);
    proxy.keeps_out_replayed_keys(&old, 2000);
}

#[test]
fn an_older_set_is_older_whatever_was_done_to_the_clock() {
    let mut proxy = Proxy::settled(2);
    let (old, hour) = (proxy.entry(), Duration::from_hours(1));
    let back = before(proxy.now, hour);
    proxy.set(back);
    proxy.tick();
    proxy.pass_until_fetch();
    proxy.fetcher().answer_keys(&[&Key::new("b")]);
    proxy.pass(2 * SECOND);
    assert_eq!(proxy.with_token(&token("b")), ["ok"; 2]);
    // Set right again, it shows a later instant for the fetch of the old set than for that of the new one.
    let forward = proxy.now.after(hour);
    proxy.set(forward);
    proxy.tick();
    proxy.keeps_out_replayed_keys(&old, 60);
}

#[test]
fn a_replayed_lease_delays_no_fetch() {
    let mut proxy = Proxy::new(1, &fetched(&json!({}), &json!({})));
    let claimed = proxy.entry();
    proxy.pass(7 * SECOND);
    proxy.fetcher().answer_keys(&[&Key::new("a")]);
    proxy.overwrite(&claimed);
    proxy.join(&fetched(&json!({}), &json!({})));
    assert_eq!(proxy.worlds[1].with_token(&token("a")).summary(), "waiting");
    proxy.pass(SOON);
    assert_eq!(proxy.worlds[1].fetches.len(), 1, "the lease is over");
}

#[test]
fn a_new_vm_is_ready_at_once() {
    let mut proxy = Proxy::settled(1);
    proxy.join(&fetched(&json!({}), &json!({"waiting": 0})));
    assert_eq!(proxy.worlds[1].with_token(&token("a")).summary(), "ok");
    assert_eq!(proxy.fetches(), 0);
    assert_eq!(proxy.worlds[1].metrics.get("jotgate_keys_usable_main"), Some(&1));
    // Keys that are too old to be fresh are used, too, and refreshed.
    proxy.pass(400 * SECOND);
    proxy.fetcher().fail();
    proxy.join(&fetched(&json!({}), &json!({"waiting": 0})));
    assert_eq!(proxy.worlds[2].with_token(&token("a")).summary(), "ok");
}

#[test]
fn a_new_vm_does_not_use_what_is_too_old() {
    let config = fetched(&json!({"refreshAfter": "60s", "maxStale": "60s"}), &json!({"waitFor": "0s"}));
    let mut proxy = Proxy::new(1, &config);
    proxy.fetcher().answer_keys(&[&Key::new("a")]);
    proxy.set(proxy.now.after(121 * SECOND));
    proxy.join(&config);
    assert_eq!(proxy.worlds[1].with_token(&token("a")).summary(), "503 keys_unavailable");
}

#[test]
fn clocks_that_are_set_stop_no_sharing() {
    let month = Duration::from_hours(24 * 30);
    for is_back in [true, false] {
        let mut proxy = Proxy::settled(3);
        let set = if is_back { before(proxy.now, month) } else { proxy.now.after(month) };
        proxy.set(set);
        proxy.tick();
        let mut fetches = 0;
        for _ in 0..400 {
            while proxy.fetches() > 0 {
                fetches += 1;
                proxy.fetcher().answer_keys(&[&Key::new("a")]);
            }
            proxy.pass(Duration::from_millis(2500));
            assert_eq!(proxy.with_token(&token("a")), ["ok"; 3]);
        }
        assert!((3..=5).contains(&fetches), "{fetches}");
        proxy.join(&fetched(&json!({}), &json!({})));
        assert_eq!(proxy.with_token(&token("a")), ["ok"; 4]);
    }
}

#[test]
fn a_fetcher_that_dies_loses_its_lease() {
    let mut proxy = Proxy::new(3, &fetched(&json!({}), &json!({"waitFor": "20s"})));
    proxy.worlds.retain(|world| world.fetches.is_empty());
    assert_eq!(proxy.with_token(&token("a")), ["waiting"; 2]);
    proxy.pass(6 * SECOND + SOON);
    assert_eq!(proxy.fetches(), 1);
    proxy.fetcher().answer_keys(&[&Key::new("a")]);
    proxy.pass(SOON);
    assert_eq!(proxy.last(), ["ok"; 2]);
}

/// An update of the configuration ends the engine of the one before, maybe while it fetches.
#[test]
fn a_fetcher_that_ends_gives_up_its_lease() {
    let mut proxy = Proxy::new(3, &fetched(&json!({}), &json!({})));
    let fetcher = proxy.fetching();
    proxy.worlds.remove(fetcher).shut_down();
    assert_eq!(proxy.with_token(&token("a")), ["waiting"; 2]);
    proxy.pass(SOON);
    assert_eq!(proxy.fetches(), 1);
    // One that follows has no lease to give up.
    let follower = proxy.worlds.iter().position(|world| world.fetches.is_empty()).expect("a VM follows");
    proxy.worlds.remove(follower).shut_down();
    proxy.join(&fetched(&json!({}), &json!({})));
    assert_eq!(proxy.with_token(&token("a")), ["waiting"; 2]);
    proxy.pass(SOON);
    assert_eq!(proxy.fetches(), 1);
    proxy.fetcher().answer_keys(&[&Key::new("a")]);
    proxy.pass(SOON);
    assert_eq!(proxy.last(), ["ok"; 2]);
}

/// Nothing is known of an unknown key whose fetch came to nothing: it is fetched again, without a cooldown.
#[test]
fn a_fetch_for_an_unknown_kid_that_came_to_nothing_is_made_again() {
    let config = fetched(&json!({}), &json!({"waitFor": "20s"}));
    for ends in [true, false] {
        let mut proxy = Proxy::new(3, &config);
        proxy.fetcher().answer_keys(&[&Key::new("a")]);
        proxy.pass(2 * SECOND);
        assert_eq!(proxy.with_token(&token("b")), ["waiting"; 3]);
        proxy.pass(SOON);
        let fetcher = proxy.fetching();
        let fetcher = proxy.worlds.remove(fetcher);
        if ends {
            fetcher.shut_down();
        } else {
            proxy.pass(6 * SECOND);
        }
        proxy.join(&config);
        proxy.pass(SOON);
        assert_eq!(proxy.fetches(), 1, "ends: {ends}");
        assert!(proxy.worlds.iter().take(2).all(|world| !world.waiting.is_empty()), "ends: {ends}");
        assert_eq!(proxy.worlds[2].with_token(&token("b")).summary(), "waiting");
        proxy.fetcher().answer_keys(&[&Key::new("a"), &Key::new("b")]);
        proxy.pass(SOON);
        assert_eq!(proxy.last(), ["ok"; 3], "ends: {ends}");
    }
}

#[test]
fn vms_poll_rarely_unless_a_request_waits() {
    let mut proxy = Proxy::new(2, &fetched(&json!({}), &json!({})));
    let reads = |proxy: &mut Proxy, duration| {
        let before = proxy.store.stored().reads;
        proxy.pass(duration);
        proxy.store.stored().reads - before
    };
    assert!(reads(&mut proxy, SECOND) <= 2);
    assert_eq!(proxy.worlds[1].with_token(&token("a")).summary(), "waiting");
    assert!((50..=100).contains(&reads(&mut proxy, SECOND)));
    proxy.worlds[0].answer_keys(&[&Key::new("a")]);
    proxy.pass(SECOND);
    assert!(reads(&mut proxy, 290 * SECOND) <= 2);
}

const KIDS: [&str; 8] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];

/// A proxy to which anything happens, in an order that a seed decides. The issuer has one key at a time.
struct Chaos {
    proxy: Proxy,
    random: u64,
    /// The issuer's key.
    key: usize,
    /// The newest key that each VM has taken a token of.
    newest: Vec<usize>,
    old_entries: Vec<Vec<u8>>,
    fetches: usize,
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let proxy = Proxy::new(4, &fetched(&json!({}), &json!({})));
        Self { proxy, random: seed, key: 0, newest: vec![0; 4], old_entries: Vec::new(), fetches: 0 }
    }

    fn choose(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).expect("is small") % below
    }

    fn step(&mut self, plays_old_entries: bool) {
        let vm = self.choose(self.proxy.worlds.len());
        match self.choose(12) {
            0 if self.key + 1 < KIDS.len() && self.choose(4) == 0 => self.key += 1,
            1 => self.restart(vm),
            2 => self.answer(false),
            3 => {
                self.proxy.worlds[vm].with_token(&token("junk"));
            }
            4 if plays_old_entries && !self.old_entries.is_empty() => {
                let index = self.choose(self.old_entries.len());
                self.proxy.overwrite(&self.old_entries[index].clone());
            }
            5 if plays_old_entries => self.proxy.overwrite(b"rubbish"),
            4 if !plays_old_entries => self.set_clock(),
            6 => self.old_entries.push(self.proxy.entry()),
            7 => {
                let seconds = self.choose(100);
                self.proxy.pass(SECOND * u32::try_from(seconds).expect("is small"));
            }
            8 | 9 => self.answer(true),
            _ => self.send(vm),
        }
        let millis = self.choose(1500) as u64;
        self.proxy.pass(Duration::from_millis(millis));
    }

    /// A VM takes a token of any key; one of a key that it knows to be gone never passes.
    fn send(&mut self, vm: usize) {
        let kid = self.choose(self.key + 1);
        let outcome = self.proxy.worlds[vm].with_token(&token(KIDS[kid])).summary();
        if outcome == "ok" {
            assert!(kid >= self.newest[vm], "k{kid} came back");
            self.newest[vm] = kid;
        }
    }

    fn answer(&mut self, is_good: bool) {
        for world in &mut self.proxy.worlds {
            if !world.fetches.is_empty() {
                self.fetches += 1;
                match is_good {
                    true => world.answer_keys(&[&Key::new(KIDS[self.key])]),
                    false => world.fail(),
                }
                return;
            }
        }
    }

    fn set_clock(&mut self) {
        let by = SECOND * [1, 7, 60, 4000, 200_000][self.choose(5)];
        let set = if self.choose(2) == 0 { before(self.proxy.now, by) } else { self.proxy.now.after(by) };
        self.proxy.set(set);
        self.proxy.tick();
    }

    /// A VM dies or ends, whatever it was about, and is replaced.
    fn restart(&mut self, vm: usize) {
        self.proxy.join(&fetched(&json!({}), &json!({})));
        let vm_before = self.proxy.worlds.swap_remove(vm);
        if self.choose(2) == 0 {
            vm_before.shut_down();
        }
        self.newest[vm] = 0;
    }

    /// The issuer works, and nothing else happens: all VMs get the newest keys.
    fn calm_down(&mut self) {
        for _ in 0..460 {
            while self.proxy.fetches() > 0 {
                self.answer(true);
            }
            self.proxy.pass(SECOND);
        }
        let current = self.proxy.with_token(&token(KIDS[self.key]));
        assert_eq!(current, ["ok"; 4], "k{}", self.key);
        self.proxy.pass(6 * SECOND);
        assert!(self.proxy.worlds.iter().all(|world| world.waiting.is_empty()), "no request waits for ever");
        for kid in KIDS.iter().take(self.key) {
            assert!(!self.proxy.with_token(&token(kid)).contains(&String::from("ok")), "{kid} is gone");
        }
        let before = self.fetches;
        for _ in 0..3000 {
            while self.proxy.fetches() > 0 {
                self.answer(true);
            }
            self.proxy.pass(SECOND);
        }
        assert!((8..=12).contains(&(self.fetches - before)), "one fetch per refresh: {}", self.fetches - before);
    }
}

#[test]
fn whatever_happens_all_vms_end_with_the_newest_keys() {
    // As Wasm, the engine decides the same more slowly.
    let seeds = if cfg!(target_family = "wasm") { 2 } else { 12 };
    for seed in 0..seeds {
        let mut chaos = Chaos::new(seed);
        for _ in 0..150 {
            chaos.step(seed % 2 == 0);
        }
        chaos.calm_down();
    }
}
