//! The engine and the proofs that were used: each request asks once whether its own was, within its own call.

use std::collections::BTreeMap;

use super::Gate;
use super::effect::RequestId;
use super::waiting::{Arrival, Awaited, Waiter};
use crate::binding::{FreshProof, OwnProofs, UsedProof, record};
use crate::capabilities::Capabilities;
use crate::shared::SharedData;
use crate::time::Timestamp;

/// What is known of the proofs of requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Proofs {
    /// Those that other VMs are to be asked about.
    asked: Vec<(RequestId, FreshProof)>,
    /// What became of them, until their request is decided.
    used: BTreeMap<RequestId, UsedProof>,
    /// Those that were used, where nothing is shared.
    own: OwnProofs,
}

impl Proofs {
    pub(super) fn wants_exchange(&self) -> bool {
        !self.asked.is_empty()
    }

    pub(super) fn of(&self, id: RequestId) -> Option<UsedProof> {
        self.used.get(&id).copied()
    }

    /// The request is decided, or gone.
    pub(super) fn forget(&mut self, id: RequestId) {
        self.used.remove(&id);
        self.asked.retain(|(asked, _)| *asked != id);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty() && self.asked.is_empty()
    }
}

impl Gate {
    /// A request whose proof holds: it goes on once the proof is remembered. That is in this very call, so it counts as
    /// none of those that wait.
    #[inline(never)]
    pub(super) fn ask_for_proof(&mut self, arrival: Arrival, proof: FreshProof, now: Timestamp) {
        let deadline = arrival.deadline(now, self.policy.limits.wait_for);
        self.waiting.insert(arrival.id, Waiter { deadline, awaits: Awaited::Proof, has_body: arrival.has_body });
        self.proofs.asked.push((arrival.id, proof));
    }

    /// Remembers the proofs that were asked about.
    #[inline(never)]
    pub(super) fn exchange_proofs(&mut self, shared: &mut dyn SharedData, capabilities: Capabilities<'_>) {
        let now = capabilities.now.since_epoch();
        let name = &self.policy.sender_constraint.proofs;
        for (id, proof) in std::mem::take(&mut self.proofs.asked) {
            let outcome = record(name, shared, &mut self.proofs.own, &proof, now);
            self.proofs.used.insert(id, UsedProof { came_as: proof.came_as, outcome });
        }
        self.wake_for(Awaited::Proof);
    }
}
