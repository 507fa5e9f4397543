//! What the locations of a credential hold.

use gate::explain::Route;
use gate::rules::Access;
use gate::{Cause, Reason};

use super::context::Context;
use super::explanation::{CredentialStep, LocationStep};
use crate::request::CredentialLocation;

impl Context<'_> {
    pub(super) fn credential(&self) -> Option<CredentialStep> {
        let found = self.trace.credential.as_ref()?;
        let used = found.used.as_ref().ok().copied().flatten();
        let locations = CredentialLocation::all_of(self.policy);
        let locations =
            locations.iter().zip(&found.locations).enumerate().map(|(index, (location, holds))| LocationStep {
                location: location.to_string(),
                found: match holds {
                    None => String::from("nothing"),
                    Some(Ok(())) if used.is_none() && self.has_session_that_is_over() => String::from("over"),
                    Some(Ok(())) if used == Some(index) && found.is_foreign => String::from("foreign"),
                    Some(Ok(())) => String::from("credential"),
                    Some(Err(cause)) => cause.reason.name().to_string(),
                },
                used: used == Some(index) && !found.is_foreign,
            });
        let cause = match &found.used {
            Err(cause) => Some(cause.clone()),
            Ok(_) if found.is_cross_site => Some(Reason::CrossSiteRequest.into()),
            Ok(None) if !self.is_optional() => {
                Some(Cause { reason: Reason::MissingToken, detail: found.missing.clone() })
            }
            Ok(_) => None,
        };
        Some(CredentialStep {
            locations: locations.collect(),
            reason: cause.as_ref().map(|cause| cause.reason.name().to_string()),
            detail: cause.filter(|cause| cause.detail.is_some()).map(|cause| cause.text().into_owned()),
        })
    }

    fn has_session_that_is_over(&self) -> bool {
        self.trace.session.as_ref().is_some_and(|session| session.is_over)
    }

    fn is_optional(&self) -> bool {
        let Route::Rule(rule) = self.trace.route else { return false };
        *self.asked(rule) == Access::Optional
    }
}
