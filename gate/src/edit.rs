//! Edits of a request's headers.

/// One edit. They are applied in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderEdit {
    /// Adds a line; name in lower case.
    Add(String, String),
    /// Removes all lines of that name, which is spelled as the client spelled it.
    Remove(Vec<u8>),
}

impl HeaderEdit {
    pub(crate) fn add(name: &str, value: &str) -> Self {
        Self::Add(name.to_string(), value.to_string())
    }

    /// One removal takes all lines of a name.
    pub(crate) fn remove_once(edits: &mut Vec<Self>, name: &[u8]) {
        let removal = Self::Remove(name.to_vec());
        if !edits.contains(&removal) {
            edits.push(removal);
        }
    }
}
