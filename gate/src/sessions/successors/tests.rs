//! One VM refreshes a session at a time, and the others find what came of it.

use jose::signature::Software;
use std::collections::BTreeMap;

use oauth::Secret;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::content::tests::session;
use super::super::keyring::Binding;
use super::*;
use crate::random::Randomness;
use crate::shared::SharedValue;
use crate::testing::{Counter, NoGenerator};

const LEASE: Duration = Duration::from_secs(20);
const START: u64 = 1_800_000_000;

/// Shared data as a proxy has them.
#[derive(Debug, Default)]
struct Store {
    entries: BTreeMap<String, (Vec<u8>, u32)>,
    writes: u32,
}

/// Shared data in which something happens before each write.
struct Interrupted<'s, F>(&'s mut Store, F);

/// Shared data that fail.
struct Failing(SharedDataError);

impl SharedData for Store {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        let found = self.entries.get(name);
        Ok(found.map(|(bytes, version)| SharedValue { bytes: bytes.clone(), version: *version }))
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        if self.entries.get(name).map(|(_, version)| *version) != version {
            return Err(SharedDataError::Changed);
        }
        self.writes += 1;
        self.entries.insert(name.to_string(), (value.to_vec(), self.writes));
        Ok(())
    }
}

impl<F: FnMut(&mut Store)> SharedData for Interrupted<'_, F> {
    fn read(&mut self, name: &str) -> Result<Option<SharedValue>, SharedDataError> {
        self.0.read(name)
    }

    fn write(&mut self, name: &str, value: &[u8], version: Option<u32>) -> Result<(), SharedDataError> {
        (self.1)(self.0);
        self.0.write(name, value, version)
    }
}

impl SharedData for Failing {
    fn read(&mut self, _: &str) -> Result<Option<SharedValue>, SharedDataError> {
        if self.0 == SharedDataError::Unavailable { Err(self.0) } else { Ok(None) }
    }

    fn write(&mut self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), SharedDataError> {
        Err(self.0)
    }
}

fn keyring(secrets: &[&str]) -> Keyring {
    let login = |login| Binding {
        public_url: "https://dash.example.com",
        login,
        issuer: "https://idp.example.com",
        client: "dashboard",
    };
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(format!("{secret:-<32}"))).collect();
    Keyring::new(&secrets, &[login("main"), login("other")])
}

/// Does something at an instant, in seconds and nanoseconds from the start on.
fn at<T>(
    time: (u64, u32),
    shared: &mut dyn SharedData,
    random: &dyn Randomness,
    act: impl FnOnce(&mut Successors<'_>) -> T,
) -> T {
    by(&keyring(&["a"]), time, shared, random, act)
}

/// Likewise, in a VM with these secrets.
fn by<T>(
    keyring: &Keyring,
    time: (u64, u32),
    shared: &mut dyn SharedData,
    random: &dyn Randomness,
    act: impl FnOnce(&mut Successors<'_>) -> T,
) -> T {
    let now = instant(time.0).after(Duration::from_nanos(u64::from(time.1)));
    let capabilities = Capabilities { now, signatures: &Software, signer: &Software, random };
    act(&mut Successors::new(keyring, 0, shared, capabilities))
}

fn instant(seconds: u64) -> Timestamp {
    Timestamp::from_secs(START + seconds)
}

fn of(id: u8, generation: u32) -> Session {
    Session { id: [id; 16], generation, login: 0, ..session() }
}

/// A proxy with two VMs or more, whose calls come one after the other.
#[derive(Default)]
struct Proxy {
    store: Store,
    random: Counter,
}

impl Proxy {
    fn claim(&mut self, seconds: u64, session: &Session) -> Claim {
        at((seconds, 0), &mut self.store, &self.random, |shared| shared.claim(session, LEASE))
    }

    fn lease(&mut self, seconds: u64, session: &Session) -> Holder {
        let Claim::Lease(holder) = self.claim(seconds, session) else { panic!("expected a lease at {seconds}") };
        holder
    }

    fn publish(&mut self, seconds: u64, session: &Session, text: &[u8]) {
        at((seconds, 0), &mut self.store, &self.random, |shared| shared.publish(session, text));
    }

    fn release(&mut self, seconds: u64, session: &Session, holder: Holder) {
        at((seconds, 0), &mut self.store, &self.random, |shared| shared.release(session, holder));
    }
}

fn successor(text: &[u8]) -> Claim {
    Claim::Successor(text.to_vec())
}

#[test]
fn one_refreshes_and_the_others_get_what_came_of_it() {
    let mut proxy = Proxy::default();
    proxy.lease(0, &of(1, 5));
    let follow = Claim::Follow { until: instant(20 + 5) };
    assert_eq!(proxy.claim(1, &of(1, 5)), follow);
    assert_eq!(proxy.claim(1, &of(1, 4)), follow, "with an older cookie, too");
    proxy.publish(2, &of(1, 6), b"six");
    for generation in [5, 4, 0] {
        assert_eq!(proxy.claim(2, &of(1, generation)), successor(b"six"), "{generation}");
    }
    assert!(matches!(proxy.claim(2, &of(1, 6)), Claim::Lease(_)), "what follows is a session like others");
    assert_eq!(proxy.claim(3, &of(1, 5)), successor(b"six"), "also while that one is refreshed");
    assert_eq!(proxy.claim(3, &of(1, 6)), Claim::Follow { until: instant(22 + 5) });
    proxy.publish(4, &of(1, 7), b"seven");
    assert_eq!(proxy.claim(5, &of(1, 5)), successor(b"seven"));
}

#[test]
fn sessions_do_not_disturb_each_other_not_even_in_one_slot() {
    let mut proxy = Proxy::default();
    let same_slot = Session { id: [&[1, 1][..], &[9; 14]].concat().try_into().expect("has 16"), ..of(1, 0) };
    for session in [of(1, 0), of(2, 0), same_slot.clone()] {
        proxy.lease(0, &session);
    }
    assert_eq!(proxy.store.entries.len(), 2);
    proxy.publish(1, &Session { generation: 1, ..same_slot.clone() }, b"one");
    assert_eq!(proxy.claim(2, &same_slot), successor(b"one"));
    assert!(matches!(proxy.claim(2, &of(1, 0)), Claim::Follow { .. }));
}

#[test]
fn a_successor_is_kept_for_a_minute() {
    for (seconds, is_kept) in [(0, true), (59, true), (60, false)] {
        let mut proxy = Proxy::default();
        proxy.publish(0, &of(1, 1), b"one");
        assert_eq!(proxy.claim(seconds, &of(1, 0)) == successor(b"one"), is_kept, "{seconds}");
    }
}

#[test]
fn an_older_successor_takes_the_place_of_no_newer_one() {
    let mut proxy = Proxy::default();
    proxy.publish(0, &of(1, 3), b"three");
    proxy.publish(1, &of(1, 2), b"two");
    assert_eq!(proxy.claim(2, &of(1, 1)), successor(b"three"));
    proxy.publish(3, &of(1, 3), b"other");
    assert_eq!(proxy.claim(4, &of(1, 1)), successor(b"other"), "of two refreshes the token of the later is good");
}

#[test]
fn a_lease_ends_by_itself_when_every_clock_says_so() {
    for (seconds, is_over) in [(19, false), (20, false), (24, false), (25, true)] {
        let mut proxy = Proxy::default();
        proxy.lease(0, &of(1, 0));
        assert_eq!(matches!(proxy.claim(seconds, &of(1, 0)), Claim::Lease(_)), is_over, "{seconds}");
    }
    let (mut store, random) = (Store::default(), Counter::default());
    let claim = |store: &mut Store, time| at(time, store, &random, |shared| shared.claim(&of(1, 0), LEASE));
    assert!(matches!(claim(&mut store, (0, 1)), Claim::Lease(_)));
    assert!(matches!(claim(&mut store, (25, 0)), Claim::Follow { .. }), "no part of a second is cut off");
    let long = at((100, 0), &mut store, &random, |shared| shared.claim(&of(2, 0), Duration::from_hours(9)));
    assert!(matches!(long, Claim::Lease(_)));
    let follow = at((101, 0), &mut store, &random, |shared| shared.claim(&of(2, 0), LEASE));
    assert_eq!(follow, Claim::Follow { until: instant(100 + 60 + 5) }, "none is longer than a minute");
}

#[test]
fn a_lease_is_given_up_by_its_holder_alone() {
    let mut proxy = Proxy::default();
    let first = proxy.lease(0, &of(1, 0));
    proxy.release(1, &of(1, 0), first);
    let second = proxy.lease(1, &of(1, 0));
    assert_ne!(first, second);
    proxy.release(2, &of(1, 0), first);
    assert!(matches!(proxy.claim(2, &of(1, 0)), Claim::Follow { .. }), "late, it gives up nothing");
    proxy.publish(3, &of(1, 1), b"one");
    proxy.release(3, &of(1, 0), second);
    assert_eq!(proxy.claim(3, &of(1, 0)), successor(b"one"), "what came of it stays");
}

#[test]
fn what_was_written_before_the_clock_was_set_back_does_not_count() {
    let mut proxy = Proxy::default();
    proxy.publish(1_000, &of(1, 1), b"one");
    proxy.lease(1_000, &of(2, 0));
    assert_eq!(proxy.claim(995, &of(1, 0)), successor(b"one"), "clocks differ by as much");
    assert!(matches!(proxy.claim(955, &of(2, 0)), Claim::Follow { .. }));
    assert!(matches!(proxy.claim(994, &of(1, 0)), Claim::Lease(_)));
    assert!(matches!(proxy.claim(100, &of(2, 0)), Claim::Lease(_)));
}

#[test]
fn entries_of_others_are_overwritten() {
    let mut proxy = Proxy::default();
    proxy.publish(0, &of(1, 1), b"one");
    proxy.publish(0, &of(2, 1), b"two");
    let names: Vec<_> = proxy.store.entries.keys().cloned().collect();
    let entry = |proxy: &Proxy, index: usize| proxy.store.entries[&names[index]].0.clone();
    let (good, moved) = (entry(&proxy, 0), entry(&proxy, 1));
    let mut changed = good.clone();
    *changed.last_mut().expect("is not empty") ^= 1;
    let other = keyring(&["b"]).seal(Purpose::Shared, 0, names[0].as_bytes(), b"\x01", &proxy.random).expect("draws");
    let session =
        keyring(&["a"]).seal(Purpose::Session, 0, names[0].as_bytes(), b"\x01", &proxy.random).expect("draws");
    for bad in [vec![], b"junk".to_vec(), changed, moved, other, session, good[..60].to_vec()] {
        proxy.store.entries.insert(names[0].clone(), (bad, 1_000));
        proxy.lease(1, &of(2, 0));
        assert!(matches!(proxy.claim(1, &of(2, 0)), Claim::Follow { .. }));
    }
    proxy.store.entries.insert(names[0].clone(), (good, 1_000));
    assert_eq!(proxy.claim(1, &of(2, 0)), successor(b"two"));
}

#[test]
fn nothing_is_in_the_clear() {
    let mut proxy = Proxy::default();
    let session = Session { id: *b"sixteen octets!!", ..of(1, 0) };
    proxy.lease(0, &session);
    proxy.publish(1, &Session { generation: 1, ..session.clone() }, b"the text of a session");
    let (name, (bytes, _)) = proxy.store.entries.first_key_value().expect("is there");
    let shows = |octets: &[u8]| bytes.windows(octets.len()).any(|window| window == octets);
    assert!(!shows(b"text of a") && !shows(b"sixteen") && !name.contains("sixteen"));
    let (number, own) = (name.rsplit('.').next().expect("has parts"), name.split('.').nth(3).expect("has parts"));
    assert!(name.starts_with("jotgate.sessions.1.") && own.len() == 16 && number.parse::<u16>().is_ok(), "{name}");
}

/// A new secret gets to one VM after the other.
#[test]
fn a_secret_that_is_replaced_hides_no_lease_and_no_successor() {
    for [first, second] in
        [[&["old"][..], &["old", "new"]], [&["old", "new"], &["new", "old"]], [&["new", "old"], &["new"]]]
    {
        for [first, second] in [[first, second], [second, first]] {
            let (mut store, random) = (Store::default(), Counter::default());
            let (first, second) = (keyring(first), keyring(second));
            let lease = by(&first, (0, 0), &mut store, &random, |shared| shared.claim(&of(1, 0), LEASE));
            assert!(matches!(lease, Claim::Lease(_)));
            let claim = by(&second, (1, 0), &mut store, &random, |shared| shared.claim(&of(1, 0), LEASE));
            assert_eq!(claim, Claim::Follow { until: instant(20 + 5) });
            by(&first, (2, 0), &mut store, &random, |shared| shared.publish(&of(1, 1), b"one"));
            let claim = by(&second, (3, 0), &mut store, &random, |shared| shared.claim(&of(1, 0), LEASE));
            assert_eq!(claim, successor(b"one"));
        }
    }
}

#[test]
fn entries_are_bounded_in_number_and_belong_to_a_login() {
    let (mut store, random) = (Store::default(), Counter::default());
    let mut names = |secret: &str, login: usize, id: [u8; 16]| {
        let capabilities = Capabilities { now: instant(0), signatures: &Software, signer: &Software, random: &random };
        let keyring = keyring(&[secret]);
        let shared = Successors::new(&keyring, login, &mut store, capabilities);
        shared.entry(&slot_of(&Session { id, ..of(1, 0) }).to_string())
    };
    let id = |number: u16| [&number.to_be_bytes()[..], &[7; 14]].concat().try_into().expect("has 16");
    let all: std::collections::BTreeSet<_> = (0..600).map(|number| names("a", 0, id(number))).collect();
    assert_eq!(all.len(), usize::from(SLOTS));
    assert!(!all.contains(&names("a", 1, id(0))));
    assert_eq!(names("a", 0, id(0)), names("b", 0, id(0)), "another secret makes no further entries");
    assert_eq!(names("a", 2, id(0)), None);
}

#[test]
fn a_full_slot_drops_the_oldest_successor_and_never_a_lease() {
    let mut proxy = Proxy::default();
    let session =
        |number: u8| Session { id: [&[1, 1][..], &[number; 14]].concat().try_into().expect("is 16"), ..of(1, 0) };
    let large = vec![b'x'; 7_800];
    for number in 0..6 {
        proxy.publish(u64::from(number), &Session { generation: 1, ..session(number) }, &large);
    }
    let found: Vec<_> = (0..6).map(|number| proxy.claim(6, &session(number)) == successor(&large)).collect();
    assert_eq!(found, [false, false, true, true, true, true], "four fit, beside leases");
    let largest = proxy.store.entries.values().map(|(bytes, _)| bytes.len()).max();
    assert!(largest.is_some_and(|octets| octets <= (32 << 10) + 100), "{largest:?}");
}

#[test]
fn where_there_are_only_leases_one_has_to_wait() {
    let mut proxy = Proxy::default();
    let session =
        |number: u8| Session { id: [&[1, 1][..], &[number; 14]].concat().try_into().expect("is 16"), ..of(1, 0) };
    let holders: Vec<_> = (0..16).map(|number| proxy.lease(0, &session(number))).collect();
    assert_eq!(proxy.claim(1, &session(16)), Claim::Full);
    assert!(matches!(proxy.claim(1, &session(0)), Claim::Follow { .. }));
    proxy.publish(1, &Session { generation: 1, ..session(0) }, b"one");
    assert_eq!(proxy.claim(2, &session(0)), successor(b"one"));
    proxy.lease(2, &session(16));
    assert!(matches!(proxy.claim(2, &session(0)), Claim::Full), "what was published last went first");
    proxy.release(3, &session(5), holders[5]);
    proxy.lease(3, &session(0));
    proxy.lease(30, &session(17));
}

#[test]
fn a_host_without_shared_data_or_randomness_shares_nothing() {
    let claim = |error, random: &dyn Randomness| {
        at((0, 0), &mut Failing(error), random, |shared| {
            shared.publish(&of(1, 1), b"one");
            shared.release(&of(1, 1), Holder([0; 8]));
            shared.claim(&of(1, 0), LEASE)
        })
    };
    assert_eq!(claim(SharedDataError::Unavailable, &Counter::default()), Claim::Unavailable);
    assert_eq!(claim(SharedDataError::Changed, &NoGenerator), Claim::Unavailable);
    let soon = Claim::Follow { until: instant(0).after(PAUSE) };
    assert_eq!(claim(SharedDataError::Changed, &Counter::default()), soon, "others are faster each time");
}

#[test]
fn of_two_vms_that_claim_at_once_one_gets_the_lease() {
    let (mut store, random) = (Store::default(), Counter::default());
    let mut other = None;
    let own = {
        let interrupt = |store: &mut Store| {
            other.get_or_insert_with(|| at((1, 0), store, &random, |shared| shared.claim(&of(1, 0), LEASE)));
        };
        at((0, 0), &mut Interrupted(&mut store, interrupt), &random, |shared| shared.claim(&of(1, 0), LEASE))
    };
    assert!(matches!(other, Some(Claim::Lease(_))));
    assert_eq!(own, Claim::Follow { until: instant(21 + 5) });
}

#[cfg(not(target_family = "wasm"))]
mod properties {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;

    const SESSIONS: usize = 3;

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Claim { behind: u32 },
        Publish,
        Release,
    }

    /// What a VM does for a session, and whether the other VM gets in between.
    #[derive(Clone, Debug)]
    struct Step {
        pause: u64,
        vm: usize,
        session: usize,
        act: Act,
        interrupts: Vec<(usize, Act)>,
    }

    /// What two VMs know, whose clocks differ.
    struct World {
        seconds: u64,
        offsets: [u64; 2],
        /// By VM and session: the lease, the generation that it renews, and its end by that VM's clock.
        held: [[Option<(Holder, u32, u64)>; SESSIONS]; 2],
        /// The newest generation of each session, and when it was published.
        newest: [(u32, Option<u64>); SESSIONS],
    }

    fn acts() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0_u32..3).prop_map(|behind| Act::Claim { behind }),
            2 => Just(Act::Publish),
            1 => Just(Act::Release),
        ]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let interrupts = prop::collection::vec((0..SESSIONS, acts()), 0..5);
        let step = (prop_oneof![Just(0), 0_u64..30], 0..2_usize, 0..SESSIONS, acts(), interrupts);
        let step = step.prop_map(|(pause, vm, session, act, interrupts)| Step { pause, vm, session, act, interrupts });
        prop::collection::vec(step, 1..40)
    }

    fn text(session: usize, generation: u32) -> Vec<u8> {
        format!("session {session}, generation {generation}").into_bytes()
    }

    /// Two of the sessions share a slot.
    fn session_of(session: usize, generation: u32) -> Session {
        let id = [[1; 16], [2; 16], [&[1, 1][..], &[3; 14]].concat().try_into().expect("has 16")];
        Session { id: id[session], ..of(1, generation) }
    }

    fn act(world: &RefCell<World>, vm: usize, session: usize, act: Act, shared: &mut dyn SharedData, random: &Counter) {
        let (clock, held, (newest, published)) = {
            let world = world.borrow();
            (world.seconds + world.offsets[vm], world.held[vm][session], world.newest[session])
        };
        match act {
            Act::Claim { behind } => {
                let generation = newest.saturating_sub(behind);
                let claim = |shared: &mut Successors<'_>| shared.claim(&session_of(session, generation), LEASE);
                let claimed = at((clock, 0), shared, random, claim);
                let mut world = world.borrow_mut();
                match claimed {
                    Claim::Lease(holder) => {
                        let (other, now) = (1 - vm, world.seconds + world.offsets[1 - vm]);
                        let rival = world.held[other][session];
                        assert!(rival.is_none_or(|(.., until)| until <= now), "two leases for {session}: {rival:?}");
                        let is_there = published.is_some_and(|at| generation < newest && world.seconds < at + 50);
                        assert!(!is_there, "a successor was not found");
                        world.held[vm][session] = Some((holder, generation, clock + LEASE.as_secs()));
                    }
                    Claim::Successor(found) => {
                        let newer = (generation + 1..=world.newest[session].0).map(|newer| text(session, newer));
                        assert!(newer.into_iter().any(|text| text == found));
                    }
                    Claim::Follow { until } => assert!(until <= instant(clock + 20 + 5 + 5 + 1)),
                    Claim::Full | Claim::Unavailable => panic!("there is room"),
                }
            }
            Act::Publish => {
                let Some((_, generation, until)) = held.filter(|&(.., until)| clock < until) else { return };
                let _ = until;
                let successor = session_of(session, generation + 1);
                {
                    let mut world = world.borrow_mut();
                    world.held[vm][session] = None;
                    if generation + 1 >= newest {
                        // From now on it may be found; that it must be is asked once it is certainly there.
                        world.newest[session] = (generation + 1, None);
                    }
                }
                let publish = |shared: &mut Successors<'_>| shared.publish(&successor, &text(session, generation + 1));
                at((clock, 0), shared, random, publish);
            }
            Act::Release => {
                let Some((holder, generation, _)) = held else { return };
                world.borrow_mut().held[vm][session] = None;
                let release = |shared: &mut Successors<'_>| shared.release(&session_of(session, generation), holder);
                at((clock, 0), shared, random, release);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn there_are_never_two_leases_at_once(steps in steps(), offset in 0_u64..=5, is_first_ahead: bool) {
            let offsets = if is_first_ahead { [offset, 0] } else { [0, offset] };
            let world = World { seconds: 0, offsets, held: [[None; SESSIONS]; 2], newest: [(2, None); SESSIONS] };
            let (world, mut store, random) = (RefCell::new(world), Store::default(), Counter::default());
            for Step { pause, vm, session, act: own, interrupts } in steps {
                world.borrow_mut().seconds += pause;
                let before = world.borrow().newest[session].0;
                let mut interrupts = interrupts.into_iter();
                let is_alone = interrupts.len() == 0;
                let interrupt = |store: &mut Store| {
                    if let Some((session, other)) = interrupts.next() {
                        act(&world, 1 - vm, session, other, store, &random);
                    }
                };
                act(&world, vm, session, own, &mut Interrupted(&mut store, interrupt), &random);
                let mut world = world.borrow_mut();
                let seconds = world.seconds;
                if is_alone && matches!(own, Act::Publish) && world.newest[session].0 > before {
                    world.newest[session].1 = Some(seconds);
                }
                for (bytes, _) in store.entries.values() {
                    prop_assert!(bytes.len() <= (32 << 10) + 100);
                    prop_assert!(!bytes.windows(7).any(|window| window == b"session"));
                }
            }
        }

        #[test]
        fn no_octets_of_a_slot_panic(octets in prop::collection::vec(any::<u8>(), 0..200), now: u64) {
            let octets = [&[1][..], &octets].concat();
            let mut slot = Slot::new(&octets, Timestamp::from_secs(now));
            slot.publish([1; 16], Successor { generation: 1, made: Timestamp::from_secs(now), text: vec![1] });
            prop_assert_eq!(slot.successor(&[1; 16], 0), Some(&[1][..]));
        }
    }
}

#[test]
fn a_lease_is_prolonged_by_its_holder_while_it_lasts() {
    let mut proxy = Proxy::default();
    let session = of(1, 0);
    let prolong = |proxy: &mut Proxy, seconds, holder| {
        at((seconds, 0), &mut proxy.store, &proxy.random, |shared| shared.prolong(&session, holder, LEASE))
    };
    let first = proxy.lease(0, &session);
    assert!(prolong(&mut proxy, 15, first));
    assert_eq!(proxy.claim(39, &session), Claim::Follow { until: instant(40) });
    let second = proxy.lease(40, &session);
    assert!(!prolong(&mut proxy, 41, first), "it is over");
    assert!(prolong(&mut proxy, 41, second));
    proxy.publish(42, &of(1, 1), b"next");
    assert!(!prolong(&mut proxy, 43, second), "there is a successor");
}
