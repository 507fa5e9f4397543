//! The engine and the proofs that were used: each request asks once whether its own was, within its own call.

use super::Gate;
use super::waiting::{Arrival, Awaited, Waiter};
use crate::binding::{FreshProof, UsedProof, record};
use crate::capabilities::Capabilities;
use crate::shared::SharedData;
use crate::time::Timestamp;

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
