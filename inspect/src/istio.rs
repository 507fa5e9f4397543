//! A configuration that says what Istio's policies say.
//!
//! All that they ask is made one condition, and the condition a list of rules. What cannot be carried over errs on the
//! safe side: a condition that lets a request pass is taken not to hold, one that denies it is taken to hold.

mod atoms;
mod cells;
mod formula;
mod headers;
mod issuers;
mod keys;
mod locations;
mod notes;
mod page;
mod pattern;
mod policies;
mod requirement;
mod resources;
mod tokens;
mod workload;

use std::cell::RefCell;

use self::issuers::Issuers;
use self::notes::Notes;
pub use self::resources::Resources;
use self::resources::{AuthorizationPolicy, RequestAuthentication, Resource, Target};
pub use self::workload::Workload;
use crate::configuration::{Configuration, environment};
use crate::document;
use crate::finding::Finding;
use crate::locate::locate;

/// What was made of policies.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Translation {
    /// The configuration; its comments name the policies, and what could not be carried over.
    pub page: String,
    /// How many conditions could not be carried over exactly.
    pub inexact: usize,
}

/// Why nothing was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Error {
    /// The engine rejects what was made: a mistake in the translation.
    Page {
        /// What was made.
        page: String,
        /// What is wrong with it.
        finding: Box<Finding>,
    },
    /// The policies cannot be translated.
    Policies(String),
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::Policies(message)
    }
}

/// Translates the policies that apply to a workload.
pub fn translate(resources: &Resources, workload: &Workload) -> Result<Translation, Error> {
    let authentications = chosen(&resources.authentications, workload);
    let policies = chosen(&resources.policies, workload);
    if workload.is_any() {
        check_that_they_are_for_the_same(&authentications, &policies)?;
    }
    let mut notes = Notes::default();
    let issuers = Issuers::new(&authentications, &mut notes)?;
    let allowed = policies::allowed(&policies, &issuers, &mut notes);
    let allowed = issuers.required(&allowed, &mut notes).unwrap_or(allowed);
    let cells = cells::rules(&allowed, issuers.is_required)?;
    let titles = authentications.iter().map(|resource| &resource.title);
    let titles: Vec<_> = titles.chain(policies.iter().map(|resource| &resource.title)).cloned().collect();
    let page = page::page(&titles, &issuers, &cells, &mut notes);
    match mistake(&page) {
        Some(finding) => Err(Error::Page { page, finding: Box::new(finding) }),
        None => Ok(Translation { page, inexact: notes.stricter.len().saturating_add(notes.weaker.len()) }),
    }
}

/// Those that apply to the workload; all of them, where nothing is said of it.
fn chosen<'r, S>(all: &'r [Resource<S>], workload: &Workload) -> Vec<&'r Resource<S>> {
    all.iter().filter(|resource| workload.is_any() || workload.has(resource)).collect()
}

/// Where no workload is named, all policies have to be for the same.
fn check_that_they_are_for_the_same(
    authentications: &[&Resource<RequestAuthentication>],
    policies: &[&Resource<AuthorizationPolicy>],
) -> Result<(), String> {
    let mut targets: Vec<(&str, &Target)> = Vec::new();
    let all = authentications.iter().map(|resource| (resource.namespace.as_str(), &resource.target));
    for target in all.chain(policies.iter().map(|resource| (resource.namespace.as_str(), &resource.target))) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    match targets.len() {
        0 | 1 => Ok(()),
        count => Err(format!(
            "the policies are for {count} different sets of workloads: choose one with --namespace, --label and --target"
        )),
    }
}

/// Why the engine rejects what was made, if it does.
fn mistake(page: &str) -> Option<Finding> {
    let documents = match document::read(page) {
        Ok(documents) => documents,
        Err(flaw) => return Some(Finding::error("yaml", "", flaw.message, flaw.span)),
    };
    locate(&documents).iter().find_map(|found| {
        let unknown = RefCell::default();
        let environment = environment(&found.deployment.variables, &|_| None, &unknown);
        Configuration::read(found, page, &environment).errors.into_iter().next()
    })
}
