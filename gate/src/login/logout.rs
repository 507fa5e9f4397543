//! Logging out (OpenID Connect RP-Initiated Logout 1.0 §2).

use jose::base64url;
use oauth::Secret;
use oauth::form::Parameters;
use oauth::logout::LogoutRequest;

use super::exchange::{Exchange, ProviderFacts};
use super::pending::LoginCookie;
use super::reply::see;
use super::return_to::Destinations;
use crate::http::{Reply, Request};
use crate::policy::Browser;
use crate::random::draw;
use crate::sessions::{Session, SessionCookies};

/// Where the browser goes after a logout: what it asked for by `returnTo` (or `rd`), or what is configured. An absolute
/// URL, or a path.
fn destination(browser: &Browser, request: &Request<'_>) -> String {
    let parameters = Parameters::parse(request.query().unwrap_or_default()).ok();
    let asked = parameters.and_then(|parameters| Destinations::from(&browser.session).asked(&parameters));
    asked.map_or_else(|| browser.session.after_logout.clone(), |to| to.as_str().to_string())
}

/// Deletes the session's cookies, and sends the browser on: to its provider's logout, or where it goes after one.
pub(crate) fn logged_out(browser: &Browser, request: &Request<'_>, provider: Option<&Secret>) -> Reply {
    let mut reply = match provider {
        Some(uri) => see(uri.reveal()),
        None => see(&destination(browser, request)),
    };
    let lines = SessionCookies::new(&browser.session).delete(request);
    reply.headers.extend(lines.into_iter().map(|line| ("set-cookie", line)));
    reply.headers.push(("set-cookie", LoginCookie::delete(&browser.session)));
    reply
}

/// Whether the person at the browser asked for this: no other site can make a browser say so.
pub(crate) fn is_own_navigation(request: &Request<'_>) -> bool {
    matches!(request.only("sec-fetch-site"), Some(b"same-origin" | b"none"))
}

impl Exchange<'_> {
    /// Where the browser logs out at its provider, if it has such an endpoint.
    pub(crate) fn end_session_uri(
        &self,
        request: &Request<'_>,
        session: &Session,
        provider: &ProviderFacts,
    ) -> Option<Secret> {
        let endpoint = provider.endpoints.end_session.as_ref()?;
        let destination = destination(self.browser, request);
        let absolute = match destination.starts_with('/') {
            true => [self.browser.session.public_url.as_str(), &destination].concat(),
            false => destination,
        };
        let state = draw::<16>(self.random).ok().map(|octets| base64url::encode(&octets));
        let logout = LogoutRequest {
            client_id: self.login.client.id(),
            id_token_hint: session.id_token.as_ref(),
            post_logout_redirect_uri: Some(&absolute),
            state: state.as_deref(),
        };
        logout.uri(endpoint).ok()
    }
}
