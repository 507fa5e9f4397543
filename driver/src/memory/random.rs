//! Octets that look random, and are the same in each run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gate::{NoRandomness, Randomness};

/// A sequence of octets, the same for the same seed. Clones draw from one sequence. Only for tests: it can be guessed.
#[derive(Clone, Debug)]
pub struct Sequence(Option<Arc<AtomicU64>>);

impl Sequence {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(seed))))
    }

    /// A generator that fails.
    pub const fn failing() -> Self {
        Self(None)
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Randomness for Sequence {
    /// `SplitMix64`.
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.0.as_ref().ok_or(NoRandomness)?;
        for chunk in octets.chunks_mut(8) {
            let mut mixed = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let drawn = (mixed ^ (mixed >> 31)).to_le_bytes();
            chunk.iter_mut().zip(drawn).for_each(|(octet, drawn)| *octet = drawn);
        }
        Ok(())
    }
}
