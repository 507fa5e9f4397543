//! A session whose claims are fetched again, with its refresh token (RFC 6749 §6, OpenID Connect Core 1.0 §12).

use jose::json::{Document, Value};
use oauth::id_token::Original;
use oauth::token::{RefreshGrant, TokenResponse};
use oauth::{Secret, revocation};

use super::exchange::{Exchange, ProviderFacts, required};
use super::failure::{Failed, Stop};
use super::identify::{Expected, Identified};
use crate::json_text;
use crate::question::{Question, Step, Subject, Topic};
use crate::report::LoginFailure;
use crate::sessions::Session;

impl Exchange<'_> {
    /// The session that follows `session`.
    pub(crate) fn renew(&self, session: &Session) -> Result<Session, Stop> {
        let subject = Subject::Session(session.id, session.generation);
        let tokens = self.refreshed(session, subject)?;
        let document = Document::parse(session.claims.as_bytes()).map_err(|_| odd_session())?;
        let claims = document.root();
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let nonce = text("nonce").map(Secret::new);
        let (issuer, subject_claim) = (text("iss").unwrap_or_default(), text("sub").ok_or_else(odd_session)?);
        let original = Original { issuer, subject: subject_claim, nonce: nonce.as_ref() };
        let own = own_claims(session, claims);
        let own = Document::parse(own.as_bytes()).map_err(|_| odd_session())?;
        let Identified { claims: found, from_userinfo, expires } =
            self.identify(&tokens, subject, Expected::Same(original, own.root()))?;
        let found = Document::parse(found.as_bytes()).map_err(|_| odd_session())?;
        let keep = self.browser.session.keep;
        let now = self.verification.now;
        Ok(Session {
            generation: session.generation.saturating_add(1),
            last_seen: now,
            claims_at: now,
            fresh_until: expires,
            from_userinfo,
            claims: with_nonce(self.kept.select(found.root()), found.root(), claims),
            claims_digest: self.kept.digest(),
            refresh_token: tokens.refresh_token.or_else(|| session.refresh_token.clone()),
            id_token: tokens.id_token.or_else(|| session.id_token.clone()).filter(|_| keep.id_token),
            access_token: Some(tokens.access_token).filter(|_| keep.access_token),
            ..session.clone()
        })
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

/// `kept`, what is kept of `found`, with the nonce of `before`: refreshed tokens rarely have one, and one that comes later
/// is that of the login all the same (OpenID Connect Core 1.0 §12.2).
fn with_nonce(kept: String, found: Value<'_>, before: Value<'_>) -> String {
    let has_one = found.get("nonce").is_some_and(|nonce| !nonce.is_null());
    match (kept.strip_suffix('}'), before.get("nonce").filter(|_| !has_one)) {
        // Whose session it is stands before it.
        (Some(kept), Some(nonce)) => [kept, ",\"nonce\":", &json_text::compact(nonce), "}"].concat(),
        _ => kept,
    }
}

/// A session that no login makes.
fn odd_session() -> Failed {
    Failed::new(LoginFailure::IdToken, "the session has no claims of a user, or no refresh token")
}
