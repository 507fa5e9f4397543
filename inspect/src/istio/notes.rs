//! What could not be carried over as it is.

/// What could not be carried over as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// What is refused here, and passes in Istio.
    pub(super) stricter: Vec<String>,
    /// What passes here, and is refused in Istio.
    pub(super) weaker: Vec<String>,
    /// What is otherwise, and changes nothing in who passes.
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
