//! What the locations of a credential hold.

use gate::Reason;
use gate::explain::Route;
use gate::rules::Access;

use super::context::Context;
use super::explanation::{CredentialStep, LocationStep};
use crate::request::CredentialLocation;

impl Context<'_> {
    pub(super) fn credential(&self) -> Option<CredentialStep> {
        let found = self.trace.credential.as_ref()?;
        let used = found.used.ok().flatten();
        let locations = CredentialLocation::all_of(self.policy);
        let locations =
            locations.iter().zip(&found.places).enumerate().map(|(index, (location, holds))| LocationStep {
                location: location.to_string(),
                found: match holds {
                    None => String::from("nothing"),
                    Some(Ok(())) => String::from("credential"),
                    Some(Err(reason)) => reason.name().to_string(),
                },
                used: used == Some(index),
            });
        let reason = match found.used {
            Err(reason) => Some(reason.name().to_string()),
            Ok(None) if !self.is_optional() => Some(Reason::MissingToken.name().to_string()),
            Ok(_) => None,
        };
        Some(CredentialStep { locations: locations.collect(), reason })
    }

    fn is_optional(&self) -> bool {
        let Route::Rule(rule) = self.trace.route else { return false };
        *self.asked(rule) == Access::Optional
    }
}
