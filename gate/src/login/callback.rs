//! A browser that is back from its provider (RFC 6749 §4.1.2 and §4.1.3, RFC 9207).

use oauth::authorization::Callback;
use oauth::id_token::Login as Expectation;
use oauth::token::{CodeGrant, TokenResponse};

use jose::json::Document;

use super::exchange::{Exchange, required};
use super::failure::{Failed, Stop};
use super::identify::{Expected, Identified};
use super::page::continuation;
use super::pending::{LoginCookie, OpenedState, Pending};
use super::reply::see;
use super::start::no_keys;
use crate::http::{Reply, Request};
use crate::policy::{Browser, SameSite};
use crate::question::{Question, Step, Subject, Topic};
use crate::random::draw;
use crate::report::LoginFailure;
use crate::sessions::{Session, SessionCookies, open};
use crate::time::Timestamp;

/// A callback whose state is this gate's, and this browser's.
#[derive(Debug)]
pub(crate) struct Returned {
    callback: Callback,
    state: OpenedState,
}

impl Returned {
    /// Reads the query, opens the state, and holds it against the browser's cookie.
    pub(crate) fn read(browser: &Browser, request: &Request<'_>, now: Timestamp) -> Result<Self, Failed> {
        let callback = Callback::read(request.query().unwrap_or_default())?;
        let state = Pending::open(callback.state(), request, &browser.session, now);
        let state = state.map_err(|error| Failed::new(LoginFailure::State, error))?;
        Ok(Self { callback, state })
    }

    /// What the login was to come to.
    pub(crate) fn pending(&self) -> &Pending {
        &self.state.pending
    }
}

impl Exchange<'_> {
    /// Redeems the code, and begins a session.
    pub(crate) fn finish(&self, request: &Request<'_>, returned: Returned) -> Result<Reply, Stop> {
        let Returned { callback, state } = returned;
        let settings = &self.browser.session;
        let provider = self.provider()?;
        let issuer = self.expected_issuer(&callback);
        let code = callback.code(&issuer, provider.sends_issuer).map_err(Failed::from)?;
        let secrets = state.secrets(&settings.keyring).ok_or_else(no_keys)?;
        let subject = Subject::Flow(state.pending.flow);
        let topic = Topic { subject, step: Step::Tokens };
        let answer = self.answer("token", topic, || {
            let endpoint = required("token", provider.endpoints.token.as_ref())?;
            let redirect_uri = self.redirect_uri();
            let grant = CodeGrant { code: &code, redirect_uri: &redirect_uri, verifier: &secrets.verifier };
            let request = self.authenticated(endpoint, |facts| grant.request(&self.login.client, facts))?;
            Ok(Question { topic, callout: self.post(endpoint, &request) })
        })?;
        let tokens = TokenResponse::read(answer.status, &answer.body).map_err(|error| Failed::at("token", &error))?;
        let expected = Expectation { nonce: &secrets.nonce, max_age: self.login.max_age };
        let identified = self.identify(&tokens, subject, Expected::Anyone(expected))?;
        let nonce = self.login.provider.is_open_id_connect().then(|| secrets.nonce.reveal());
        let session = self.begin(&state.pending, &identified, nonce, tokens)?;
        self.welcome(request, &session, &state.pending)
    }

    /// `iss`, as it should be: of an issuer with tenants, that of any of them.
    fn expected_issuer(&self, callback: &Callback) -> String {
        let tenants = self.issuer.tenants();
        let of_tenant =
            callback.issuer().filter(|found| tenants.is_some_and(|tenants| tenants.tenant_in(found).is_some()));
        of_tenant.unwrap_or(&self.issuer.identifier).to_string()
    }

    fn begin(
        &self,
        pending: &Pending,
        who: &Identified,
        nonce: Option<&str>,
        tokens: TokenResponse,
    ) -> Result<Session, Stop> {
        let claims = Document::parse(who.claims.as_bytes())
            .map_err(|error| Failed::new(LoginFailure::IdToken, format_args!("the claims are unusable: {error}")))?;
        let keep = self.browser.session.keep;
        let now = self.verification.now;
        Ok(Session {
            id: draw(self.random)?,
            generation: 0,
            login: self.index,
            flow: pending.flow,
            created: now,
            last_seen: now,
            claims_at: now,
            fresh_until: who.expires,
            claims: self.kept.select(claims.root(), nonce),
            claims_digest: self.kept.digest(),
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token.filter(|_| keep.id_token),
            access_token: Some(tokens.access_token).filter(|_| keep.access_token),
            from_userinfo: who.from_userinfo.clone(),
            role: None,
        })
    }

    /// Sends the browser to where it wanted to go, with its session.
    fn welcome(&self, request: &Request<'_>, session: &Session, pending: &Pending) -> Result<Reply, Stop> {
        let settings = &self.browser.session;
        let cookies = SessionCookies::new(settings);
        let text = cookies.seal(session, self.random).map_err(Failed::from)?;
        // What cannot be used is not written.
        open(text.as_bytes(), self.browser, self.verification.policy)
            .map_err(|error| Failed::new(LoginFailure::IdToken, error))?;
        // After a chain of redirects from another site, a browser would not send a strict cookie.
        let mut reply = match settings.cookie.same_site {
            SameSite::Strict => continuation(&pending.return_to),
            SameSite::Lax | SameSite::None => see(pending.return_to.as_str()),
        };
        let present = cookies.parts_in(request);
        let lines = cookies.set(&text, session, self.verification.now, &present);
        reply.headers.extend(lines.into_iter().map(|line| ("set-cookie", line)));
        reply.headers.push(("set-cookie", LoginCookie::delete(settings)));
        Ok(reply)
    }
}
