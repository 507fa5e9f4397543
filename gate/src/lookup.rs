//! What is asked once for all who need it: one callout for each key, and its answer for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::callout::CalloutId;
use crate::time::Timestamp;

/// Answers by key: asked for once at a time, bounded in number, forgotten when they are too old.
///
/// It makes no callouts and knows no requests: whoever begins a lookup sends the callout and wakes who waits.
#[derive(Clone, Debug)]
pub(crate) struct Lookup<K, V> {
    /// How many keys there may be, in flight or known.
    capacity: usize,
    /// How many of them may be in flight.
    most_in_flight: usize,
    /// How long a callout is waited for, if the host never ends it.
    patience: Duration,
    /// INVARIANT: each key is in `ends` once, with the end that its entry has.
    entries: BTreeMap<K, Entry<V>>,
    ends: BTreeSet<(Timestamp, K)>,
    /// INVARIANT: the keys in flight, by their callouts.
    in_flight: BTreeMap<CalloutId, K>,
}

/// What is known of a key.
#[derive(Clone, Debug)]
struct Entry<V> {
    state: State<V>,
    /// From this instant on it counts no more.
    end: Timestamp,
}

#[derive(Clone, Debug)]
enum State<V> {
    InFlight(CalloutId),
    Known(V),
}

/// What came of the wish to know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Begun {
    /// The callout is to be sent.
    Ask,
    /// Another callout is under way for this key.
    Joined,
    /// Too many others are under way. Nothing is to be sent.
    Full,
}

impl<K: Clone + Ord, V> Lookup<K, V> {
    pub(crate) fn new(capacity: usize, most_in_flight: usize, patience: Duration) -> Self {
        let (entries, ends, in_flight) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { capacity, most_in_flight, patience, entries, ends, in_flight }
    }

    /// Asks for `key` by this callout, unless another is under way. What was known of `key` is forgotten then; where
    /// there is no room, so is the known value that ends first.
    pub(crate) fn begin(&mut self, key: K, callout: CalloutId, now: Timestamp) -> Begun {
        if self.is_under_way(&key, now) {
            return Begun::Joined;
        }
        self.remove(&key);
        let is_full = self.in_flight.len() >= self.most_in_flight;
        if is_full || (self.entries.len() >= self.capacity && !self.evict()) {
            return Begun::Full;
        }
        self.in_flight.insert(callout, key.clone());
        self.insert(key, Entry { state: State::InFlight(callout), end: now.after(self.patience) });
        Begun::Ask
    }

    /// Whether a callout is under way for `key`.
    pub(crate) fn is_under_way(&self, key: &K, now: Timestamp) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.is_in_flight() && now < entry.end)
    }

    /// Takes the answer to a callout, which counts for `ttl`, and gives the key that it was sent for; `None` for a
    /// callout that is over.
    pub(crate) fn finish(&mut self, callout: CalloutId, value: V, ttl: Duration, now: Timestamp) -> Option<K> {
        let key = self.key_of(callout)?;
        self.remove(&key);
        self.insert(key.clone(), Entry { state: State::Known(value), end: now.after(ttl) });
        Some(key)
    }

    /// The answer for `key`, while it counts.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<&V> {
        let entry = self.entries.get(key).filter(|entry| now < entry.end)?;
        match &entry.state {
            State::Known(value) => Some(value),
            State::InFlight(_) => None,
        }
    }

    /// The same, with the instant from which on it counts no more.
    pub(crate) fn get_until(&self, key: &K, now: Timestamp) -> Option<(&V, Timestamp)> {
        Some((self.get(key, now)?, self.entries.get(key)?.end))
    }

    /// The keys in flight.
    pub(crate) fn in_flight(&self) -> impl ExactSizeIterator<Item = &K> {
        self.in_flight.values()
    }

    /// Takes over what `predecessor` has, but for its bounds.
    pub(crate) fn inherit(&mut self, predecessor: Self) {
        let Self { entries, ends, in_flight, .. } = predecessor;
        (self.entries, self.ends, self.in_flight) = (entries, ends, in_flight);
    }

    /// Forgets what is known of these keys.
    pub(crate) fn forget(&mut self, is_forgotten: impl Fn(&K) -> bool) {
        let keys: Vec<_> = self.entries.keys().filter(|key| is_forgotten(key)).cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// What is known of these keys counts until `end` at most.
    pub(crate) fn end_by(&mut self, end: Timestamp, keys: RangeInclusive<K>) {
        let is_late = |entry: &Entry<V>| !entry.is_in_flight() && end < entry.end;
        let meant = self.entries.range(keys).filter(|(_, entry)| is_late(entry));
        let keys: Vec<_> = meant.map(|(key, _)| key.clone()).collect();
        for key in keys {
            if let Some(entry) = self.remove(&key) {
                self.insert(key, Entry { end, ..entry });
            }
        }
    }

    /// Forgets what counts no more, and gives the keys whose callouts the host never ended.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<K> {
        let mut given_up = Vec::new();
        while self.next_expiry().is_some_and(|end| end <= now) {
            let Some((_, key)) = self.ends.pop_first() else { break };
            if let Some(Entry { state: State::InFlight(callout), .. }) = self.entries.remove(&key) {
                self.in_flight.remove(&callout);
                given_up.push(key);
            }
        }
        given_up
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn next_expiry(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| *end)
    }

    fn insert(&mut self, key: K, entry: Entry<V>) {
        self.ends.insert((entry.end, key.clone()));
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &K) -> Option<Entry<V>> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.ends.remove(&(entry.end, key));
        if let State::InFlight(callout) = entry.state {
            self.in_flight.remove(&callout);
        }
        Some(entry)
    }

    /// Makes room; callouts that are under way stay.
    fn evict(&mut self) -> bool {
        let is_known = |key: &K| self.entries.get(key).is_some_and(|entry| !entry.is_in_flight());
        let first = self.ends.iter().map(|(_, key)| key).find(|key| is_known(key)).cloned();
        first.is_some_and(|key| self.remove(&key).is_some())
    }

    /// The key for which this callout is under way.
    pub(crate) fn key_of(&self, callout: CalloutId) -> Option<K> {
        self.in_flight.get(&callout).cloned()
    }
}

impl<V> Entry<V> {
    fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight(_))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);
    const MINUTE: Duration = Duration::from_mins(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    fn lookup(capacity: usize) -> Lookup<&'static str, u32> {
        Lookup::new(capacity, capacity, PATIENCE)
    }

    /// Asks for `key`, and has the answer there at once.
    fn know(lookup: &mut Lookup<&'static str, u32>, key: &'static str, value: u32, ttl: Duration, now: Timestamp) {
        let callout = CalloutId(u64::from(value));
        assert_eq!(lookup.begin(key, callout, now), Begun::Ask);
        assert_eq!(lookup.finish(callout, value, ttl, now), Some(key));
    }

    #[test]
    fn one_callout_is_sent_for_each_key() {
        let mut lookup = lookup(4);
        assert_eq!(lookup.begin("a", CalloutId(1), at(0)), Begun::Ask);
        assert_eq!(lookup.begin("a", CalloutId(2), at(1)), Begun::Joined);
        assert_eq!(lookup.begin("b", CalloutId(3), at(1)), Begun::Ask);
        assert_eq!(lookup.get(&"a", at(1)), None);
        assert_eq!(lookup.finish(CalloutId(2), 7, MINUTE, at(2)), None);
        assert_eq!(lookup.finish(CalloutId(1), 7, MINUTE, at(2)), Some("a"));
        assert_eq!(lookup.finish(CalloutId(1), 8, MINUTE, at(2)), None);
        assert_eq!(lookup.get(&"a", at(2)), Some(&7));
        assert_eq!(lookup.get(&"b", at(2)), None);
    }

    #[test]
    fn what_is_known_may_end_sooner_and_never_later() {
        let mut lookup = lookup(4);
        know(&mut lookup, "a", 1, MINUTE, at(0));
        know(&mut lookup, "d", 2, MINUTE, at(0));
        assert_eq!(lookup.begin("c", CalloutId(3), at(0)), Begun::Ask);
        lookup.end_by(at(2), "a"..="c");
        lookup.end_by(at(90), "a"..="d");
        assert_eq!((lookup.get(&"a", at(1)), lookup.get(&"a", at(2))), (Some(&1), None));
        assert_eq!((lookup.get(&"d", at(59)), lookup.get(&"d", at(60))), (Some(&2), None));
        assert_eq!(lookup.next_expiry(), Some(at(2)));
        assert_eq!(lookup.expire(at(2)), [""; 0]);
        assert_eq!(lookup.finish(CalloutId(3), 3, MINUTE, at(3)), Some("c"), "what is under way goes on");
    }

    #[test]
    fn an_answer_counts_for_its_time() {
        let mut lookup = lookup(4);
        know(&mut lookup, "a", 1, MINUTE, at(0));
        assert_eq!(lookup.next_expiry(), Some(at(60)));
        assert_eq!(lookup.get(&"a", at(59)), Some(&1));
        assert_eq!(lookup.get(&"a", at(60)), None);
        assert_eq!(lookup.expire(at(60)), [""; 0]);
        assert_eq!(lookup.next_expiry(), None);
    }

    #[test]
    fn what_is_forgotten_is_asked_again() {
        let mut lookup = lookup(4);
        know(&mut lookup, "a", 1, MINUTE, at(0));
        know(&mut lookup, "b", 2, MINUTE, at(0));
        lookup.forget(|&key| key == "a");
        assert_eq!((lookup.get(&"a", at(1)), lookup.get(&"b", at(1))), (None, Some(&2)));
        assert_eq!(lookup.begin("a", CalloutId(3), at(1)), Begun::Ask);
        lookup.forget(|&key| key == "a");
        assert_eq!(lookup.finish(CalloutId(3), 3, MINUTE, at(1)), None, "its callout is over");
    }

    #[test]
    fn a_callout_that_the_host_never_ends_is_given_up() {
        let mut lookup = lookup(4);
        assert_eq!(lookup.begin("a", CalloutId(1), at(0)), Begun::Ask);
        assert_eq!(lookup.next_expiry(), Some(at(5)));
        assert_eq!(lookup.expire(at(4)), [""; 0]);
        assert_eq!(lookup.expire(at(5)), ["a"]);
        assert_eq!(lookup.finish(CalloutId(1), 1, MINUTE, at(5)), None);
        assert_eq!(lookup.get(&"a", at(5)), None);
    }

    #[test]
    fn a_callout_that_should_be_over_is_not_joined() {
        let mut lookup = lookup(1);
        assert_eq!(lookup.begin("a", CalloutId(1), at(0)), Begun::Ask);
        assert_eq!(lookup.begin("a", CalloutId(2), at(5)), Begun::Ask);
        assert_eq!(lookup.finish(CalloutId(1), 1, MINUTE, at(6)), None);
        assert_eq!(lookup.finish(CalloutId(2), 2, MINUTE, at(6)), Some("a"));
    }

    #[test]
    fn known_answers_make_room_the_first_to_end_first() {
        let mut lookup = lookup(3);
        know(&mut lookup, "a", 1, MINUTE, at(0));
        know(&mut lookup, "b", 2, PATIENCE, at(1));
        assert_eq!(lookup.begin("c", CalloutId(3), at(2)), Begun::Ask);
        assert_eq!(lookup.begin("d", CalloutId(4), at(2)), Begun::Ask);
        assert_eq!((lookup.get(&"a", at(2)), lookup.get(&"b", at(2))), (Some(&1), None));
        assert_eq!(lookup.begin("e", CalloutId(5), at(2)), Begun::Ask);
        assert_eq!(lookup.get(&"a", at(2)), None);
    }

    #[test]
    fn callouts_under_way_make_no_room() {
        let mut lookup = lookup(2);
        assert_eq!(lookup.begin("a", CalloutId(1), at(0)), Begun::Ask);
        assert_eq!(lookup.begin("b", CalloutId(2), at(0)), Begun::Ask);
        assert_eq!(lookup.begin("c", CalloutId(3), at(0)), Begun::Full);
        assert_eq!(lookup.begin("b", CalloutId(4), at(0)), Begun::Joined);
        assert_eq!(lookup.finish(CalloutId(3), 3, MINUTE, at(0)), None);
        assert_eq!(lookup.finish(CalloutId(1), 1, MINUTE, at(0)), Some("a"));
        assert_eq!(lookup.begin("c", CalloutId(5), at(0)), Begun::Ask);
    }

    #[test]
    fn fewer_may_be_in_flight_than_known() {
        let mut lookup = Lookup::new(8, 1, PATIENCE);
        know(&mut lookup, "a", 1, MINUTE, at(0));
        assert_eq!(lookup.begin("b", CalloutId(2), at(0)), Begun::Ask);
        assert_eq!(lookup.begin("c", CalloutId(3), at(0)), Begun::Full);
        assert_eq!(lookup.get(&"a", at(0)), Some(&1), "nothing known makes room for what is not asked");
        assert_eq!(lookup.expire(at(5)), ["b"]);
        assert_eq!(lookup.begin("c", CalloutId(4), at(5)), Begun::Ask);
        lookup.forget(|&key| key == "c");
        assert_eq!(lookup.begin("d", CalloutId(5), at(5)), Begun::Ask);
    }

    #[test]
    fn asking_again_forgets_what_was_known() {
        let mut lookup = lookup(1);
        know(&mut lookup, "a", 1, MINUTE, at(0));
        assert_eq!(lookup.begin("a", CalloutId(2), at(1)), Begun::Ask);
        assert_eq!(lookup.get(&"a", at(1)), None);
        assert_eq!(lookup.next_expiry(), Some(at(6)));
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::collection::vec;
        use proptest::prelude::*;

        use super::*;

        const CAPACITY: usize = 3;

        #[derive(Clone, Debug)]
        enum Step {
            Begin(u8),
            Expire,
            /// Of the callout that was begun so many before the last one.
            Finish(u64, u64),
            Pass(u64),
            Forget(u8),
        }

        fn step() -> impl Strategy<Value = Step> {
            prop_oneof![
                4 => (0_u8..5).prop_map(Step::Begin),
                1 => Just(Step::Expire),
                4 => (0_u64..4, 0_u64..8).prop_map(|(callout, ttl)| Step::Finish(callout, ttl)),
                2 => (0_u64..4).prop_map(Step::Pass),
                1 => (0_u8..5).prop_map(Step::Forget),
            ]
        }

        /// The same in a list: key, callout, value, end.
        #[derive(Default)]
        struct Model(Vec<(u8, u64, Option<u64>, u64)>);

        impl Model {
            fn begin(&mut self, key: u8, callout: u64, now: u64) -> Begun {
                if self.0.iter().any(|entry| entry.0 == key && entry.2.is_none() && now < entry.3) {
                    return Begun::Joined;
                }
                self.0.retain(|entry| entry.0 != key);
                if self.0.len() == CAPACITY {
                    let known = self.0.iter().filter(|entry| entry.2.is_some());
                    let Some(key) = known.min_by_key(|entry| (entry.3, entry.0)).map(|entry| entry.0) else {
                        return Begun::Full;
                    };
                    self.0.retain(|entry| entry.0 != key);
                }
                self.0.push((key, callout, None, now + PATIENCE.as_secs()));
                Begun::Ask
            }

            fn finish(&mut self, callout: u64, end: u64) -> Option<u8> {
                let asked = self.0.iter_mut().find(|entry| entry.1 == callout && entry.2.is_none())?;
                (asked.2, asked.3) = (Some(callout), end);
                Some(asked.0)
            }

            fn get(&self, key: u8, now: u64) -> Option<u64> {
                self.0.iter().find(|entry| entry.0 == key && now < entry.3)?.2
            }

            fn forget(&mut self, key: u8) {
                self.0.retain(|entry| entry.0 != key);
            }

            fn expire(&mut self, now: u64) -> Vec<u8> {
                let mut over: Vec<_> = self.0.extract_if(.., |entry| entry.3 <= now).collect();
                over.sort_by_key(|entry| (entry.3, entry.0));
                over.into_iter().filter(|entry| entry.2.is_none()).map(|entry| entry.0).collect()
            }
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn it_does_what_a_list_does(steps in vec(step(), 1..60)) {
                let (mut lookup, mut model) = (Lookup::new(CAPACITY, CAPACITY, PATIENCE), Model::default());
                let (mut callouts, mut now) = (0, 0);
                for step in steps {
                    match step {
                        Step::Begin(key) => {
                            callouts += 1;
                            let begun = lookup.begin(key, CalloutId(callouts), at(now));
                            prop_assert_eq!(begun, model.begin(key, callouts, now));
                        }
                        Step::Expire => prop_assert_eq!(lookup.expire(at(now)), model.expire(now)),
                        Step::Finish(before, ttl) => {
                            let callout = callouts.saturating_sub(before);
                            let key = lookup.finish(CalloutId(callout), callout, Duration::from_secs(ttl), at(now));
                            prop_assert_eq!(key, model.finish(callout, now + ttl));
                        }
                        Step::Pass(seconds) => now += seconds,
                        Step::Forget(key) => {
                            lookup.forget(|&found| found == key);
                            model.forget(key);
                        }
                    }
                    for key in 0..5 {
                        prop_assert_eq!(lookup.get(&key, at(now)).copied(), model.get(key, now));
                    }
                    prop_assert_eq!(lookup.next_expiry(), model.0.iter().map(|entry| entry.3).min().map(at));
                    prop_assert!(lookup.entries.len() <= CAPACITY);
                    prop_assert_eq!(lookup.entries.len(), lookup.ends.len());
                    let in_flight = lookup.entries.values().filter(|entry| entry.is_in_flight()).count();
                    prop_assert_eq!(lookup.in_flight.len(), in_flight);
                }
            }
        }
    }
}
