//! The canonical form of a request: what is decided on is what is forwarded, in each dimension that rules look at.

use crate::config::Policy;
use crate::edit::HeaderEdit;
use crate::reason::Reason;
use crate::request::{Authority, CanonicalPath, Request};
use crate::rules::Ambiguity;

/// What rules see of a request, where it has one reading.
#[derive(Clone, Debug)]
pub(crate) struct Canonical<'r> {
    pub(crate) path: CanonicalPath<'r>,
    /// Only where rules look at hosts.
    authority: Option<Authority<'r>>,
    received: Request<'r>,
    /// `:path`, where what is forwarded is not what was received.
    target: Option<Vec<u8>>,
}

impl<'r> Canonical<'r> {
    /// The canonical form of `request`, or the first dimension in which it has none.
    pub(crate) fn of(request: &Request<'r>, policy: &Policy) -> Result<Self, Ambiguity> {
        let path = CanonicalPath::of(request.path(), policy.paths).map_err(Ambiguity::Path)?;
        let dimensions = &policy.dimensions;
        dimensions.check_path(&path)?;
        dimensions.check_method(request)?;
        let authority = dimensions.authority(request)?;
        dimensions.check_headers(request)?;
        let target = path.forwarded(request);
        Ok(Self { path, authority, received: *request, target })
    }

    /// The request as it is forwarded, as far as it is known by now. Who edits the query edits the path of this one.
    pub(crate) fn request(&self) -> Request<'_> {
        let request = match &self.target {
            Some(target) => self.received.with_path(target),
            None => self.received,
        };
        match &self.authority {
            Some(authority) => request.with_authority(authority.as_str().as_bytes()),
            None => request,
        }
    }

    /// What makes the request that was received the canonical one.
    pub(crate) fn edits(&self) -> impl Iterator<Item = HeaderEdit> {
        let path = self.target.iter().map(|target| HeaderEdit::Set(":path", target.clone()));
        let authority = self.authority.iter().map(|authority| authority.as_str().as_bytes());
        let authority = authority.filter(|authority| *authority != self.received.authority());
        path.chain(authority.map(|authority| HeaderEdit::Set(":authority", authority.to_vec())))
    }
}

impl Ambiguity {
    /// Why such a request is refused.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Path(_) => Reason::AmbiguousPath,
            Self::Header(_) | Self::Host(_) | Self::Method => Reason::AmbiguousRequest,
        }
    }
}
