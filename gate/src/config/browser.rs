//! `login` and `session`, which go together.

use super::reader::{Node, Object};
use super::{Environment, login, session};
use crate::credentials::CredentialLocations;
use crate::policy::{Browser, Issuer, LOGIN_COOKIES, Login, SessionSettings};
use crate::sessions::Keyring;

/// The two sections, as far as they could be read.
#[derive(Debug)]
pub(super) struct Sections<'d, 'c> {
    /// Whether browsers log in.
    pub(super) has_login: bool,
    /// Empty where there are none.
    pub(super) logins: Option<Vec<Login>>,
    session: Option<SessionSettings>,
    session_node: Option<Node<'d, 'c>>,
}

pub(super) fn read<'d, 'c>(
    object: &mut Object<'d, 'c>,
    issuers: Option<&[Issuer]>,
    env: Environment<'_>,
) -> Sections<'d, 'c> {
    let (login_node, session_node) = (object.optional("login"), object.optional("session"));
    match (&login_node, &session_node) {
        (Some(node), None) => node.error("expected `session` beside it: a login has to be kept somewhere"),
        (None, Some(node)) => node.error("expected `login` beside it: nothing else makes sessions"),
        _ => {}
    }
    let logins = match &login_node {
        Some(node) => login::read_all(node, issuers, env),
        None => Some(Vec::new()),
    };
    let session = session_node.as_ref().and_then(|node| session::read(node, logins.as_deref(), issuers, env));
    Sections { has_login: login_node.is_some(), logins, session, session_node }
}

impl Sections<'_, '_> {
    /// How sessions are kept, as far as that could be read.
    pub(super) fn session(&self) -> Option<&SessionSettings> {
        self.session.as_ref()
    }

    /// Whether there is a section of sessions, be it one that could not be read.
    pub(super) const fn has_session(&self) -> bool {
        self.session_node.is_some()
    }

    /// The keys that sessions are sealed with.
    pub(super) fn keyring(&self) -> Option<&Keyring> {
        self.session.as_ref().map(|session| &session.keyring)
    }

    /// What browsers log in with; where there is a login, `None` says that something could not be read.
    pub(super) fn finish(self, root: &Node<'_, '_>, locations: &CredentialLocations) -> Option<Browser> {
        match (self.has_login, locations.has_session()) {
            (false, true) => {
                let message = "expected `login` beside `{session: true}`: nothing else makes sessions";
                root.error_at("credentials", message);
            }
            (true, false) => {
                let message = "expected `{session: true}` among them: with `login`, browsers come back with a session";
                root.error_at("credentials", message);
            }
            _ => {}
        }
        let session = self.session?;
        if let Some(node) = &self.session_node {
            check_cookies(node, &session, locations);
        }
        Some(Browser { logins: self.logins?, session })
    }
}

/// A session is no token, and a token no session.
fn check_cookies(session: &Node<'_, '_>, settings: &SessionSettings, locations: &CredentialLocations) {
    let name = &settings.cookie.name;
    let own = [name.clone(), format!("{name}.1")].into_iter().chain(LOGIN_COOKIES.map(String::from));
    if LOGIN_COOKIES.contains(&name.as_str()) {
        session.error_at("cookie", format!("`{name}` is the cookie of logins that are under way"));
    }
    for (index, location) in locations.locations().iter().enumerate() {
        let mut taken = own.clone().filter(|name| location.reads_cookie(name));
        if let Some(name) = taken.next() {
            session.error_at("cookie", format!("`credentials[{index}]` takes `{name}` for a token"));
        }
    }
}
