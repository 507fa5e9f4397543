//! A rule: which requests it is for, and what it asks of them.

use std::sync::Arc;

use super::access::Access;
use super::matcher::Matcher;
use crate::policy::RequiredBinding;

/// A rule, checked and compiled.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What logs and metrics call it.
    pub name: Arc<str>,
    /// Which requests it is for.
    pub matcher: Matcher,
    /// What it asks of them.
    pub access: Access,
    /// Overrides the policy's `forwardToken`.
    pub forward_token: Option<bool>,
    /// Whether credentials that are not for the gate are forwarded, without identity.
    pub forwards_foreign: bool,
    /// Overrides what the policy says tokens must be bound to.
    pub require: Option<RequiredBinding>,
    /// Overrides the policy's `mode`.
    pub mode: Option<Mode>,
    /// The challenge for requests without a valid token.
    pub challenge: Scheme,
    /// What else a request without one may get.
    pub unauthenticated: Unauthenticated,
    /// The credentials for the upstream that requests get, by index; absent: the default.
    pub upstream: Option<Vec<usize>>,
    /// The login that browsers are sent to, by its index; absent: the default.
    pub login: Option<usize>,
}

/// What becomes of a request that has no usable credential where one is needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unauthenticated {
    /// It is answered with a challenge (RFC 9110 §11.6.1).
    Challenge,
    /// A browser that navigates is sent to log in; others get a challenge.
    Login,
}

impl Unauthenticated {
    /// What it is where nothing is said of it.
    pub(crate) const fn default_of(has_session: bool) -> Self {
        if has_session { Self::Login } else { Self::Challenge }
    }
}

/// What becomes of a request that is refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// The refusal is counted and logged, and the request passes.
    Audit,
    /// It is answered.
    #[default]
    Enforce,
}

/// The authentication scheme of a challenge (RFC 9110 §11.6.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scheme {
    /// RFC 7617: browsers ask for name and password.
    Basic,
    /// RFC 6750 §3.
    #[default]
    Bearer,
}
