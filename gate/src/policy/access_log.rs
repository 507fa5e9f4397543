//! Which properties of a request access logs get to see.

/// Which properties of a request the proxy is given, for its access log and what else reads filter state. Each costs a
/// call to the host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "it is a set of names")]
pub struct AccessLog {
    /// What became of the request.
    pub decision: bool,
    /// Who issued the token.
    pub issuer: bool,
    /// Why the request was refused.
    pub reason: bool,
    /// The rule that matched.
    pub rule: bool,
    /// The session.
    pub session: bool,
    /// The caller.
    pub subject: bool,
}

impl AccessLog {
    /// Every property.
    pub const ALL: Self = Self { decision: true, issuer: true, reason: true, rule: true, session: true, subject: true };
}
