//! Randomness, which the engine does not make: the host draws it, or seeds it.

use std::fmt;

use std::time::Duration;

/// What draws octets that nobody can guess.
pub trait Randomness {
    /// Fills `octets` from a cryptographic generator.
    fn fill(&self, octets: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The host has no generator, or it failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoRandomness;

impl std::error::Error for NoRandomness {}

impl fmt::Display for NoRandomness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the host has no random generator, or it fails")
    }
}

/// A host without a generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoGenerator;

impl Randomness for NoGenerator {
    fn fill(&self, _: &mut [u8]) -> Result<(), NoRandomness> {
        Err(NoRandomness)
    }
}

/// `N` octets that nobody can guess.
pub(crate) fn draw<const N: usize>(random: &dyn Randomness) -> Result<[u8; N], NoRandomness> {
    let mut octets = [0; N];
    random.fill(&mut octets)?;
    Ok(octets)
}

/// `SplitMix64`: enough to keep proxies from asking an issuer in step; never for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A duration below a tenth of `duration`.
    pub(crate) fn tenth_of(&mut self, duration: Duration) -> Duration {
        let thousandths = u32::try_from(self.next() % 1000).unwrap_or(0);
        duration / 10_000 * thousandths
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
