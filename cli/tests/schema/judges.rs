//! The two that check configurations: the schema, and the engine.

use std::sync::LazyLock;

use cli::schema::schema;
use gate::Policy;
use inspect::document::JsonText;
use jsonschema::Validator;
use serde_json::Value;

use crate::world::{KEYS, PRIVATE_KEY};

/// The schema, as a value.
pub(crate) fn schema_value() -> Value {
    serde_json::from_str(&JsonText::new(&schema()).text).expect("the schema is JSON")
}

/// Compiling the schema takes longer than most that is asked of it.
pub(crate) static JUDGES: LazyLock<Judges> = LazyLock::new(|| {
    let schema = schema_value();
    jsonschema::meta::validate(&schema).expect("the schema is one of draft 2020-12");
    Judges { validator: jsonschema::draft202012::new(&schema).expect("the schema can be used") }
});

pub(crate) struct Judges {
    validator: Validator,
}

/// Which of them accept a configuration.
pub(crate) struct Verdicts {
    pub(crate) schema: bool,
    pub(crate) engine: bool,
}

impl Judges {
    /// What the schema finds wrong.
    pub(crate) fn schema(&self, config: &Value) -> Result<(), String> {
        let errors: Vec<_> =
            self.validator.iter_errors(config).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
    }

    /// Which of them accept `config`. The schema never rejects what the engine accepts.
    pub(crate) fn agree(&self, config: &Value) -> Verdicts {
        let verdicts = Verdicts { schema: self.validator.is_valid(config), engine: engine(config).is_ok() };
        if let Verdicts { schema: false, engine: true } = verdicts {
            panic!("the schema rejects what the engine accepts: {:?}\n{config}", self.schema(config));
        }
        verdicts
    }

    /// Both accept `config`.
    pub(crate) fn take(&self, config: &Value) {
        assert_eq!((self.schema(config), engine(config)), (Ok(()), Ok(())), "{config}");
    }
}

/// What the engine finds wrong.
pub(crate) fn engine(config: &Value) -> Result<(), String> {
    let env = |name: &str| match name {
        "JWKS" => Some(KEYS.to_string()),
        "INTROSPECTION_TOKEN" => Some(String::from("a-token-for-tests")),
        "OIDC_PRIVATE_KEY" | "NEXT_SIGNING_KEY" | "SIGNING_KEY" => Some(PRIVATE_KEY.to_string()),
        name if name.contains("SECRET") => Some(format!("{name}-is-a-secret-for-tests-of-32-octets")),
        name => name.starts_with("KEYS_").then(|| KEYS.to_string()),
    };
    Policy::parse(config.to_string().as_bytes(), &env).map(drop).map_err(|errors| errors.to_string())
}
