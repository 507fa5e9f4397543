//! stand-in
use super::exchange::Exchange;
use super::failure::{Failed, Stop};
use super::identify::{Expected, Identified};
use super::question::Subject;
use crate::policy::GitHub;
use crate::report::LoginFailure;
use oauth::token::TokenResponse;
impl Exchange<'_> {
    pub(super) fn identify_on_github(
        &self,
        _: &GitHub,
        _: &TokenResponse,
        _: Subject,
        _: Expected<'_>,
    ) -> Result<Identified, Stop> {
        Err(Failed::new(LoginFailure::Provider, "not yet").into())
    }
}
