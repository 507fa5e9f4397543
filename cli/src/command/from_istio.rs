//! `jotgate from-istio`

use std::collections::BTreeMap;

use inspect::istio::{self, Resources, Workload, translate};

use crate::arguments::FromIstio;
use crate::input::{self, Input};
use crate::outcome::{Error, Outcome};
use crate::report::render;

/// Translates files.
pub(crate) fn from_istio(asked: &FromIstio) -> Result<Outcome, Error> {
    let mut resources = Resources::default();
    for path in &asked.files {
        let file = input::read(path)?;
        resources.read(&file.text).map_err(|finding| {
            Error(format!("{} cannot be translated\n\n{}", file.name, render(&file, "", &finding)))
        })?;
    }
    let made = translate(&resources, &workload(asked)?).map_err(cannot_translate)?;
    let what = if made.inexact == 1 { "condition" } else { "conditions" };
    let aside = (made.inexact > 0)
        .then(|| format!("{} {what} could not be carried over exactly: see the comments at the top", made.inexact));
    Ok(Outcome { aside, ..Outcome::new(made.page, made.inexact == 0) })
}

fn workload(asked: &FromIstio) -> Result<Workload, Error> {
    let mut labels = BTreeMap::new();
    for text in &asked.label {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Error(format!("--label: expected `name=value`, found `{text}`")))?;
        labels.insert(name.to_string(), value.to_string());
    }
    Ok(Workload {
        namespace: asked.namespace.clone(),
        labels,
        reference: asked.target.clone(),
        root_namespace: asked.root_namespace.clone(),
    })
}

fn cannot_translate(error: istio::Error) -> Error {
    Error(match error {
        istio::Error::Page { page, finding } => {
            let file = Input { name: String::from("the configuration that was made"), text: page };
            format!("what was made is no configuration\n\n{}", render(&file, "", &finding))
        }
        istio::Error::Policies(message) => message,
    })
}
