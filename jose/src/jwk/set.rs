//! JWK sets (RFC 7517 §5).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::error::KeyError;
use super::key::VerificationKey;
use super::origin::Origin;
use super::work::MAX_WORK;
use crate::Algorithm;
use crate::json::{self, Kind, Value};
use crate::signature::CheckedBy;

/// How many keys may fit one token: trying more would let a key set decide what a request costs.
const MAX_CANDIDATES: usize = 5;

/// The keys of an issuer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
}

/// An entry of a set that is no key to verify with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SkippedKey {
    /// Its index in `keys`.
    pub index: usize,
    /// Its `kid`, where that is a string and not empty.
    pub kid: Option<String>,
    /// Why it was skipped.
    pub error: KeyError,
}

/// The keys that may have signed a token.
#[derive(Debug, Eq, PartialEq)]
pub enum Candidates<'k> {
    /// At least one, at most five.
    Keys(Vec<&'k VerificationKey>),
    /// No key has this `kid`, or, without one, allows the algorithm; nor does a key without `kid` fit.
    None,
    /// Keys that only a host may verify with, and it does not.
    TooLarge,
    /// More keys than are tried.
    TooMany,
    /// Several keys, and trying all of them would take more work than is done for one token.
    TooMuchWork,
    /// Keys have this `kid`, but none of them allows the algorithm.
    WrongAlgorithm,
}

impl KeySet {
    /// Reads the text of a set of at most `max_keys` entries. Needs one usable key.
    ///
    /// Members that occur twice spoil the key that they belong to; next to `keys` they spoil the set.
    pub fn from_json(text: &[u8], max_keys: usize, origin: Origin) -> Result<Self, KeySetError> {
        let document = json::Document::parse_keeping_duplicates(text).map_err(KeySetError::Json)?;
        Self::from_value(document.root(), max_keys, origin)
    }

    /// Reads a set of at most `max_keys` entries that is part of a larger text. Needs one usable key.
    pub fn from_value(set: Value<'_>, max_keys: usize, origin: Origin) -> Result<Self, KeySetError> {
        if set.repeats_a_member() {
            return Err(KeySetError::DuplicateMember);
        }
        let entries = set.get("keys").filter(|keys| keys.kind() == Kind::Array).ok_or(KeySetError::NoKeys)?;
        let count = entries.elements().count();
        if count > max_keys {
            return Err(KeySetError::TooManyKeys { count, max: max_keys });
        }
        let mut keys = Self::default();
        for (index, entry) in entries.elements().enumerate() {
            match VerificationKey::from_jwk(entry, origin) {
                Ok(key) if keys.keys.contains(&key) => {}
                Ok(key) => keys.keys.push(key),
                Err(error) => {
                    let kid = entry.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty());
                    let kid = kid.map(ToString::to_string);
                    keys.skipped.push(SkippedKey { index, kid, error });
                }
            }
        }
        if keys.keys.is_empty() {
            return Err(KeySetError::NoUsableKey { skipped: keys.skipped });
        }
        Ok(keys)
    }

    /// The usable keys.
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// The entries that were skipped.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The keys that only a host may verify with.
    pub fn large_keys(&self) -> impl Iterator<Item = &VerificationKey> {
        self.keys.iter().filter(|key| key.material().is_for_hosts_alone())
    }

    /// The keys that a token with this `kid` and algorithm may have been signed with, where signatures of that
    /// algorithm are checked by `checked_by`.
    pub fn candidates(&self, kid: Option<&str>, algorithm: Algorithm, checked_by: CheckedBy) -> Candidates<'_> {
        self.candidates_among(kid, algorithm, checked_by, |_| true)
    }

    /// The same, of the keys that `serves` takes: the others are not there for this token, but their `kid` is taken.
    pub fn candidates_among(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        checked_by: CheckedBy,
        serves: impl Fn(&VerificationKey) -> bool,
    ) -> Candidates<'_> {
        let named = || self.keys.iter().filter(|key| (kid.is_none() || key.kid() == kid) && serves(key));
        if kid.is_some() && !self.has_kid(kid) {
            // Keys without a name may serve a token that names an unknown one. If they do not, there may be a newer set.
            let unnamed = self.keys.iter().filter(|key| key.kid().is_none() && serves(key));
            return match pick(unnamed, algorithm, checked_by) {
                Candidates::Keys(keys) => Candidates::Keys(keys),
                _ => Candidates::None,
            };
        }
        match pick(named(), algorithm, checked_by) {
            Candidates::None if kid.is_some() && (named().next().is_some() || self.has_skipped(kid)) => {
                Candidates::WrongAlgorithm
            }
            found => found,
        }
    }

    fn has_kid(&self, kid: Option<&str>) -> bool {
        self.keys.iter().any(|key| key.kid() == kid) || self.has_skipped(kid)
    }

    fn has_skipped(&self, kid: Option<&str>) -> bool {
        self.skipped.iter().any(|key| key.kid.as_deref() == kid)
    }
}

/// Those of `keys` that may be tried.
fn pick<'k>(
    keys: impl Iterator<Item = &'k VerificationKey>,
    algorithm: Algorithm,
    checked_by: CheckedBy,
) -> Candidates<'k> {
    let mut is_too_large = false;
    let keys: Vec<_> = keys
        .filter(|key| key.allows(algorithm))
        .filter(|key| {
            let is_fit = checked_by == CheckedBy::Host || !key.material().is_for_hosts_alone();
            is_too_large |= !is_fit;
            is_fit
        })
        .collect();
    let work = || keys.iter().map(|key| key.material().work(checked_by)).sum::<u64>();
    match keys.len() {
        0 if is_too_large => Candidates::TooLarge,
        0 => Candidates::None,
        // What is a key can be used: a single one is tried, whatever it costs.
        2..=MAX_CANDIDATES if work() > MAX_WORK => Candidates::TooMuchWork,
        1..=MAX_CANDIDATES => Candidates::Keys(keys),
        _ => Candidates::TooMany,
    }
}

/// Why a text is no key set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySetError {
    /// A member next to `keys` occurs twice.
    DuplicateMember,
    /// It is not acceptable JSON.
    Json(json::Error),
    /// It is no object with an array `keys`.
    NoKeys,
    /// No entry is a key to verify with.
    NoUsableKey {
        /// The entries, each with what is wrong with it.
        skipped: Vec<SkippedKey>,
    },
    /// It holds more entries than are accepted.
    TooManyKeys {
        /// The entries found.
        count: usize,
        /// The entries accepted.
        max: usize,
    },
}

impl core::error::Error for KeySetError {}

impl fmt::Display for KeySetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateMember => formatter.write_str("a member of it occurs twice"),
            Self::Json(error) => write!(formatter, "it is not strict JSON: {error}"),
            Self::NoKeys => formatter.write_str("it is not an object with a list `keys`"),
            Self::NoUsableKey { skipped } => {
                formatter.write_str("it holds no usable key")?;
                skipped.iter().take(3).try_for_each(|key| write!(formatter, "; {key}"))
            }
            Self::TooManyKeys { count, max } => write!(formatter, "it holds {count} keys, more than {max}"),
        }
    }
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "keys[{}]: {}", self.index, self.error)
    }
}
