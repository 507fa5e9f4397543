//! The one configuration that a command works with.

use std::cell::RefCell;
use std::collections::BTreeSet;

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
    /// What it is called, where its file holds several.
    pub title: String,
    /// What the engine makes of it.
    pub policy: Policy,
    /// Its tree.
    pub tree: Node,
    /// The variables that it takes keys from, and whose values are not known here.
    pub unknown_variables: BTreeSet<String>,
}

/// Why there is none to work with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// What is to be done about it.
    pub message: String,
    /// The title of the configuration that `findings` are about.
    pub title: String,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Loads the configuration in a file; the one called `wanted`, where there are several.
pub fn load(file: &Input, wanted: Option<&str>) -> Result<Loaded, Error> {
    let variable = |name: &str| std::env::var(name).ok();
    read(&file.text, wanted, &variable).map_err(|refusal| refusal.render(file))
}

/// Reads the configuration in a text; the one called `wanted`, where there are several. `variable` knows the variables
/// of the proxy's environment.
pub fn read(text: &str, wanted: Option<&str>, variable: Variable<'_>) -> Result<Loaded, Refusal> {
    let documents = document::read(text)
        .map_err(|flaw| Refusal::new("", vec![Finding::error("yaml", "", flaw.message, flaw.span)]))?;
    let found = find::find(&documents);
    let found = choose(&found, wanted)?;
    let unknown = RefCell::new(BTreeSet::new());
    let environment = environment(&found.surroundings.variables, variable, &unknown);
    let configuration = Configuration::read(found, text, &environment);
    match (configuration.policy, configuration.tree) {
        (Some(policy), Some(tree)) => {
            Ok(Loaded { title: found.title.clone(), policy, tree, unknown_variables: unknown.take() })
        }
        _ => Err(Refusal::new(&found.title, configuration.errors)),
    }
}

fn choose<'f, 'd>(found: &'f [Found<'d>], wanted: Option<&str>) -> Result<&'f Found<'d>, Refusal> {
    let titles: Vec<_> = found.iter().map(|found| format!("`{}`", found.title)).collect();
    match (found, wanted) {
        ([], _) => Err(Refusal::of("there is no configuration of Jotgate here: see `jotgate check`")),
        ([only], None) => Ok(only),
        (_, None) => Err(Refusal::of(format!(
            "there are several configurations here: choose one with --configuration, of {}",
            titles.join(", ")
        ))),
        (_, Some(wanted)) => found.iter().find(|found| found.title == wanted).ok_or_else(|| {
            Refusal::of(format!(
                "there is no configuration called `{wanted}` here, expected one of {}",
                titles.join(", ")
            ))
        }),
    }
}

impl Refusal {
    pub(crate) fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), title: String::new(), findings: Vec::new() }
    }

    /// The findings are those that are errors.
    fn new(title: &str, mut findings: Vec<Finding>) -> Self {
        findings.retain(|finding| finding.severity == Severity::Error);
        Self { message: String::from("it cannot be used as it is"), title: title.to_string(), findings }
    }

    /// What keeps a command from working with `file`.
    pub fn render(&self, file: &Input) -> Error {
        let texts = self.findings.iter().map(|finding| render(file, &self.title, finding));
        let parts: Vec<_> = std::iter::once(format!("{}: {}", file.name, self.message)).chain(texts).collect();
        Error(parts.join("\n\n"))
    }
}

/// The value of a variable of the proxy's environment, by its name.
pub type Variable<'v> = &'v dyn Fn(&str) -> Option<String>;

/// The environment of the plugin's VM, as far as it is known. A variable that is there, and whose value nobody knows
/// here, is taken for a good key set, and its name goes to `unknown`.
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
