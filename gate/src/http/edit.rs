//! Edits of a request's headers.

use std::sync::Arc;

use super::request::HeaderLine;

/// One edit. They are applied in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderEdit {
    /// Adds a line; name in lower case.
    Add(Arc<str>, Arc<str>),
    /// Removes all lines of that name, which is spelled as the client spelled it.
    Remove(Vec<u8>),
    /// Replaces all lines of that name by this one; pseudo-headers, too. Name in lower case.
    Set(&'static str, Vec<u8>),
}

impl HeaderEdit {
    pub(crate) fn add(name: &str, value: &str) -> Self {
        Self::Add(name.into(), value.into())
    }

    /// The name of the header that is edited.
    pub(crate) fn name(&self) -> &[u8] {
        match self {
            Self::Add(name, _) => name.as_bytes(),
            Self::Remove(name) => name,
            Self::Set(name, _) => name.as_bytes(),
        }
    }

    /// One removal takes all lines of a name.
    pub(crate) fn remove_once(edits: &mut Vec<Self>, name: &[u8]) {
        let removal = Self::Remove(name.to_vec());
        if !edits.contains(&removal) {
            edits.push(removal);
        }
    }

    /// What is left of `lines` after `edits`: for hosts without edits of their own, and for tests.
    pub fn apply(edits: &[Self], lines: &[HeaderLine<'_>]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut lines: Vec<_> = lines.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
        for edit in edits {
            match edit {
                Self::Add(name, value) => lines.push((name.as_bytes().to_vec(), value.as_bytes().to_vec())),
                Self::Remove(name) => lines.retain(|(found, _)| !found.eq_ignore_ascii_case(name)),
                Self::Set(name, value) => {
                    lines.retain(|(found, _)| !found.eq_ignore_ascii_case(name.as_bytes()));
                    lines.push((name.as_bytes().to_vec(), value.clone()));
                }
            }
        }
        lines
    }
}
