//! The session's secrets, which are replaced in three steps: a new one is added, then it seals, then the old one goes.

use super::setup::MOST_SECRETS;
use gate::Timestamp;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    /// There is one.
    One,
    /// The new one opens.
    Added,
    /// The new one seals.
    First,
}

/// The secrets that VMs are to have.
#[derive(Debug)]
pub(super) struct Secrets {
    newest: usize,
    step: Step,
    /// When the last VM had the newest as the first.
    pub(super) seals_since: Timestamp,
}

impl Secrets {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { newest: 0, step: Step::One, seals_since: now }
    }

    pub(super) fn current(&self) -> Vec<usize> {
        match self.step {
            Step::One => vec![self.newest],
            Step::Added => vec![self.newest - 1, self.newest],
            Step::First => vec![self.newest, self.newest - 1],
        }
    }

    /// The next step; `false`: there are no more secrets.
    pub(super) fn advance(&mut self) -> bool {
        self.step = match self.step {
            Step::One if self.newest + 1 >= MOST_SECRETS => return false,
            Step::One => {
                self.newest += 1;
                Step::Added
            }
            Step::Added => Step::First,
            Step::First => Step::One,
        };
        true
    }

    /// There is a new secret, and no old one.
    pub(super) fn replace(&mut self) -> bool {
        let has_more = self.newest + 1 < MOST_SECRETS;
        if has_more {
            self.newest += 1;
        }
        has_more
    }

    /// Whether the step that is taken now makes the newest the first, everywhere.
    pub(super) fn begins_to_seal(&self) -> bool {
        self.step == Step::First
    }
}
