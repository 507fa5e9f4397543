//! The engine and the proofs that were used: each request asks once whether its own was, within its own call.

use super::Gate;
use super::waiting::{Arrival, Awaited, Waiter};
use crate::binding::{FreshProof, UsedProof, record};
use crate::capabilities::Capabilities;
use crate::http::{HeaderEdit, HeaderLine};
use crate::sessions::is_shared;
use crate::shared::SharedData;
use crate::time::Timestamp;

const NONCE_HEADER: &str = "dpop-nonce";

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
            let FreshProof { came_as, has_old_nonce, .. } = proof;
            self.proofs.used.insert(id, UsedProof { came_as, outcome, has_old_nonce });
        }
        self.wake_for(Awaited::Proof);
    }

    /// Adds a new nonce to the response to a request whose own will not be good for long (RFC 9449 §8.2). Out of a cache
    /// that others share it would be an old one.
    #[inline(never)]
    pub(super) fn add_nonce(&self, response: &[HeaderLine<'_>], now: Timestamp, edits: &mut Vec<HeaderEdit>) {
        let nonces = self.policy.sender_constraint.dpop.as_ref().and_then(|dpop| dpop.nonces.as_ref());
        let nonce = nonces.filter(|_| !is_shared(response)).and_then(|nonces| nonces.make(now));
        // §8: there is never more than one; the upstream, which gets no proofs, has none to ask for.
        edits.extend(nonce.map(|nonce| HeaderEdit::Set(NONCE_HEADER, nonce.into_bytes())));
    }
}
