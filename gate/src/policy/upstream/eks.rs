//! Tokens for clusters of Amazon EKS.

/// How a token for a cluster is made.
#[derive(Clone, Debug)]
pub struct Eks {}
