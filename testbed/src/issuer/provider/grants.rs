//! Codes, refresh tokens and access tokens. Times are arguments.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::behaviour::{Behaviour, Refresh};
use super::refusal::Refusal;
use crate::encoding::base64url;
use crate::keys::random;

/// How long a code is good for.
const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// What somebody has agreed to.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(super) client: String,
    pub(super) redirect_uri: String,
    /// `code_challenge` (RFC 7636 §4.2).
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    pub(super) user: Map<String, Value>,
    /// When the user logged in, since 1970.
    pub(super) at: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: BTreeMap<String, (Grant, bool)>,
    logins: Vec<Login>,
    /// Which login a refresh token is of.
    refresh: BTreeMap<String, RefreshToken>,
    /// Whose claims an access token gives.
    access: BTreeMap<String, (usize, Map<String, Value>)>,
    /// The claims of tokens that belong to no login, and that nobody else can read.
    opaque: BTreeMap<String, Map<String, Value>>,
}

#[derive(Debug)]
struct Login {
    grant: Grant,
    is_over: bool,
}

#[derive(Clone, Copy, Debug)]
struct RefreshToken {
    login: usize,
    rotated: Option<Duration>,
}

/// Which login something is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LoginId(usize);

impl Grants {
    pub(super) fn add_code(&mut self, grant: Grant) -> String {
        let code = secret();
        self.codes.insert(code.clone(), (grant, false));
        code
    }

    /// A code is good once, for the client and address that it was made for, and for who knows the verifier. A second
    /// use ends the login (RFC 6749 §4.1.2).
    pub(super) fn redeem(
        &mut self,
        code: &str,
        (client, redirect_uri, challenge): (&str, &str, &str),
        now: Duration,
    ) -> Result<(LoginId, Grant), Refusal> {
        let (grant, is_used) = self.codes.get_mut(code).ok_or(INVALID_GRANT)?;
        if std::mem::replace(is_used, true) {
            let is_meant = |login: &&mut Login| login.grant.challenge == grant.challenge && login.grant.at == grant.at;
            self.logins.iter_mut().filter(is_meant).for_each(|login| login.is_over = true);
            return Err(INVALID_GRANT);
        }
        let fits = grant.client == client && grant.redirect_uri == redirect_uri && grant.challenge == challenge;
        if !fits || now > grant.at + CODE_LIFETIME {
            return Err(INVALID_GRANT);
        }
        self.logins.push(Login { grant: grant.clone(), is_over: false });
        Ok((LoginId(self.logins.len() - 1), grant.clone()))
    }

    pub(super) fn add_refresh_token(&mut self, LoginId(login): LoginId) -> String {
        let token = secret();
        self.refresh.insert(token.clone(), RefreshToken { login, rotated: None });
        token
    }

    /// What a refresh token is good for; a replay may end its login.
    pub(super) fn refresh(
        &mut self,
        token: &str,
        client: &str,
        behaviour: &Behaviour,
        now: Duration,
    ) -> Result<(LoginId, Grant), Refusal> {
        let refresh = self.refresh.get_mut(token).ok_or(INVALID_GRANT)?;
        let login = self.logins.get_mut(refresh.login).filter(|login| login.grant.client == client && !login.is_over);
        let login = login.ok_or(INVALID_GRANT)?;
        let grace = Duration::from_millis(behaviour.grace_ms);
        if refresh.rotated.is_some_and(|rotated| now >= rotated + grace) {
            login.is_over |= behaviour.ends_replayed;
            return Err(INVALID_GRANT);
        }
        if behaviour.refresh == Refresh::Rotating {
            refresh.rotated.get_or_insert(now);
        }
        Ok((LoginId(refresh.login), login.grant.clone()))
    }

    pub(super) fn add_access_token(&mut self, LoginId(login): LoginId, token: &str, user: &Map<String, Value>) {
        self.access.insert(token.to_owned(), (login, user.clone()));
    }

    /// The claims that an access token gives.
    pub(super) fn user(&self, access_token: &str) -> Option<&Map<String, Value>> {
        let (login, user) = self.access.get(access_token)?;
        self.logins.get(*login).filter(|login| !login.is_over).map(|_| user)
    }

    /// A token that begins so, and says that to who asks for it.
    pub(crate) fn add_opaque(&mut self, prefix: &str, claims: Map<String, Value>) -> String {
        let token = format!("{prefix}{}", secret());
        self.opaque.insert(token.clone(), claims);
        token
    }

    /// What a token says that is no JWT.
    pub(super) fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        if let Some(claims) = self.opaque.get(token) {
            return Some(claims.clone());
        }
        let mut claims = self.user(token)?.clone();
        let (login, _) = self.access.get(token)?;
        let grant = &self.logins.get(*login)?.grant;
        claims.insert("client_id".into(), grant.client.clone().into());
        claims.insert("scope".into(), grant.scope.clone().into());
        Some(claims)
    }

    /// Ends the login that a token is of (RFC 7009 §2.1), or a token that is of none.
    pub(crate) fn revoke(&mut self, token: &str) {
        self.opaque.remove(token);
        let login = self.refresh.get(token).map(|refresh| refresh.login);
        let login = login.or_else(|| self.access.get(token).map(|(login, _)| *login));
        if let Some(login) = login.and_then(|login| self.logins.get_mut(login)) {
            login.is_over = true;
        }
    }

    /// Ends every login.
    pub(super) fn revoke_all(&mut self) {
        self.logins.iter_mut().for_each(|login| login.is_over = true);
    }
}

const INVALID_GRANT: Refusal = Refusal::new(400, "invalid_grant");

/// What nobody guesses.
pub(super) fn secret() -> String {
    base64url(random::<32>())
}
