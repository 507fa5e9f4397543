//! What is known of proofs of possession, by the requests that they came with.

use std::collections::{BTreeMap, BTreeSet};

use super::effect::RequestId;
use crate::binding::{FreshProof, OwnProofs, ProofUse, UsedProof};

/// What is known of the proofs of requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Proofs {
    /// Those that other VMs are to be asked about.
    pub(super) asked: Vec<(RequestId, FreshProof)>,
    /// What became of them, until their request is decided.
    pub(super) used: BTreeMap<RequestId, UsedProof>,
    /// Those that were used, where nothing is shared.
    pub(super) own: OwnProofs,
    /// The requests that passed with a nonce which is old by now: the response to each has a new one.
    pub(super) renewing: BTreeSet<RequestId>,
}

impl Proofs {
    pub(super) fn wants_exchange(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(super) fn of(&self, id: RequestId) -> Option<UsedProof> {
        self.used.get(&id).copied()
    }

    /// The request is decided.
    #[inline(never)]
    pub(super) fn decided(&mut self, id: RequestId, passes: bool) {
        let used = self.of(id).filter(|used| used.outcome == ProofUse::First && used.has_old_nonce);
        self.forget(id);
        if passes && used.is_some() {
            self.renewing.insert(id);
        }
    }

    /// The request is gone.
    pub(super) fn forget(&mut self, id: RequestId) {
        self.used.remove(&id);
        self.asked.retain(|(asked, _)| *asked != id);
        self.renewing.remove(&id);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty() && self.asked.is_empty() && self.renewing.is_empty()
    }
}
