//! What the VMs of a proxy share about the keys of one issuer: an entry of the host's shared data.
//!
//! Other plugins can write there. So an entry has a name of its own, and an authentication code under a key derived
//! from the issuer's configuration and the VM's secret. Instants in it are those of the host's clock, since each VM
//! has a steady clock of its own; a reader drops what cannot be true of them.

use crate::sealing::SharedName;
use crate::time::Timestamp;

/// Four instants, the revision, the number of failures, and the kind of the last.
const HEAD: usize = 5 * 8 + 4 + 1;

/// An entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Entry {
    /// The key set, with the instant when it was fetched.
    pub(crate) keys: Option<(Vec<u8>, Timestamp)>,
    /// Larger for each further set: which of two is the newer must not depend on clocks, which may be set back.
    pub(crate) revision: u64,
    /// When the set should be fetched again, or, after failures, when the next try is due.
    pub(crate) due: Timestamp,
    /// When a fetch was last made for an unknown key.
    pub(crate) unknown_kid_fetch: Option<Timestamp>,
    /// Until when a VM holds the fetch lease.
    pub(crate) lease: Option<Timestamp>,
    /// Failures since the last good answer.
    pub(crate) failures: u32,
    /// The kind of the last of them.
    pub(crate) failure: u8,
}

impl Entry {
    /// The bytes of an entry, with their authentication code in front.
    pub(crate) fn seal(&self, name: &SharedName) -> Vec<u8> {
        let (text, fetched) = match &self.keys {
            Some((text, fetched)) => (text.as_slice(), Some(*fetched)),
            None => (&[][..], None),
        };
        let mut body = Vec::with_capacity(HEAD + text.len());
        for instant in [fetched, Some(self.due), self.unknown_kid_fetch, self.lease] {
            body.extend(instant.map_or(0, nanos).to_be_bytes());
        }
        body.extend(self.revision.to_be_bytes());
        body.extend(self.failures.to_be_bytes());
        body.push(self.failure);
        body.extend(text);
        name.seal(&body)
    }

    /// Reads an entry; `None` if it is not one of this name, as a VM with the same configuration wrote it.
    pub(crate) fn open(bytes: &[u8], name: &SharedName, max_text_bytes: usize) -> Option<Self> {
        let body = name.open(bytes, HEAD.saturating_add(max_text_bytes))?;
        let (mut head, text) = body.split_at_checked(HEAD)?;
        let mut instant = || {
            let (number, rest) = head.split_first_chunk::<8>()?;
            head = rest;
            let nanos = u64::from_be_bytes(*number);
            Some((nanos > 0).then(|| Timestamp::from_nanos(nanos)))
        };
        let (fetched, due, unknown_kid_fetch, lease) = (instant()?, instant()?, instant()?, instant()?);
        let (revision, head) = head.split_first_chunk::<8>()?;
        let (failures, head) = head.split_first_chunk::<4>()?;
        Some(Self {
            keys: fetched.map(|fetched| (text.to_vec(), fetched)),
            revision: u64::from_be_bytes(*revision),
            due: due.unwrap_or_default(),
            unknown_kid_fetch,
            lease,
            failures: u32::from_be_bytes(*failures),
            failure: *head.first()?,
        })
    }
}

pub(super) fn nanos(instant: Timestamp) -> u64 {
    u64::try_from(instant.since_epoch().as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use jose::json::Document;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const ISSUER: &str = "https://idp.example.com";
    const KEYS: &str = r#"{"jwksUri": "https://idp.example.com/jwks", "cluster": "idp"}"#;

    fn name(issuer: &str, keys: &str, secret: &str) -> SharedName {
        SharedName::new(issuer, Document::parse(keys.as_bytes()).expect("is JSON").root(), secret)
    }

    fn entry() -> Entry {
        Entry {
            keys: Some((b"{\"keys\":[]}".to_vec(), Timestamp::from_secs(1))),
            revision: 7,
            due: Timestamp::from_secs(2),
            unknown_kid_fetch: Some(Timestamp::from_secs(3)),
            lease: Some(Timestamp::from_secs(4)),
            failures: 5,
            failure: 6,
        }
    }

    #[test]
    fn what_was_sealed_can_be_opened() {
        let name = name(ISSUER, KEYS, "");
        for entry in [entry(), Entry::default()] {
            assert_eq!(Entry::open(&entry.seal(&name), &name, 100), Some(entry));
        }
    }

    #[test]
    fn an_entry_that_was_changed_anywhere_is_rejected() {
        let name = name(ISSUER, KEYS, "");
        let good = entry().seal(&name);
        for index in 0..good.len() {
            let mut bad = good.clone();
            *bad.get_mut(index).expect("is inside") ^= 1;
            assert_eq!(Entry::open(&bad, &name, 100), None, "byte {index}");
            assert_eq!(Entry::open(good.get(..index).expect("is inside"), &name, 100), None, "cut at {index}");
        }
        assert_eq!(Entry::open(&[good.as_slice(), b" "].concat(), &name, 100), None);
        assert_eq!(Entry::open(&good, &name, 5), None, "over size");
    }

    #[test]
    fn entries_belong_to_an_issuer_its_keys_and_the_secret() {
        let own = name(ISSUER, KEYS, "");
        let respelled = name(ISSUER, r#"{ "cluster":"idp","jwksUri":"https:\/\/idp.example.com/jwks"}"#, "");
        assert_eq!(own, respelled, "the order and spelling of members do not matter");
        for other in [
            name("https://other.example.com", KEYS, ""),
            name(ISSUER, r#"{"jwksUri": "https://idp.example.com/jwks", "cluster": "other"}"#, ""),
            name(ISSUER, r#"{"jwksUri": "https://idp.example.com/jwks", "cluster": "idp", "timeout": "5s"}"#, ""),
            name(ISSUER, KEYS, "secret"),
        ] {
            assert_ne!(own.as_str(), other.as_str());
            assert_eq!(Entry::open(&entry().seal(&other), &own, 100), None);
        }
        assert!(own.as_str().starts_with("jotgate.keys.2."), "{}", own.as_str());
        assert!(!format!("{own:?}").contains("key:"), "{own:?}");
    }
}
