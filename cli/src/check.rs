//! `jotgate check`: what is wrong with the configurations in files, and what may not be meant.

mod lints;
mod report;

use std::cell::RefCell;

use crate::arguments::Check;
use crate::configuration::Configuration;
use crate::diagnostic::{Diagnosis, Diagnostic};
use crate::document::{self, Document, Flaw};
use crate::find::{self, Found, Reader};
use crate::finding::{Finding, Severity};
use crate::input::{self, Input};
use crate::load::{Variable, environment};
use crate::{Outcome, STATUS_TROUBLE};

pub use self::lints::LINTS;

/// What is to be said of a file.
#[derive(Debug)]
struct Checked {
    file: Input,
    /// The titles of its configurations.
    configurations: Vec<String>,
    /// In the order of the file, each with the title of its configuration.
    findings: Vec<(String, Finding)>,
}

/// Checks files.
pub fn run(asked: &Check) -> Result<Outcome, input::Error> {
    let unknown = asked.allow.iter().find(|name| !LINTS.iter().any(|(lint, _)| lint == name));
    if let Some(name) = unknown {
        let known: Vec<_> = LINTS.iter().map(|(lint, _)| *lint).collect();
        return Err(input::Error(format!(
            "--allow: no warning is called `{name}`, expected one of {}",
            known.join(", ")
        )));
    }
    let files = asked.files.iter().map(|file| input::read(file)).collect::<Result<Vec<_>, _>>()?;
    let checked: Vec<_> = files.into_iter().map(|file| check(file, asked)).collect();
    let all = || checked.iter().flat_map(|checked| &checked.findings);
    let is_fine = all().all(|(_, finding)| finding.severity == Severity::Warning);
    let output = if asked.json { report::json(&checked) } else { report::text(&checked) };
    Ok(Outcome { output, aside: None, status: if is_fine { 0 } else { STATUS_TROUBLE } })
}

fn check(file: Input, asked: &Check) -> Checked {
    let (configurations, mut findings) = findings(&file.text, &|name| std::env::var(name).ok());
    findings.retain(|(_, finding)| !asked.allow.iter().any(|name| name == finding.name));
    if asked.strict {
        for (_, finding) in &mut findings {
            finding.severity = Severity::Error;
        }
    }
    Checked { file, configurations, findings }
}

/// What is to be said of a text: no file is read for it.
pub fn diagnose(text: &str) -> Diagnosis {
    let (configurations, findings) = findings(text, &|_| None);
    let diagnostics = findings.iter().map(|(title, finding)| Diagnostic::new(text, title, finding)).collect();
    Diagnosis { configurations, diagnostics }
}

/// The titles of the configurations in a text, and the findings in its order, each with the title of its configuration.
fn findings(text: &str, variable: Variable<'_>) -> (Vec<String>, Vec<(String, Finding)>) {
    let (configurations, mut findings) = match document::read(text) {
        Ok(documents) => check_documents(&documents, text, variable),
        Err(flaw) => (Vec::new(), vec![(String::new(), Finding::error("yaml", "", flaw.message, flaw.span))]),
    };
    // Two configurations may share what an anchor names.
    findings.sort_by_key(|(_, finding)| finding.span.start);
    findings.dedup_by(|(_, one), (_, other)| one == other);
    (configurations, findings)
}

fn check_documents(
    documents: &[Document],
    text: &str,
    variable: Variable<'_>,
) -> (Vec<String>, Vec<(String, Finding)>) {
    let found = find::find(documents);
    let reader = found.iter().map(|found| found.surroundings.reader).find(|reader| *reader != Reader::Any);
    let flaws = documents.iter().flat_map(|document| &document.flaws);
    let mut findings: Vec<_> =
        flaws.filter_map(|flaw| Some((String::new(), of_flaw(flaw, reader.unwrap_or(Reader::Any))?))).collect();
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
    (found.into_iter().map(|found| found.title).collect(), findings)
}

fn of_flaw(flaw: &Flaw, reader: Reader) -> Option<Finding> {
    let severity = reader.minds(flaw.odd)?;
    Some(Finding { severity, ..Finding::error("yaml", "", &flaw.message, flaw.span.clone()) })
}

fn check_one(found: &Found<'_>, text: &str, variable: Variable<'_>) -> Vec<Finding> {
    let unknown = RefCell::default();
    let environment = environment(&found.surroundings.variables, variable, &unknown);
    let configuration = Configuration::read(found, text, &environment);
    let mut findings = configuration.errors;
    let tree = configuration.tree.as_ref();
    findings.extend(lints::lint(tree, configuration.policy, &found.surroundings));
    findings
}
