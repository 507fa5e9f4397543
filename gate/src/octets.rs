//! Fields in a row: how the gate writes what only it reads again.
//!
//! Numbers are big-endian. A field whose length may differ stands behind its length, in four octets, so that no other
//! fields give the same octets.

use crate::time::Timestamp;

/// Adds a field, behind its length.
pub(crate) fn put(octets: &mut Vec<u8>, field: &[u8]) {
    // No field has 4 GiB: Wasm has no more for everything.
    octets.extend(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
    octets.extend(field);
}

/// Adds an instant, in whole seconds.
pub(crate) fn put_instant(octets: &mut Vec<u8>, instant: Timestamp) {
    octets.extend(instant.since_epoch().as_secs().to_be_bytes());
}

/// Fields that are read in the order in which they were written; `None` where there is no such field.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'o>(&'o [u8]);

impl<'o> Fields<'o> {
    pub(crate) const fn new(octets: &'o [u8]) -> Self {
        Self(octets)
    }

    /// A field of `N` octets.
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    /// A field behind its length.
    pub(crate) fn field(&mut self) -> Option<&'o [u8]> {
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    /// A field behind its length, if it is text.
    pub(crate) fn text(&mut self) -> Option<&'o str> {
        std::str::from_utf8(self.field()?).ok()
    }

    pub(crate) fn instant(&mut self) -> Option<Timestamp> {
        Some(Timestamp::from_secs(u64::from_be_bytes(self.array()?)))
    }

    /// Whether nothing is left.
    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn fields_are_read_as_they_were_written() {
        let mut octets = vec![7];
        put(&mut octets, b"text");
        put_instant(&mut octets, Timestamp::from_nanos(1_999_999_999));
        put(&mut octets, b"");
        let mut fields = Fields::new(&octets);
        assert_eq!(fields.array(), Some([7]));
        assert_eq!(fields.text(), Some("text"));
        assert_eq!(fields.instant(), Some(Timestamp::from_secs(1)));
        assert!(!fields.is_empty());
        assert_eq!(fields.field(), Some(&b""[..]));
        assert!(fields.is_empty());
    }

    #[test]
    fn what_is_cut_or_no_text_is_no_field() {
        assert_eq!(Fields::new(b"").array::<1>(), None);
        assert_eq!(Fields::new(b"\0\0\0").field(), None);
        assert_eq!(Fields::new(b"\0\0\0\x02a").field(), None);
        assert_eq!(Fields::new(b"\xff\xff\xff\xffa").field(), None);
        assert_eq!(Fields::new(b"\0\0\0\x01\xff").text(), None);
        assert_eq!(Fields::new(&[0; 7]).instant(), None);
    }
}
