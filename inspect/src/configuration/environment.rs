//! The environment of the plugin's VM.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jose::jwk::{KeySet, Origin};

use crate::locate::Variables;

/// In place of a key set that is not known here.
const SOME_KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"}]}"#;

/// The value of a variable of the proxy's environment, by its name.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Whether these keys stand in place of a key set that is not known here.
pub(crate) fn is_stand_in(keys: &KeySet) -> bool {
    KeySet::from_json(SOME_KEYS.as_bytes(), 1, Origin::Configuration).as_ref() == Ok(keys)
}

/// The environment of the plugin's VM, as far as it is known. A variable with an unknown value is assumed to hold a valid
/// key set, and its name is added to `unknown`.
pub(crate) fn environment<'e>(
    variables: &'e Variables,
    variable: Variable<'e>,
    unknown: &'e RefCell<BTreeSet<String>>,
) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let known = match variables {
            Variables::Unknown => Some(None),
            Variables::Known(values) => values.get(name).cloned(),
        };
        // That one is for the plugin alone, and may be missing.
        let known = known.filter(|_| name != "JOTGATE_SHARED_SECRET")?;
        Some(known.or_else(|| variable(name)).unwrap_or_else(|| {
            unknown.borrow_mut().insert(name.to_string());
            SOME_KEYS.to_string()
        }))
    }
}
