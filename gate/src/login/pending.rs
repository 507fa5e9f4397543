//! stand-in
use crate::http::Request;
use crate::login::return_to::ReturnTo;
use crate::policy::SessionSettings;
use crate::random::{NoRandomness, Randomness};
use crate::sessions::Keyring;
use crate::time::Timestamp;

#[derive(Clone, Debug)]
pub(crate) struct LoginCookie;
impl LoginCookie {
    pub(crate) fn present(_: &Request<'_>, _: &SessionSettings) -> Option<Self> {
        None
    }
    pub(crate) fn draw(_: &dyn Randomness) -> Result<Self, NoRandomness> {
        Ok(Self)
    }
    pub(crate) fn set(&self, _: &SessionSettings) -> String {
        String::new()
    }
    pub(crate) fn delete(_: &SessionSettings) -> String {
        String::new()
    }
}
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) login: usize,
    pub(crate) flow: [u8; 16],
    pub(crate) return_to: ReturnTo,
}
pub(crate) struct Secrets {
    pub(crate) nonce: oauth::Secret,
    pub(crate) verifier: oauth::pkce::Verifier,
}
#[derive(Debug)]
pub(crate) struct OpenedState {
    pub(crate) pending: Pending,
}
impl OpenedState {
    pub(crate) fn secrets(&self, _: &Keyring) -> Option<Secrets> {
        None
    }
}
impl Pending {
    pub(crate) fn draw(
        login: usize,
        return_to: ReturnTo,
        _: Timestamp,
        _: &dyn Randomness,
    ) -> Result<Self, NoRandomness> {
        Ok(Self { login, flow: [0; 16], return_to })
    }
    pub(crate) fn seal(&self, _: &LoginCookie, _: &Keyring, _: &dyn Randomness) -> Result<String, NoRandomness> {
        Ok(String::new())
    }
    pub(crate) fn secrets(&self, _: &LoginCookie, _: &Keyring) -> Option<Secrets> {
        None
    }
    pub(crate) fn open(_: &str, _: &Request<'_>, _: &SessionSettings, _: Timestamp) -> Result<OpenedState, String> {
        Err(String::new())
    }
}
