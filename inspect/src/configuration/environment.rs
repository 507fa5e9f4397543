//! The environment of the plugin's VM.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jose::jwk::{KeySet, Origin};

use crate::locate::Variables;

/// In place of a key set that is not known here.
const SOME_KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"}]}"#;

/// In place of a private key (RFC 8037 App. A.1).
const SOME_KEY: &str = r#""kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

/// The value of a variable of the proxy's environment, by its name.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Whether these keys stand in place of a key set that is not known here.
pub(crate) fn is_stand_in(keys: &KeySet) -> bool {
    KeySet::from_json(SOME_KEYS.as_bytes(), 1, Origin::Configuration).as_ref() == Ok(keys)
}

/// In place of the value of a variable: it is a key set, a private key, and a secret that no other variable holds.
fn stand_in(name: &str) -> String {
    let name = serde_json::Value::from(name);
    SOME_KEYS.replacen('{', &format!("{{{SOME_KEY},\"name\":{name},"), 1)
}

/// The environment of the plugin's VM, as far as it is known. A variable with an unknown value is assumed to hold what is
/// expected of it, and its name is added to `unknown`.
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
            stand_in(name)
        }))
    }
}
