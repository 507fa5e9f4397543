//! A session whose claims are fetched again, with its refresh token (RFC 6749 §6, OpenID Connect Core 1.0 §12).

use jose::json::{Document, Value};
use oauth::id_token::Original;
use oauth::token::{RefreshGrant, TokenResponse};
use oauth::{Secret, revocation};

use super::exchange::{Exchange, ProviderFacts, required};
use super::failure::{Failed, Stop};
use super::identify::{Expected, Identified};
use crate::json_text;
use crate::policy::ClaimsFrom;
use crate::question::{Question, Step, Subject, Topic};
use crate::report::LoginFailure;
use crate::sessions::Session;

/// A session that follows another, and what failed where it has newer tokens, but not newer claims.
pub(crate) type Renewed<S> = Result<(S, Option<Failed>), Stop>;

impl Exchange<'_> {
    /// The session that follows `session`. Where the issuer gave tokens and then no claims, it has its old ones, and why is
    /// said beside it: the refresh token that was used is good no more.
    pub(crate) fn renew(&self, session: &Session) -> Renewed<Session> {
        let subject = Subject::Session(session.id, session.generation);
        let tokens = self.refreshed(session, subject)?;
        if tokens.id_token.is_none() && self.is_of_id_tokens() && session.claims_digest != self.kept.digest() {
            // What it does not have must not pass for absent.
            let words = "more claims are read than the session has, and no ID token came";
            return Err(Failed::new(LoginFailure::Grant, words).into());
        }
        let document = Document::parse(session.claims.as_bytes()).map_err(|_| odd_session())?;
        let claims = document.root();
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let nonce = text("nonce");
        let own_nonce = nonce.map(Secret::new);
        let (issuer, subject_claim) = (text("iss").unwrap_or_default(), text("sub").ok_or_else(odd_session)?);
        let original = Original { issuer, subject: subject_claim, nonce: own_nonce.as_ref() };
        let own = own_claims(session, claims);
        let own = Document::parse(own.as_bytes()).map_err(|_| odd_session())?;
        let mut next = session.clone();
        let now = self.verification.now;
        next.generation = next.generation.saturating_add(1);
        next.last_seen = now;
        next.refresh_token = tokens.refresh_token.clone().or(next.refresh_token);
        let identified = self.identify(&tokens, subject, Expected::Same(original, own.root()));
        let Identified { claims: found, from_userinfo, expires } = match identified {
            // The tokens are not another user's: that is a failure of another cause.
            Err(Stop::Failed(failed))
                if matches!(failed.cause, LoginFailure::Provider | LoginFailure::Unavailable)
                    && tokens.refresh_token.is_some() =>
            {
                return Ok((next, Some(failed)));
            }
            identified => identified?,
        };
        let found = Document::parse(found.as_bytes()).map_err(|_| odd_session())?;
        let keep = self.browser.session.keep;
        next.claims_at = now;
        next.fresh_until = expires;
        next.from_userinfo = from_userinfo;
        next.claims = self.kept.select(found.root(), nonce);
        next.claims_digest = self.kept.digest();
        next.id_token = tokens.id_token.or(next.id_token).filter(|_| keep.id_token);
        next.access_token = Some(tokens.access_token).filter(|_| keep.access_token);
        Ok((next, None))
    }

    /// Whether claims come from ID tokens.
    fn is_of_id_tokens(&self) -> bool {
        self.login.claims_from == ClaimsFrom::IdToken && self.login.provider.is_open_id_connect()
    }

    fn refreshed(&self, session: &Session, subject: Subject) -> Result<TokenResponse, Stop> {
        let token = session.refresh_token.as_ref().ok_or_else(odd_session)?;
        let topic = Topic { subject, step: Step::Tokens };
        let answer = self.answer("token", topic, || {
            let provider = self.provider()?;
            let endpoint = required("token", provider.endpoints.token.as_ref())?;
            let grant = RefreshGrant { refresh_token: token, scopes: &[] };
            let request = self.authenticated(endpoint, |facts| grant.request(&self.login.client, facts))?;
            Ok(Question { topic, callout: self.post(endpoint, &request) })
        })?;
        Ok(TokenResponse::read(answer.status, &answer.body).map_err(|error| Failed::at("token", &error))?)
    }

    /// The question by which a session's refresh token is given back (RFC 7009), where the provider takes it.
    pub(crate) fn revocation(&self, session: &Session, provider: &ProviderFacts) -> Option<Question> {
        let endpoint = provider.endpoints.revocation.as_ref()?;
        let token = session.refresh_token.as_ref()?;
        let topic = Topic { subject: Subject::Session(session.id, session.generation), step: Step::Revocation };
        let request = self
            .authenticated(endpoint, |facts| revocation::refresh_token_request(token, &self.login.client, facts))
            .ok()?;
        Some(Question { topic, callout: self.post(endpoint, &request) })
    }
}

/// The claims of a session that did not come from the userinfo endpoint: what that says no more is no claim any more.
fn own_claims(session: &Session, claims: Value<'_>) -> String {
    let names = session.from_userinfo.as_deref().unwrap_or("[]");
    let names = Document::parse(names.as_bytes()).ok();
    let is_own = |name: &str| {
        let mut names = names.iter().flat_map(|names| names.root().elements());
        !names.any(|found| found.as_str() == Some(name))
    };
    json_text::object(claims.members().filter(|(name, _)| is_own(name)))
}

/// A session that no login makes.
fn odd_session() -> Failed {
    Failed::new(LoginFailure::IdToken, "the session has no claims of a user, or no refresh token")
}
