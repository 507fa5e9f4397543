//! Whether the sender is the one that the token is bound to, in words.

use gate::Connection;

use super::context::Context;
use super::explanation::SenderStep;
use crate::request::RequestHead;

/// The certificate that the client has shown, in hexadecimal.
#[derive(Debug)]
pub(super) struct Shown<'c>(pub(super) &'c str);

impl Connection for Shown<'_> {
    fn peer_certificate(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
}

/// Adds a token that comes with a proof, and that proof (RFC 9449 §7.1).
pub(super) fn put(token: Option<&str>, proof: &str, head: &mut RequestHead) {
    if let Some(token) = token {
        head.add("authorization", &format!("DPoP {token}"));
    }
    head.add("dpop", proof);
}

impl Context<'_> {
    pub(super) fn sender(&self) -> Option<SenderStep> {
        let outcome = self.trace.sender.as_ref()?;
        let principal = self.trace.principal();
        let [key, certificate] = principal.map(gate::callers::Principal::binding).unwrap_or_default();
        let bound = [("jkt", key), ("x5t#S256", certificate)];
        let cause = outcome.as_ref().err();
        Some(SenderStep {
            bound_to: bound.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect(),
            reason: cause.map(|cause| cause.reason.name().to_string()),
            detail: cause.map(|cause| cause.text().into_owned()),
        })
    }
}
