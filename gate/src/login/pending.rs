//! A login under way: the browser's cookie, and the `state` that the provider hands back (RFC 6749 §10.12).
//!
//! The cookie says which browser it is, the state what it wanted, and neither is of use without the other. Code
//! verifier and nonce are derived from both, so no URL holds a secret, and no cookie grows with the attempts.

use std::fmt;
use std::time::Duration;

use jose::{Hash, base64url};
use oauth::Secret;
use oauth::pkce::Verifier;
use zeroize::Zeroizing;

use super::return_to::{Destinations, ReturnTo};
use crate::http::cookie::{exact, pairs, unquote};
use crate::http::set_cookie::{self, Attributes};
use crate::http::{Request, SameSite};
use crate::octets::{Fields, put, put_instant};
use crate::policy::{LOGIN_COOKIES, SessionSettings};
use crate::random::{NoRandomness, Randomness, draw};
use crate::sessions::{Keyring, Purpose};
use crate::time::Timestamp;

const VERSION: u8 = 1;
/// How long a login may take.
const LONGEST: Duration = Duration::from_mins(15);
/// How far the clocks of two proxies may differ.
const SKEW: Duration = Duration::from_mins(1);
/// The longest state: that of the longest return address has 1,512 octets.
const LONGEST_STATE: usize = 1_600;
/// How many login cookies of one request are read.
const COOKIES: usize = 16;

/// The octets by which a browser is known again, made once for all of its tabs.
#[derive(Clone)]
pub(crate) struct LoginCookie(Zeroizing<[u8; 32]>);

/// What a login is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pending {
    /// The index of the login. It is not sealed: the key is for one.
    pub(crate) login: usize,
    /// Another one for each attempt.
    pub(crate) flow: [u8; 16],
    pub(crate) return_to: ReturnTo,
    /// When it began.
    started: Timestamp,
}

/// A state that is this gate's and this browser's.
pub(crate) struct OpenedState {
    pub(crate) pending: Pending,
    cookie: LoginCookie,
    /// The index of the secret that it was sealed with.
    secret: usize,
}

/// What only the gate knows of a login until the browser is back.
pub(crate) struct Secrets {
    /// `nonce` (OpenID Connect Core 1.0 §3.1.2.1).
    pub(crate) nonce: Secret,
    /// `code_verifier` (RFC 7636).
    pub(crate) verifier: Verifier,
}

/// What is sealed of a login.
struct Sealed<'o> {
    flow: [u8; 16],
    started: Timestamp,
    /// The hash of the browser's cookie.
    cookie: &'o [u8],
    return_to: &'o str,
}

/// Why a state is refused, for the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum StateError {
    /// It is from further ahead than clocks differ.
    Early,
    /// The login has taken too long.
    Late,
    /// The browser has no login cookie.
    NoCookie,
    /// Another browser began it.
    OtherBrowser,
    /// The return address is none, or none any more.
    ReturnTo,
    /// It was not sealed here for this purpose.
    Seal,
}

impl LoginCookie {
    /// The one that the browser has.
    pub(crate) fn present(request: &Request<'_>, settings: &SessionSettings) -> Option<Self> {
        Self::all(request, settings).into_iter().next()
    }

    pub(crate) fn draw(random: &dyn Randomness) -> Result<Self, NoRandomness> {
        draw(random).map(|octets| Self(Zeroizing::new(octets)))
    }

    /// The `Set-Cookie` line that stores it, for as long as a login may take from now on.
    pub(crate) fn set(&self, settings: &SessionSettings) -> String {
        set_cookie::set(Self::name(settings), &base64url::encode(&*self.0), &attributes(settings))
    }

    /// The `Set-Cookie` line that deletes it.
    pub(crate) fn delete(settings: &SessionSettings) -> String {
        set_cookie::delete(Self::name(settings), &attributes(settings))
    }

    /// What it is called. The prefix keeps other hosts and connections that anybody may change from making one
    /// (RFC 6265bis §4.1.3.2).
    pub(crate) fn name(settings: &SessionSettings) -> &'static str {
        let [secure, plain] = LOGIN_COOKIES;
        if settings.cookie.is_secure { secure } else { plain }
    }

    /// Those that the browser has: of several, one may be of another path.
    fn all(request: &Request<'_>, settings: &SessionSettings) -> Vec<Self> {
        let name = Self::name(settings);
        let values = pairs(request).filter_map(|pair| unquote(exact(pair, name)?).ok());
        // 32 octets have 43 characters.
        let octets = values.filter(|value| value.len() == 43).take(COOKIES).filter_map(base64url::decode);
        octets.filter_map(|octets| Some(Self(Zeroizing::new(octets.try_into().ok()?)))).collect()
    }

    /// What the state says of it.
    fn hash(&self) -> Vec<u8> {
        Hash::Sha256.digest(&[b"jotgate login cookie", &*self.0])
    }
}

impl Pending {
    /// A login that begins now.
    pub(crate) fn draw(
        login: usize,
        return_to: ReturnTo,
        now: Timestamp,
        random: &dyn Randomness,
    ) -> Result<Self, NoRandomness> {
        Ok(Self { login, flow: draw(random)?, return_to, started: now })
    }

    /// The `state` of its authorization request, for the browser with that cookie: base64url, which every provider
    /// hands back as it was.
    pub(crate) fn seal(
        &self,
        cookie: &LoginCookie,
        keyring: &Keyring,
        random: &dyn Randomness,
    ) -> Result<String, NoRandomness> {
        let Self { flow, started, ref return_to, .. } = *self;
        let content = Sealed { flow, started, cookie: &cookie.hash(), return_to: return_to.as_str() };
        let sealed = keyring.seal(Purpose::State, self.login, b"", &content.encode(), random)?;
        Ok(base64url::encode(&sealed))
    }

    /// What goes with its state. `None` for a login that is not there.
    pub(crate) fn secrets(&self, cookie: &LoginCookie, keyring: &Keyring) -> Option<Secrets> {
        self.derive(cookie, keyring, 0)
    }

    /// Opens the `state` with which a browser came back, and holds it against the cookie that it has.
    pub(crate) fn open(
        state: &str,
        request: &Request<'_>,
        settings: &SessionSettings,
        now: Timestamp,
    ) -> Result<OpenedState, StateError> {
        let sealed = Some(state).filter(|state| state.len() <= LONGEST_STATE);
        let sealed = sealed.and_then(|state| base64url::decode(state.as_bytes())).ok_or(StateError::Seal)?;
        let opened = settings.keyring.open(Purpose::State, b"", &sealed).ok_or(StateError::Seal)?;
        let Sealed { flow, started, cookie: hash, return_to } = Sealed::decode(&opened.text).ok_or(StateError::Seal)?;
        if started > now.after(SKEW) {
            return Err(StateError::Early);
        }
        if now.since(started) > LONGEST {
            return Err(StateError::Late);
        }
        let cookies = LoginCookie::all(request, settings);
        let other = if cookies.is_empty() { StateError::NoCookie } else { StateError::OtherBrowser };
        let cookie = cookies.into_iter().find(|cookie| cookie.hash() == hash).ok_or(other)?;
        // What may be returned to may have changed since.
        let return_to = Destinations::from(settings).read(return_to).ok_or(StateError::ReturnTo)?;
        let pending = Self { login: opened.login, flow, return_to, started };
        Ok(OpenedState { pending, cookie, secret: opened.secret })
    }

    fn derive(&self, cookie: &LoginCookie, keyring: &Keyring, secret: usize) -> Option<Secrets> {
        let derive = |label| keyring.derive(self.login, secret, label, &[&*cookie.0, &self.flow]);
        let nonce = Secret::new(base64url::encode(&*derive("nonce")?));
        Some(Secrets { nonce, verifier: Verifier::from_octets(&*derive("code verifier")?) })
    }
}

impl OpenedState {
    /// What went with it when it was sealed, by the secret that was the first then.
    pub(crate) fn secrets(&self, keyring: &Keyring) -> Option<Secrets> {
        self.pending.derive(&self.cookie, keyring, self.secret)
    }
}

impl fmt::Debug for LoginCookie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LoginCookie")
    }
}

impl fmt::Debug for OpenedState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenedState").field("pending", &self.pending).finish_non_exhaustive()
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Early => "the state is from the future: the clocks of two proxies differ",
            Self::Late => "the state is older than 15 minutes",
            Self::NoCookie => "the login cookie is missing",
            Self::OtherBrowser => "the login cookie differs: another browser began the login",
            Self::ReturnTo => "the return address in the state is not allowed",
            Self::Seal => "the state does not open",
        })
    }
}

fn attributes(settings: &SessionSettings) -> Attributes<'static> {
    // A strict cookie would not be there when the provider sends the browser back.
    let is_secure = settings.cookie.is_secure;
    Attributes { domain: None, is_secure, max_age: Some(LONGEST), same_site: SameSite::Lax }
}

impl<'o> Sealed<'o> {
    fn encode(&self) -> Vec<u8> {
        let mut octets = vec![VERSION];
        octets.extend(self.flow);
        put_instant(&mut octets, self.started);
        put(&mut octets, self.cookie);
        put(&mut octets, self.return_to.as_bytes());
        octets
    }

    fn decode(octets: &'o [u8]) -> Option<Self> {
        let mut fields = Fields::new(octets);
        let [VERSION] = fields.array()? else { return None };
        let (flow, started) = (fields.array()?, fields.instant()?);
        let (cookie, return_to) = (fields.field()?, fields.text()?);
        fields.is_empty().then_some(Self { flow, started, cookie, return_to })
    }
}

#[cfg(test)]
mod tests;
