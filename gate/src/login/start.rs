//! Sending a browser to its provider (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1).

use oauth::authorization::AuthorizationRequest;
use oauth::form::Parameters;

use super::address::{LOGIN, address};
use super::exchange::{Exchange, required};
use super::failure::{Failed, Stop};
use super::page::{Choice, choose};
use super::pending::{LoginCookie, Pending};
use super::reply::see;
use super::return_to::{Destinations, ReturnTo};
use crate::http::{Reply, Request};
use crate::policy::Browser;
use crate::report::LoginFailure;

/// What a login is to come to.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) return_to: ReturnTo,
    /// Whether the provider is to ask for name and password, whoever is logged in there.
    pub(crate) asks_again: bool,
}

/// A login that was asked for by the query of its path.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Its index; `None`: it is to be chosen.
    pub(crate) login: Option<usize>,
    pub(crate) wanted: Wanted,
}

impl Asked {
    /// Reads `?returnTo=/path` (or `rd=`), `&login=NAME` and `&prompt=login`. What cannot be read is as good as absent.
    pub(crate) fn read(browser: &Browser, request: &Request<'_>) -> Self {
        let parameters = Parameters::parse(request.query().unwrap_or_default()).ok();
        let one = |name| parameters.as_ref().and_then(|parameters| parameters.one(name).ok().flatten());
        let destinations = Destinations::from(&browser.session);
        let return_to = parameters.as_ref().and_then(|parameters| destinations.asked(parameters));
        let named = one(LOGIN).and_then(|name| browser.logins.iter().position(|login| *login.name == *name));
        let only = (browser.logins.len() == 1).then_some(0);
        let wanted = Wanted { return_to: return_to.unwrap_or_default(), asks_again: one("prompt") == Some("login") };
        Self { login: named.or(only), wanted }
    }

    /// The page to choose a login from.
    pub(crate) fn choose(&self, browser: &Browser) -> Reply {
        let hrefs: Vec<_> = browser.logins.iter().map(|login| self.wanted.href(browser, Some(&login.name))).collect();
        let choices = browser.logins.iter().zip(&hrefs).map(|(login, href)| Choice { name: &login.name, href });
        choose(&choices.collect::<Vec<_>>())
    }
}

impl Wanted {
    /// Where such a login begins.
    pub(crate) fn href(&self, browser: &Browser, login: Option<&str>) -> String {
        let address = address(&browser.session.paths.login, login, Some(&self.return_to));
        if self.asks_again { address + "&prompt=login" } else { address }
    }
}

impl Wanted {
    /// Likewise, for a browser that is on another host than that of the public URL.
    pub(crate) fn href_elsewhere(&self, browser: &Browser, login: usize) -> String {
        let name = browser.logins.get(login).map(|login| &*login.name);
        [browser.session.public_url.as_str(), &self.href(browser, name)].concat()
    }
}

impl Exchange<'_> {
    /// Sends the browser that sent `request` to its provider.
    pub(crate) fn start(&self, request: &Request<'_>, wanted: &Wanted) -> Result<Reply, Stop> {
        let settings = &self.browser.session;
        let provider = self.provider()?;
        let endpoint = required("authorization", provider.endpoints.authorization.as_ref())?;
        // All tabs have one cookie.
        let present = LoginCookie::present(request, settings);
        let cookie = match present {
            Some(cookie) => cookie,
            None => LoginCookie::draw(self.random)?,
        };
        let pending = Pending::draw(self.index, wanted.return_to.clone(), self.verification.now, self.random)?;
        let state = pending.seal(&cookie, &settings.keyring, self.random)?;
        let secrets = pending.secrets(&cookie, &settings.keyring).ok_or_else(no_keys)?;
        let scopes: Vec<_> = self.login.scopes.iter().map(String::as_str).collect();
        let is_oidc = self.login.provider.is_open_id_connect();
        let parameters = if wanted.asks_again && is_oidc {
            &self.login.parameters.with("prompt", "login")
        } else {
            &self.login.parameters
        };
        let authorization = AuthorizationRequest {
            client_id: self.login.client.id(),
            redirect_uri: &self.redirect_uri(),
            scopes: &scopes,
            state: &state,
            nonce: is_oidc.then(|| secrets.nonce.reveal()),
            code_challenge: &secrets.verifier.challenge(),
            max_age: self.login.max_age,
            parameters,
        };
        let uri = authorization.uri(endpoint).map_err(|error| {
            Failed::new(LoginFailure::Provider, format_args!("the authorization endpoint cannot be used: {error}"))
        })?;
        let mut reply = see(&uri);
        reply.headers.push(("set-cookie", cookie.set(settings)));
        Ok(reply)
    }

    /// `redirect_uri`: made of the configuration, never of what a client sent.
    pub(super) fn redirect_uri(&self) -> String {
        let settings = &self.browser.session;
        [settings.public_url.as_str(), &settings.paths.callback].concat()
    }
}

/// A keyring without the keys of this login.
pub(super) fn no_keys() -> Failed {
    Failed::new(LoginFailure::State, "there are no keys for this login")
}
