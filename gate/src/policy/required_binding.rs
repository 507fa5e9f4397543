//! What tokens must be bound to.

/// What a token must be bound to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RequiredBinding {
    /// To a key or a certificate.
    Any,
    /// To a key.
    Dpop,
    /// To a certificate.
    Mtls,
    /// To nothing.
    #[default]
    None,
}

impl RequiredBinding {
    /// Whether a token that is bound to a key, a certificate, or both, is enough.
    pub(crate) const fn is_met(self, has_key: bool, has_certificate: bool) -> bool {
        match self {
            Self::Any => has_key || has_certificate,
            Self::Dpop => has_key,
            Self::Mtls => has_certificate,
            Self::None => true,
        }
    }
}
