//! What goes wrong meanwhile, and what may be answered because of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, sleep};
use std::time::Duration;

use test_support::random::Random;
use testbed::issuer::{Fault, Mode, Rotation};
use testbed::keys::SigningKey;

use crate::world::World;

/// By then, all that was mended works again: a callout that stalls ends after five seconds, and is made again after two;
/// a busy machine takes longer.
const GRACE: Duration = Duration::from_secs(11);
/// How long something is out of order.
const OUTAGE: [Duration; 2] = [Duration::from_secs(1), Duration::from_millis(2500)];
const BETWEEN_UPDATES: Duration = Duration::from_secs(2);

/// What is not sure at the moment, and a while longer: answers may be others for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doubt {
    /// New keys sign, which the gate may not know yet; or old ones do no more, which it may not know either.
    Keys,
    /// Nothing is.
    None,
    /// The provider may not answer as it should.
    Provider,
    /// Nor may the issuer of opaque tokens.
    Reader,
}

/// How often it happened.
#[derive(Debug, Default)]
pub(crate) struct Happened {
    pub(crate) outages: AtomicU64,
    pub(crate) rotations: AtomicU64,
    pub(crate) updates: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) happened: Happened,
    doubts: [AtomicBool; 4],
    keys: RwLock<Keys>,
    is_over: AtomicBool,
}

#[derive(Debug)]
struct Keys {
    signing: Vec<SigningKey>,
    published: BTreeSet<String>,
    /// One that is no longer published.
    withdrawn: Option<SigningKey>,
}

impl Trouble {
    pub(crate) fn new(world: &World) -> Self {
        let signing = world.signer.signing_keys();
        let keys = Keys { published: kids(&signing).collect(), signing, withdrawn: None };
        let (happened, doubts) = (Happened::default(), <[AtomicBool; 4]>::default());
        Self { happened, doubts, keys: RwLock::new(keys), is_over: AtomicBool::new(false) }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_in_doubt(&self, doubt: Doubt) -> bool {
        self.doubts[doubt as usize].load(Ordering::SeqCst)
    }

    /// A key that signs good tokens.
    pub(crate) fn key(&self, random: &mut Random) -> SigningKey {
        let keys = self.keys();
        keys.signing[random.below(keys.signing.len())].clone()
    }

    /// Whether tokens of that key are good, unless that is in doubt.
    pub(crate) fn is_published(&self, key: &SigningKey) -> bool {
        self.keys().published.contains(key.kid())
    }

    /// A key whose tokens are good no more, which the gate must know.
    pub(crate) fn withdrawn(&self) -> Option<SigningKey> {
        let withdrawn = self.keys().withdrawn.clone();
        withdrawn.filter(|_| !self.is_in_doubt(Doubt::Keys))
    }

    /// Things go wrong, until all is over.
    pub(crate) fn run(&self, world: &World) {
        let happens = |seed: u64, what: fn(&Self, &World, &mut Random)| {
            move || {
                let mut random = Random::new(seed);
                while !self.is_over() {
                    what(self, world, &mut random);
                }
            }
        };
        thread::scope(|scope| {
            scope.spawn(happens(1, |trouble, world, random| {
                trouble.rotate(world, true);
                trouble.fail(random, Doubt::None, |fault| world.signer.set_jwks(fault).unwrap());
                trouble.rotate(world, false);
            }));
            scope.spawn(happens(2, |trouble, world, random| {
                trouble.fail(random, Doubt::Reader, |fault| world.reader.set_introspection(fault).unwrap());
            }));
            scope.spawn(happens(3, |trouble, world, random| {
                trouble.fail(random, Doubt::Provider, |fault| world.provider.set_token_endpoint(fault).unwrap());
            }));
            scope.spawn(happens(4, |trouble, world, _| {
                world.update(trouble.happened.updates.fetch_add(1, Ordering::SeqCst) + 1);
                trouble.pause(BETWEEN_UPDATES);
            }));
        });
    }

    /// New keys sign from now on; the old ones stay published, or not.
    fn rotate(&self, world: &World, keep: bool) {
        self.doubt(Doubt::Keys, true);
        let mut keys = self.keys_mut();
        world.signer.rotate(Rotation { keep, publish: true });
        let old = std::mem::replace(&mut keys.signing, world.signer.signing_keys());
        if !keep {
            keys.published.clear();
            keys.withdrawn = old.into_iter().next();
        }
        let new: Vec<_> = kids(&keys.signing).collect();
        keys.published.extend(new);
        drop(keys);
        self.mend(Doubt::Keys);
        self.happened.rotations.fetch_add(1, Ordering::SeqCst);
        self.pause(Duration::from_secs(1));
    }

    /// An endpoint fails for a while.
    fn fail(&self, random: &mut Random, doubt: Doubt, set: impl Fn(Fault)) {
        let modes = [Mode::Status { status: 500 }, Mode::Stall, Mode::CutOff, Mode::Html, Mode::Slow { millis: 700 }];
        let mode = modes[random.below(modes.len())].clone();
        self.doubt(doubt, true);
        set(Fault::lasting(mode));
        self.pause(random.duration(OUTAGE[0], OUTAGE[1]));
        set(Fault::lasting(Mode::Ok));
        self.mend(doubt);
        self.happened.outages.fetch_add(1, Ordering::SeqCst);
        self.pause(Duration::from_secs(1));
    }

    /// After a while, all is sure again. What goes wrong when all is over stays in doubt: clients still send a few
    /// requests, and the gate has had no time.
    fn mend(&self, doubt: Doubt) {
        if self.pause(GRACE) {
            self.doubt(doubt, false);
        }
    }

    fn doubt(&self, doubt: Doubt, is_there: bool) {
        let is_there = is_there && !matches!(doubt, Doubt::None);
        self.doubts[doubt as usize].store(is_there, Ordering::SeqCst);
    }

    /// Waits for so long, or until all is over; says whether it is not.
    fn pause(&self, time: Duration) -> bool {
        let step = Duration::from_millis(50);
        let mut left = time;
        while !left.is_zero() && !self.is_over() {
            sleep(step.min(left));
            left = left.saturating_sub(step);
        }
        !self.is_over()
    }

    fn keys(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kids(keys: &[SigningKey]) -> impl Iterator<Item = String> {
    keys.iter().map(|key| key.kid().to_owned())
}
