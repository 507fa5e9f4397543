//! Where keys come from.

/// Where a key comes from, which decides what it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The gate's configuration: a secret may be among the keys.
    Configuration,
    /// The issuer, which publishes it: a published secret is not secret.
    Issuer,
    /// A SPIFFE trust domain, which publishes it in its bundle: its `use` may be `jwt-svid` (SPIFFE Trust Domain and
    /// Bundle §4.2.2).
    TrustDomain,
}
