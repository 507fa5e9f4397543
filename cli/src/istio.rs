//! `jotgate from-istio`: a configuration that says what Istio's policies say.
//!
//! All that they ask is made one condition, and the condition a list of rules. What cannot be carried over errs on the
//! safe side: a condition that lets somebody pass is taken not to hold, one that keeps somebody out is taken to hold.

mod atoms;
mod cells;
mod formula;
mod issuers;
mod notes;
mod page;
mod pattern;
mod policies;
mod requirement;
mod resources;
mod scope;
mod tokens;

use std::cell::RefCell;
use std::collections::BTreeMap;

use self::issuers::Issuers;
use self::notes::Notes;
use self::resources::{AuthorizationPolicy, RequestAuthentication, Resource, Resources, Target};
use self::scope::Workload;
use crate::arguments::FromIstio;
use crate::configuration::Configuration;
use crate::document::{self, Odd};
use crate::find;
use crate::finding::Finding;
use crate::input::{self, Error, Input};
use crate::load::environment;
use crate::render::render;
use crate::{Outcome, STATUS_TROUBLE};

/// Translates files.
pub fn run(asked: &FromIstio) -> Result<Outcome, Error> {
    let mut resources = Resources::default();
    for path in &asked.files {
        read(&input::read(path)?, &mut resources)?;
    }
    let workload = workload(asked)?;
    let authentications = chosen(&resources.authentications, &workload);
    let policies = chosen(&resources.policies, &workload);
    if workload.is_any() {
        check_that_they_are_for_the_same(&authentications, &policies)?;
    }
    let mut notes = Notes::default();
    let issuers = Issuers::new(&authentications, &mut notes).map_err(Error)?;
    let allowed = policies::allowed(&policies, &issuers, &mut notes);
    let cells = cells::rules(&allowed, issuers.is_required).map_err(Error)?;
    let titles = authentications.iter().map(|resource| &resource.title);
    let titles: Vec<_> = titles.chain(policies.iter().map(|resource| &resource.title)).cloned().collect();
    let output = page::page(&titles, &issuers, &cells, &mut notes);
    check(&output)?;
    let count = notes.stricter.len().saturating_add(notes.weaker.len());
    let aside = (count > 0).then(|| {
        format!("{count} of the things said could not be carried over as they are: see the comments at the top")
    });
    Ok(Outcome { output, aside, status: if count > 0 { STATUS_TROUBLE } else { 0 } })
}

fn read(file: &Input, resources: &mut Resources) -> Result<(), Error> {
    let refuse =
        |finding: Finding| Error(format!("{} cannot be translated\n\n{}", file.name, render(file, "", &finding)));
    let flaw = |flaw: document::Flaw| refuse(Finding::error("istio", "", flaw.message, flaw.span));
    let documents = document::read(&file.text).map_err(flaw)?;
    let flaws = documents.iter().flat_map(|document| &document.flaws);
    if let Some(found) = flaws.into_iter().find(|flaw| flaw.odd == Odd::Both) {
        return Err(flaw(found.clone()));
    }
    resources.read(&documents).map_err(refuse)
}

fn workload(asked: &FromIstio) -> Result<Workload<'_>, Error> {
    let mut labels = BTreeMap::new();
    for text in &asked.label {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Error(format!("--label: expected `name=value`, found `{text}`")))?;
        labels.insert(name.to_string(), value.to_string());
    }
    Ok(Workload {
        namespace: asked.namespace.as_deref(),
        labels,
        reference: asked.target.as_deref(),
        root_namespace: &asked.root_namespace,
    })
}

/// Those that apply to the workload; all of them, where nothing is said of it.
fn chosen<'r, S>(all: &'r [Resource<S>], workload: &Workload<'_>) -> Vec<&'r Resource<S>> {
    all.iter().filter(|resource| workload.is_any() || workload.has(resource)).collect()
}

/// Where nobody says for which workload, there may only be one.
fn check_that_they_are_for_the_same(
    authentications: &[&Resource<RequestAuthentication>],
    policies: &[&Resource<AuthorizationPolicy>],
) -> Result<(), Error> {
    let mut targets: Vec<(&str, &Target)> = Vec::new();
    let all = authentications.iter().map(|resource| (resource.namespace.as_str(), &resource.target));
    for target in all.chain(policies.iter().map(|resource| (resource.namespace.as_str(), &resource.target))) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    match targets.len() {
        0 | 1 => Ok(()),
        count => Err(Error(format!(
            "the policies are for {count} different sets of workloads: say for which with --namespace, --label and --target"
        ))),
    }
}

/// What was made is taken by the engine.
fn check(output: &str) -> Result<(), Error> {
    let file = Input { name: String::from("the configuration that was made"), text: output.to_string() };
    let refuse =
        |finding: &Finding| Error(format!("what was made is no configuration\n\n{}", render(&file, "", finding)));
    let documents =
        document::read(output).map_err(|flaw| refuse(&Finding::error("yaml", "", flaw.message, flaw.span)))?;
    for found in &find::find(&documents) {
        let unknown = RefCell::default();
        let environment = environment(&found.surroundings.variables, &|_| None, &unknown);
        let configuration = Configuration::read(found, output, &environment);
        if let Some(error) = configuration.errors.first() {
            return Err(refuse(error));
        }
    }
    Ok(())
}
