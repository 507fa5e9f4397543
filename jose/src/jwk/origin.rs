//! Where keys come from.

/// Who a key comes from, which decides what it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Whoever configures the gate: a secret may be among the keys.
    Configuration,
    /// The issuer, who publishes it: a secret would be none.
    Issuer,
    /// A SPIFFE trust domain, which publishes it in its bundle: its `use` may be `jwt-svid` (SPIFFE Trust Domain and
    /// Bundle §4.2.2).
    TrustDomain,
}
