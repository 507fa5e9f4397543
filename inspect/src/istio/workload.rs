//! Which resources apply to a workload.

use std::collections::BTreeMap;

use super::resources::{Resource, Target};

/// The workload that a configuration is for.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What the policies' `targetRefs` name: `Gateway/shop`.
    pub reference: Option<String>,
    /// The namespace whose policies are for the whole mesh.
    pub root_namespace: String,
}

impl Workload {
    /// Whether nothing was said of it.
    pub(super) fn is_any(&self) -> bool {
        self.namespace.is_none() && self.labels.is_empty() && self.reference.is_none()
    }

    /// Whether a resource applies to it: it is in its namespace, or in the root namespace, and selects it.
    pub(super) fn has<S>(&self, resource: &Resource<S>) -> bool {
        let is_root = resource.namespace == self.root_namespace;
        let is_near = self.namespace.as_ref().is_none_or(|namespace| *namespace == resource.namespace) || is_root;
        is_near && self.is_selected(&resource.target)
    }

    fn is_selected(&self, target: &Target) -> bool {
        let has_label = |(name, value): (&String, &String)| self.labels.get(name) == Some(value);
        target.labels.iter().all(has_label)
            && (target.references.is_empty()
                || self.reference.as_ref().is_some_and(|reference| target.references.contains(reference)))
    }
}
