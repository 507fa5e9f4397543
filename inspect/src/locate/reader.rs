//! The program that reads a file.

use crate::document::Divergent;
use crate::finding::Severity;

/// Who reads the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// Not known.
    Any,
    /// Envoy.
    Envoy,
    /// Kubernetes, which hands JSON on.
    Kubernetes,
}

impl Reader {
    /// How much it matters for this reader that some read it differently; `None` where this one reads it as usual.
    pub fn severity(self, divergent: Divergent) -> Option<Severity> {
        match (self, divergent) {
            (_, Divergent::Both) | (Self::Envoy, Divergent::Envoy) | (Self::Kubernetes, Divergent::Kubernetes) => {
                Some(Severity::Error)
            }
            (Self::Any, _) => Some(Severity::Warning),
            (Self::Envoy, Divergent::Kubernetes) | (Self::Kubernetes, Divergent::Envoy) => None,
        }
    }
}
