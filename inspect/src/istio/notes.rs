//! What could not be carried over exactly.

/// What could not be carried over exactly.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// What is denied here, and passes in Istio.
    pub(super) stricter: Vec<String>,
    /// What passes here, and is denied in Istio.
    pub(super) weaker: Vec<String>,
    /// What else differs: the same requests pass.
    pub(super) other: Vec<String>,
}

impl Notes {
    pub(super) fn stricter(&mut self, text: impl Into<String>) {
        add(&mut self.stricter, text.into());
    }

    pub(super) fn weaker(&mut self, text: impl Into<String>) {
        add(&mut self.weaker, text.into());
    }

    pub(super) fn other(&mut self, text: impl Into<String>) {
        add(&mut self.other, text.into());
    }
}

fn add(texts: &mut Vec<String>, text: String) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}
