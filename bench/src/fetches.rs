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

/// How old keys get: native asks again with the next request then, the plugin in the background.
const REFRESH: Duration = Duration::from_secs(2);
/// The plugin waits up to a tenth longer.
const LONGEST: Duration = Duration::from_millis(2200);
/// Fetches closer together than this belong to one refresh.
const APART: Duration = Duration::from_millis(700);
/// Between requests on a connection.
const PAUSE: Duration = Duration::from_millis(20);

/// A variant, and what it fetched.
#[derive(Debug)]
pub(crate) struct Fetches {
    pub(crate) variant: Variant,
    pub(crate) refreshes: u64,
    pub(crate) fetches: u64,
}

/// Lets all variants refresh their keys so many times after the first, with requests for every worker all the while.
pub(crate) fn measure(refreshes: u32) -> Result<Vec<Fetches>> {
    let mut watched = Vec::new();
    for variant in with_fetches() {
        step(format!("starting Envoy: {}", variant.title));
        // An issuer for each, so that it is plain who asks.
        let world = World::with(vec![Algorithm::ES256], REFRESH)?;
        let subject = Subject::start(&world, &variant)?;
        watched.push(Watched { world, subject, fetches: Fetches { variant, refreshes: 0, fetches: 0 }, last: None });
    }
    let until = Instant::now() + LONGEST * refreshes;
    step(format!("{refreshes} refreshes of keys"));
    while Instant::now() < until {
        for watched in &mut watched {
            watched.look()?;
        }
        thread::sleep(PAUSE);
    }
    watched.iter().try_for_each(|watched| check::answers(&watched.world, &watched.subject))?;
    Ok(watched.into_iter().map(|watched| watched.fetches).collect())
}

struct Watched {
    world: World,
    subject: Subject,
    fetches: Fetches,
    /// When it fetched last.
    last: Option<Instant>,
}

impl Watched {
    fn look(&mut self) -> Result<()> {
        self.subject.measure(self.subject.variant.load.connections)?;
        let count = self.world.issuer.count("/jwks");
        if count > self.fetches.fetches {
            if self.last.is_none_or(|last| last.elapsed() > APART) {
                self.fetches.refreshes += 1;
            }
            self.fetches.fetches = count;
            self.last = Some(Instant::now());
        }
        Ok(())
    }
}
