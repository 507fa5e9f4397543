//! Octets in hexadecimal, for names and logs.

use std::fmt::Write as _;

/// Two lower-case digits for each octet.
pub(crate) fn encode(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
