//! The sessions whose users have logged out, for VMs that hold connections of theirs: the latest of them.
//!
//! ```text
//! version (1), and of each session: id (16)
//! ```

use zeroize::Zeroizing;

use crate::octets::Fields;

const VERSION: u8 = 1;
/// How many are kept: connections are closed within seconds.
const MOST: usize = 256;

/// The sessions that have ended, the latest last.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Ended(Vec<[u8; 16]>);

impl Ended {
    /// What an entry says; octets that are none say nothing.
    pub(super) fn new(octets: &[u8]) -> Self {
        Self(decode(octets).unwrap_or_default())
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&[VERSION], self.0.as_flattened()].concat())
    }

    /// Adds one, in place of the oldest if there are too many.
    pub(super) fn add(&mut self, id: [u8; 16]) {
        self.0.retain(|known| *known != id);
        self.0.push(id);
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
    }

    pub(super) fn into_ids(self) -> Vec<[u8; 16]> {
        self.0
    }
}

fn decode(octets: &[u8]) -> Option<Vec<[u8; 16]>> {
    let mut fields = Fields::new(octets);
    let [VERSION] = fields.array()? else { return None };
    let mut ids = Vec::new();
    while !fields.is_empty() {
        ids.push(fields.array()?);
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_latest_are_kept_each_once() {
        let mut ended = Ended::default();
        for id in (0..=255).chain([7, 7]) {
            ended.add([id; 16]);
        }
        ended.add([1; 16]);
        ended.add([0xff; 16]);
        let ids = Ended::new(&ended.encode()).into_ids();
        assert_eq!((ids.len(), ids.first(), ids.last()), (256, Some(&[0; 16]), Some(&[0xff; 16])));
        ended.add([3; 16]);
        (0..256_u16)
            .for_each(|id| ended.add([[0xee; 14].as_slice(), &id.to_be_bytes()].concat().try_into().expect("16")));
        assert_eq!(ended.into_ids().len(), MOST);
    }

    #[test]
    fn other_octets_are_no_list() {
        for octets in [&[][..], &[2], &[VERSION, 1], &[VERSION; 16], &[VERSION; 18]] {
            assert_eq!(Ended::new(octets), Ended::default(), "{octets:?}");
        }
    }
}
