//! Loads one configuration out of a file.

use std::cell::RefCell;
use std::collections::BTreeSet;

use gate::Policy;

use super::environment::{Variable, environment};
use super::read::{Configuration, flaws};
use crate::document::{self, Node};
use crate::finding::{Finding, Severity};
use crate::locate::{Located, locate};

/// A configuration that the engine accepts.
#[derive(Debug)]
pub struct Loaded {
    /// Its title, where its file holds several.
    pub title: String,
    /// What the engine makes of it.
    pub policy: Policy,
    /// Its tree.
    pub tree: Node,
    /// The variables that it takes keys from, and whose values are not known here.
    pub unknown_variables: BTreeSet<String>,
}

/// Why no configuration can be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// What to do about it.
    pub message: String,
    /// The title of the configuration that `findings` are about.
    pub title: String,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// Reads the configuration in a text; the one titled `wanted`, where there are several. `variable` knows the variables
/// of the proxy's environment.
pub fn load(text: &str, wanted: Option<&str>, variable: Variable<'_>) -> Result<Loaded, Rejection> {
    let documents = document::read(text)
        .map_err(|flaw| Rejection::new("", vec![Finding::error("yaml", "", flaw.message, flaw.span)]))?;
    let located = locate(&documents);
    let found = choose(&located, wanted)?;
    let unknown = RefCell::new(BTreeSet::new());
    let environment = environment(&found.deployment.variables, variable, &unknown);
    let configuration = Configuration::read(found, text, &environment);
    let errors: Vec<_> = flaws(&documents, &located).chain(configuration.errors).collect();
    // Where readers of YAML differ, the proxy may have another configuration than this one.
    let is_certain = errors.iter().all(|finding| finding.severity != Severity::Error);
    match (configuration.policy, configuration.tree) {
        (Some(policy), Some(tree)) if is_certain => {
            Ok(Loaded { title: found.title.clone(), policy, tree, unknown_variables: unknown.take() })
        }
        _ => Err(Rejection::new(&found.title, errors)),
    }
}

fn choose<'f, 'd>(found: &'f [Located<'d>], wanted: Option<&str>) -> Result<&'f Located<'d>, Rejection> {
    let titles: Vec<_> = found.iter().map(|found| format!("`{}`", found.title)).collect();
    match (found, wanted) {
        ([], _) => Err(Rejection::of("there is no configuration of Jotgate here: see `jotgate check`")),
        ([only], None) => Ok(only),
        (_, None) => Err(Rejection::of(format!(
            "there are several configurations here: choose one with --configuration, of {}",
            titles.join(", ")
        ))),
        (_, Some(wanted)) => found.iter().find(|found| found.title == wanted).ok_or_else(|| {
            Rejection::of(format!(
                "there is no configuration called `{wanted}` here, expected one of {}",
                titles.join(", ")
            ))
        }),
    }
}

impl Rejection {
    pub(crate) fn of(message: impl Into<String>) -> Self {
        Self { message: message.into(), title: String::new(), findings: Vec::new() }
    }

    /// The findings are those that are errors.
    fn new(title: &str, mut findings: Vec<Finding>) -> Self {
        findings.retain(|finding| finding.severity == Severity::Error);
        Self { message: String::from("it cannot be used as it is"), title: title.to_string(), findings }
    }
}
