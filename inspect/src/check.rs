//! What is wrong with the configurations in a file, and the likely mistakes in them.

mod diagnostic;
mod lints;

use std::cell::RefCell;

pub use self::diagnostic::{Diagnosis, Diagnostic};
pub use self::lints::LINTS;
use crate::configuration::{Configuration, Variable, environment, flaws};
use crate::document::{self, Document};
use crate::finding::Finding;
use crate::locate::{Located, locate};

/// What was found in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// The titles of its configurations.
    pub configurations: Vec<String>,
    /// In the order of the file, each with the title of its configuration.
    pub findings: Vec<(String, Finding)>,
}

impl Checked {
    /// The same, for programs; `text` is what was checked.
    pub fn diagnosis(&self, text: &str) -> Diagnosis {
        let diagnostics = self.findings.iter().map(|(title, finding)| Diagnostic::new(text, title, finding)).collect();
        Diagnosis { configurations: self.configurations.clone(), diagnostics }
    }
}

/// Checks the configurations in a text. `variable` knows the variables of the proxy's environment.
pub fn check(text: &str, variable: Variable<'_>) -> Checked {
    let mut checked = match document::read(text) {
        Ok(documents) => check_documents(&documents, text, variable),
        Err(flaw) => {
            let finding = Finding::error("yaml", "", flaw.message, flaw.span);
            Checked { configurations: Vec::new(), findings: vec![(String::new(), finding)] }
        }
    };
    // Two configurations may share what an anchor names.
    checked.findings.sort_by_key(|(_, finding)| finding.span.start);
    checked.findings.dedup_by(|(_, one), (_, other)| one == other);
    checked
}

fn check_documents(documents: &[Document], text: &str, variable: Variable<'_>) -> Checked {
    let found = locate(documents);
    let mut findings: Vec<_> = flaws(documents, &found).map(|finding| (String::new(), finding)).collect();
    if found.is_empty() {
        let message = "there is no configuration of Jotgate here: expected one by itself (an object with `issuers`), \
                       in a WasmPlugin, TrafficExtension, EnvoyExtensionPolicy or EnvoyFilter, in Envoy's configuration, \
                       or somewhere in another document";
        findings.push((String::new(), Finding::error("no-configuration", "", message, 0..0)));
    }
    for found in &found {
        let all = check_one(found, text, variable).into_iter();
        findings.extend(all.map(|finding| (found.title.clone(), finding)));
    }
    Checked { configurations: found.into_iter().map(|found| found.title).collect(), findings }
}

fn check_one(found: &Located<'_>, text: &str, variable: Variable<'_>) -> Vec<Finding> {
    let unknown = RefCell::default();
    let environment = environment(&found.deployment.variables, variable, &unknown);
    let configuration = Configuration::read(found, text, &environment);
    let mut findings = configuration.errors;
    let tree = configuration.tree.as_ref();
    findings.extend(lints::lint(tree, configuration.policy.as_ref(), &found.deployment));
    findings
}
