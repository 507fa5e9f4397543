//! Sessions: how long they last, where they are kept, and where the gate answers itself.

use std::time::Duration;

use super::login::Login;
pub use crate::http::SameSite;
use crate::http::{HttpUri, Request, authority};
use crate::sessions::Keyring;
use crate::time::Timestamp;

/// What browsers log in with, and what keeps them logged in.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The ways to log in, in the order of the configuration; the first is the default. There is one at least.
    pub(crate) logins: Vec<Login>,
    /// What becomes of who logged in.
    pub(crate) session: SessionSettings,
}

/// How sessions are kept.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// What seals and opens them.
    pub(crate) keyring: Keyring,
    /// Where browsers find the gate.
    pub(crate) public_url: PublicUrl,
    /// The cookie that holds a session.
    pub(crate) cookie: CookieSettings,
    /// How long a session lasts from its login on.
    pub(crate) lifetime: Duration,
    /// How long it lasts without a request.
    pub(crate) idle: Option<Duration>,
    /// How old claims get before they are fetched again.
    pub(crate) refresh_after: Duration,
    /// Whether a session without refresh token outlasts its ID token.
    pub(crate) keep_after_expiry: bool,
    /// How long it stays in use while its issuer cannot be reached.
    pub(crate) outage: Duration,
    /// The tokens that are kept in it.
    pub(crate) keep: Keep,
    /// Where the gate answers itself.
    pub(crate) paths: OwnPaths,
    /// The origins that a login may return to, besides that of `public_url`.
    pub(crate) return_to: Vec<String>,
    /// Where browsers are sent after a logout: a path, or a URL in one of `return_to`.
    pub(crate) after_logout: String,
    /// Sessions from before are over.
    pub(crate) not_before: Option<Timestamp>,
    /// Whether upgraded connections end with their session.
    pub(crate) close_web_sockets: bool,
}

/// The origin at which browsers find the gate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicUrl {
    /// As browsers write origins: lower case, no default port, no `/` at the end.
    pub(crate) text: String,
    /// The same, taken apart.
    pub(crate) uri: HttpUri,
}

/// The cookie that holds a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CookieSettings {
    pub(crate) name: String,
    pub(crate) same_site: SameSite,
    pub(crate) domain: Option<String>,
    /// Whether it outlasts the browser.
    pub(crate) is_persistent: bool,
    /// Whether it is for `https` alone.
    pub(crate) is_secure: bool,
}

/// The tokens that are kept in a session.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Keep {
    pub(crate) id_token: bool,
    pub(crate) access_token: bool,
}

/// The paths that the gate answers itself, on the host of its public URL. Each is in canonical form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnPaths {
    pub(crate) login: String,
    pub(crate) callback: String,
    pub(crate) logout: String,
    pub(crate) check: String,
    pub(crate) session: String,
}

impl Browser {
    /// The ways to log in, in the order of the configuration; the first is the default.
    pub fn logins(&self) -> &[Login] {
        &self.logins
    }

    /// How sessions are kept.
    pub fn session(&self) -> &SessionSettings {
        &self.session
    }
}

impl SessionSettings {
    /// Where browsers find the gate.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    /// The cookie that holds a session.
    pub fn cookie(&self) -> &CookieSettings {
        &self.cookie
    }

    /// Where the gate answers itself.
    pub fn paths(&self) -> &OwnPaths {
        &self.paths
    }

    /// The tokens that are kept in a session.
    pub fn keep(&self) -> Keep {
        self.keep
    }
}

impl PublicUrl {
    /// The origin, as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same, taken apart.
    pub fn uri(&self) -> &HttpUri {
        &self.uri
    }

    /// Whether a request is for its host, whatever the port.
    pub fn is_host_of(&self, request: &Request<'_>) -> bool {
        self.uri.host().as_bytes().eq_ignore_ascii_case(authority::split(request.authority()).0)
    }
}

/// The cookies of logins that are under way, with `https` and without.
pub(crate) const LOGIN_COOKIES: [&str; 2] = ["__Host-jotgate-login", "jotgate-login"];

impl CookieSettings {
    /// The names of the gate's own cookies. Of a session, more than two parts are what something else has left.
    pub(crate) fn own_names(&self) -> impl Iterator<Item = String> {
        let parts = (1..10).map(|index| format!("{}.{index}", self.name));
        [self.name.clone()].into_iter().chain(parts).chain(LOGIN_COOKIES.map(String::from))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is for `https` alone.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// On which requests of other sites browsers send it.
    pub fn same_site(&self) -> SameSite {
        self.same_site
    }
}

impl Keep {
    /// Whether some token is kept.
    pub fn is_any(self) -> bool {
        self.id_token || self.access_token
    }
}

impl OwnPaths {
    /// All of them, each with what it is called in the configuration.
    pub fn all(&self) -> [(&'static str, &str); 5] {
        [
            ("login", &self.login),
            ("callback", &self.callback),
            ("logout", &self.logout),
            ("check", &self.check),
            ("session", &self.session),
        ]
    }
}

impl Default for OwnPaths {
    fn default() -> Self {
        let path = |name| format!("/.jotgate/{name}");
        Self {
            login: path("login"),
            callback: path("callback"),
            logout: path("logout"),
            check: path("check"),
            session: path("session"),
        }
    }
}
