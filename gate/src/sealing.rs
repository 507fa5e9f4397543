//! What the gate writes where others can write, too: under a name of its own, with a code that only it can make.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jose::json::{Kind, Value};
use jose::sorting::sort_by;
use sha2::Sha256;

use jose::hex;

/// Stands in names and under the codes: an entry of another format is one of another name.
const FORMAT: &str = "jotgate.keys.2.";
/// The same, of the proofs that were used.
const PROOFS: &str = "jotgate.proofs.1.";
const CODE: usize = 32;

/// The name of an issuer's entry, and the key that authenticates it.
#[derive(Clone, Eq, PartialEq)]
pub struct SharedName {
    name: String,
    key: [u8; CODE],
}

impl fmt::Debug for SharedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SharedName").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SharedName {
    /// The name for an issuer, from what its configuration says of itself and its keys; nothing else takes part, so
    /// that a configuration with other rules finds the keys again.
    pub(crate) fn new(issuer: &str, keys: Value<'_>, secret: &str) -> Self {
        let mut identity = serde_json::Value::from(issuer).to_string();
        write_canonical(keys, &mut identity);
        Self::of(FORMAT, &identity, secret)
    }

    /// What the names of the entries for proofs begin with: the same for whatever configuration.
    pub(crate) fn of_proofs(secret: &str) -> Self {
        Self::of(PROOFS, "", secret)
    }

    fn of(format: &str, identity: &str, secret: &str) -> Self {
        let root = authentication_code(secret.as_bytes(), &[format.as_bytes(), identity.as_bytes()]);
        let hash = authentication_code(&root, &[b"name"]);
        let name = [format, &hex::encode(&hash[..16])].concat();
        Self { name, key: authentication_code(&root, &[b"authentication"]) }
    }

    /// A code for `text` that only who seals under this name can make.
    pub(crate) fn code(&self, text: &[u8]) -> [u8; CODE] {
        authentication_code(&self.key, &[b"code", text])
    }

    /// The name of the entry in the host's shared data.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// The bytes of an entry: `body`, with its authentication code in front.
    pub(crate) fn seal(&self, body: &[u8]) -> Vec<u8> {
        [&authentication_code(&self.key, &[body]), body].concat()
    }

    /// The body of an entry of at most `max_bytes`; `None` if it was not sealed under this name.
    pub(crate) fn open<'b>(&self, bytes: &'b [u8], max_bytes: usize) -> Option<&'b [u8]> {
        let (code, body) = bytes.split_at_checked(CODE)?;
        (body.len() <= max_bytes && is_authentic(code, body, &self.key)).then_some(body)
    }
}

fn authentication_code(key: &[u8], parts: &[&[u8]]) -> [u8; CODE] {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn is_authentic(code: &[u8], body: &[u8], key: &[u8]) -> bool {
    keyed(key).chain_update(body).verify_slice(code).is_ok()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("takes any key")
}

/// Writes a value in one spelling: members by name, no blanks. It nests no deeper than the parser allows.
fn write_canonical(value: Value<'_>, text: &mut String) {
    match value.kind() {
        Kind::Object => {
            let mut members: Vec<_> = value.members().collect();
            sort_by(&mut members, |(one, _), (other, _)| one.cmp(other));
            text.push('{');
            for (name, value) in members {
                text.push_str(&serde_json::Value::from(name).to_string());
                text.push(':');
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Kind::Array => {
            text.push('[');
            for element in value.elements() {
                write_canonical(element, text);
                text.push(',');
            }
            text.push(']');
        }
        Kind::String => text.push_str(&serde_json::Value::from(value.as_str().unwrap_or_default()).to_string()),
        Kind::Number => text.push_str(value.as_number().map_or("", |number| number.text())),
        Kind::Bool => text.push_str(if value.as_bool() == Some(true) { "true" } else { "false" }),
        Kind::Null => text.push_str("null"),
    }
}
