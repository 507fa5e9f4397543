//! The steps of a decision, for a caller that records them.

use std::sync::Arc;

use crate::binding::Lack;
use crate::callers::{Claimed, Entry, Evidence, Failure, Principal, Verification};
use crate::credentials::Credential;
use crate::http::{CanonicalPath, Request};
use crate::policy::{Issuer, Policy};
use crate::report::Cause;
use crate::rules::{Ambiguity, Shadowed};

/// What notes the steps of a decision while it is made. The plugin notes what its report needs, `explain` all of them:
/// the steps lead to the decision by construction.
///
/// Each method has the step's own values, and a default that notes nothing.
pub(crate) trait Trail {
    /// It can be read in more than one way.
    fn ambiguous(&mut self, _: &Ambiguity) {}

    /// The gate answers with the metadata of a resource.
    fn metadata(&mut self) {}

    /// The gate answers with its public keys.
    fn key_set(&mut self) {}

    /// The gate answers one of its own paths.
    fn own_path(&mut self) {}

    /// It is a preflight, which passes.
    fn preflight(&mut self) {}

    /// The search for its rule, by index. `request` is the canonical one.
    fn rule(&mut self, _: &Policy, _: &Request<'_>, _: &CanonicalPath<'_>, _: &Result<Option<usize>, Shadowed>) {}

    /// The search for its credential.
    fn credential(&mut self, _: &Policy, _: &Request<'_>, _: &Result<Option<Credential<'_>>, Cause>) {}

    /// That credential, or the session, came from a cookie, and another site had the browser send it.
    fn cross_site(&mut self) {}

    /// That credential is not for the gate, and is forwarded.
    fn foreign(&mut self) {}

    /// The token is known from before, or its place is a session's.
    fn known(&mut self, _: &Entry) {}

    /// That session is over.
    fn session_over(&mut self) {}

    /// The browser is sent to the login of this index.
    fn login(&mut self, _: usize) {}

    /// All checks of the token passed.
    fn evidence(&mut self, _: &Evidence<'_>, _: &Issuer) {}

    /// The token was checked, with this outcome.
    fn token(&mut self, _: &Verification<'_>, _: &[u8], _: Claimed, _: Result<&Principal, &Failure>) {}

    /// Whether the sender of the token is the one that it is bound to, where that mattered.
    fn sender(&mut self, _: &Result<(), Lack>) {}

    /// The rule asks for groups, and the token's cannot be read: it is rejected after all, for this.
    fn odd_groups(&mut self, _: &Arc<str>) {}
}
