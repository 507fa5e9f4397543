//! The program that reads a file.

use crate::document::Divergent;
use crate::finding::Severity;

/// Who reads the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reader {
    /// Nobody knows.
    Any,
    /// Envoy.
    Envoy,
    /// Kubernetes, which hands JSON on.
    Kubernetes,
}

impl Reader {
    /// How much it matters to this reader that somebody reads something unlike others; not at all, where it reads it
    /// like the others.
    pub fn minds(self, divergent: Divergent) -> Option<Severity> {
        match (self, divergent) {
            (_, Divergent::Both) | (Self::Envoy, Divergent::Envoy) | (Self::Kubernetes, Divergent::Kubernetes) => {
                Some(Severity::Error)
            }
            (Self::Any, _) => Some(Severity::Warning),
            (Self::Envoy, Divergent::Kubernetes) | (Self::Kubernetes, Divergent::Envoy) => None,
        }
    }
}
