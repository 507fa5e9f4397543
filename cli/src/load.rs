//! The one configuration that a command works with.

use gate::Policy;

use crate::configuration::Configuration;
use crate::document::{self, Node};
use crate::find::{self, Found, Variables};
use crate::finding::{Finding, Severity};
use crate::input::{Error, Input};
use crate::render::render;

/// Stands for a key set that is not known here.
pub(crate) const SOME_KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"vNYzA3cBFyHFRPt557kQpJWoUPOULnOFQDx4MZ4A-eE"}]}"#;

/// A configuration that the engine took.
#[derive(Debug)]
pub struct Loaded {
    /// What the engine makes of it.
    pub policy: Policy,
    /// Its tree.
    pub tree: Node,
}

/// Loads the configuration in a file; the one called `wanted`, where there are several.
pub fn load(file: &Input, wanted: Option<&str>) -> Result<Loaded, Error> {
    let documents = document::read(&file.text)
        .map_err(|flaw| refuse(file, "", &[Finding::error("yaml", "", flaw.message, flaw.span)]))?;
    let found = find::find(&documents);
    let found = choose(file, &found, wanted)?;
    let environment = environment(&found.surroundings.variables);
    let configuration = Configuration::read(found, &file.text, &environment);
    match (configuration.policy, configuration.tree) {
        (Some(policy), Some(tree)) => Ok(Loaded { policy, tree }),
        _ => Err(refuse(file, &found.title, &configuration.errors)),
    }
}

fn choose<'f, 'd>(file: &Input, found: &'f [Found<'d>], wanted: Option<&str>) -> Result<&'f Found<'d>, Error> {
    let titles: Vec<_> = found.iter().map(|found| format!("`{}`", found.title)).collect();
    match (found, wanted) {
        ([], _) => Err(Error(format!("there is no configuration of Jotgate in {}: see `jotgate check`", file.name))),
        ([only], None) => Ok(only),
        (_, None) => Err(Error(format!(
            "there are several configurations in {}: choose one with --configuration, of {}",
            file.name,
            titles.join(", ")
        ))),
        (_, Some(wanted)) => found.iter().find(|found| found.title == wanted).ok_or_else(|| {
            Error(format!(
                "{} has no configuration called `{wanted}`, expected one of {}",
                file.name,
                titles.join(", ")
            ))
        }),
    }
}

/// The environment of the plugin's VM, as far as it is known. A variable that is there, and whose value nobody knows
/// here, is taken for a good key set.
pub(crate) fn environment(variables: &Variables) -> impl Fn(&str) -> Option<String> {
    |name| {
        let known = match variables {
            Variables::Unknown => Some(None),
            Variables::Known(values) => values.get(name).cloned(),
        };
        let value = |value: Option<String>| value.or_else(|| std::env::var(name).ok());
        // That one is for the plugin alone, and may be missing.
        known
            .filter(|_| name != "JOTGATE_SHARED_SECRET")
            .map(|known| value(known).unwrap_or_else(|| SOME_KEYS.to_string()))
    }
}

/// What keeps a command from working with a file.
fn refuse(file: &Input, title: &str, errors: &[Finding]) -> Error {
    let errors = errors.iter().filter(|error| error.severity == Severity::Error);
    let texts: Vec<_> = errors.map(|error| render(file, title, error)).collect();
    Error(format!("{} cannot be used as it is\n\n{}", file.name, texts.join("\n\n")))
}
