//! The canonical form of a request: what is decided on is what is forwarded, in each dimension that rules look at.

use crate::http::{Authority, CanonicalPath, HeaderEdit, Request};
use crate::policy::Policy;
use crate::report::Reason;
use crate::rules::Ambiguity;

/// What rules see of a request, where it has one reading.
#[derive(Clone, Debug)]
pub(crate) struct Canonical<'r> {
    pub(crate) path: CanonicalPath<'r>,
    /// Only where rules look at hosts.
    authority: Option<Authority<'r>>,
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
        Ok(Self { path, authority, target })
    }

    /// `received`, as it is forwarded, as far as that is known by now. Edits of the query start from its path.
    pub(crate) fn request<'c>(&'c self, received: &Request<'c>) -> Request<'c> {
        let mut request = *received;
        if let Some(target) = &self.target {
            request = request.with_path(target);
        }
        if let Some(authority) = &self.authority {
            request = request.with_authority(authority.as_str().as_bytes());
        }
        request
    }

    /// Adds what makes `received` the canonical request.
    pub(crate) fn add_edits(&self, received: &Request<'_>, edits: &mut Vec<HeaderEdit>) {
        if let Some(target) = &self.target {
            edits.push(HeaderEdit::Set(":path", target.clone()));
        }
        let authority = self.authority.as_ref().map(|authority| authority.as_str().as_bytes());
        if let Some(authority) = authority.filter(|authority| *authority != received.authority()) {
            edits.push(HeaderEdit::Set(":authority", authority.to_vec()));
        }
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
