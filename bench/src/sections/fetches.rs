//! Fetches of keys for each refresh, with more and more workers.

use std::thread;
use std::time::{Duration, Instant};

use testbed::keys::Algorithm;

use crate::check;
use crate::failure::Result;
use crate::progress::step;
use crate::subject::Subject;
use crate::variant::{Variant, with_fetches};
use crate::world::World;

/// How old keys get.
const REFRESH: Duration = Duration::from_secs(2);
/// The plugin waits up to a tenth longer.
const LONGEST: Duration = Duration::from_millis(2200);
/// Fetches closer together than this belong to one refresh.
const APART: Duration = Duration::from_millis(700);
/// Between requests on a connection.
const PAUSE: Duration = Duration::from_millis(20);

/// A variant, how often it refreshed its keys, and how often its issuer was asked for that.
#[derive(Debug)]
pub(crate) struct Fetches {
    pub(crate) variant: Variant,
    pub(crate) refreshes: u64,
    pub(crate) asked: u64,
}

impl Fetches {
    /// Fetches for each refresh.
    #[expect(clippy::cast_precision_loss, reason = "there are a few")]
    pub(crate) fn per_refresh(&self) -> f64 {
        self.asked as f64 / self.refreshes as f64
    }
}

/// Lets all variants refresh their keys about so many times, with requests for every worker all the while.
pub(crate) fn measure(refreshes: usize) -> Result<Vec<Fetches>> {
    let mut watched = Vec::new();
    for variant in with_fetches() {
        step(format!("starting Envoy: {}", variant.title));
        // An issuer for each, so that it is plain who asks.
        let world = World::with(vec![Algorithm::ES256], REFRESH)?;
        let subject = Subject::start(&world, &variant)?;
        check::answers(&world, &subject)?;
        let fetches = Fetches { variant, refreshes: 0, asked: 0 };
        watched.push(Watched { world, subject, fetches, seen: 0, last: None });
    }
    // Those that were started first have refreshed already, unseen.
    watch(&mut watched, LONGEST)?;
    for one in &mut watched {
        (one.fetches.refreshes, one.fetches.asked) = (0, 0);
    }
    for refresh in 0..refreshes {
        step(format!("refresh of keys, {} of {refreshes}", refresh + 1));
        watch(&mut watched, LONGEST)?;
    }
    Ok(watched.into_iter().map(|one| one.fetches).collect())
}

fn watch(watched: &mut [Watched], time: Duration) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < time {
        watched.iter_mut().try_for_each(Watched::look)?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

struct Watched {
    world: World,
    subject: Subject,
    fetches: Fetches,
    /// What the issuer has counted.
    seen: u64,
    /// When it was asked last.
    last: Option<Instant>,
}

impl Watched {
    fn look(&mut self) -> Result<()> {
        self.subject.measure(self.subject.variant.load.connections)?;
        let count = self.world.issuer.count("/jwks");
        if count > self.seen {
            if self.last.is_none_or(|last| last.elapsed() > APART) {
                self.fetches.refreshes += 1;
            }
            self.fetches.asked += count - self.seen;
            (self.seen, self.last) = (count, Some(Instant::now()));
        }
        Ok(())
    }
}
