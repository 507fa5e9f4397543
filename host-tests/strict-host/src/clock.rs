//! The virtual clock that everything in a proxy shares.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// A clock that moves only when the test moves it. Clones share the time.
///
/// It has two faces, like a machine's: the wall clock may jump, timers run on the one that only goes forward.
#[derive(Clone, Debug)]
pub struct Clock(Rc<Times>);

#[derive(Debug)]
struct Times {
    wall_offset: Cell<i128>,
    monotonic: Cell<u64>,
    sequence: Cell<u64>,
}

impl Clock {
    /// 2026-01-01T00:00:00Z, where a new clock stands.
    pub const START: Duration = Duration::from_hours(490_896);

    /// A clock that shows [`Clock::START`].
    pub fn new() -> Self {
        let times = Times { wall_offset: Cell::new(0), monotonic: Cell::new(0), sequence: Cell::new(0) };
        let clock = Self(Rc::new(times));
        clock.set_wall(Self::START);
        clock
    }

    /// The wall clock, since the Unix epoch.
    pub fn now(&self) -> Duration {
        let nanos = self.0.wall_offset.get() + i128::from(self.0.monotonic.get());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// Sets the wall clock, forward or back; timers do not notice.
    pub fn set_wall(&self, since_epoch: Duration) {
        let nanos = i128::try_from(since_epoch.as_nanos()).expect("a time within i128 nanoseconds");
        self.0.wall_offset.set(nanos - i128::from(self.0.monotonic.get()));
    }

    /// The clock of the timers, in nanoseconds since the test began.
    pub(crate) fn monotonic(&self) -> u64 {
        self.0.monotonic.get()
    }

    pub(crate) fn move_to(&self, monotonic: u64) {
        self.0.monotonic.set(monotonic.max(self.monotonic()));
    }

    /// Events due at the same instant run in the order in which they were made.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.0.sequence.replace(self.0.sequence.get() + 1)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// A duration in the clock's nanoseconds.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
