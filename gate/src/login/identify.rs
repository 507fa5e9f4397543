//! From the tokens that a provider gave to the claims of a user.

use std::time::Duration;

use jose::claims::NumericDate;
use jose::json::Value;
use jose::jws::{EncodedToken, Token};
use oauth::Secret;
use oauth::id_token::{self, Context, Original};
use oauth::token::TokenResponse;
use oauth::userinfo::UserInfo;

use super::exchange::{Exchange, required};
use super::failure::{Failed, Stop, of_token};
use crate::callers::{Claimed, Evidence};
use crate::http::HttpUri;
use crate::json_text;
use crate::policy::{ClaimsFrom, Provider};
use crate::question::{Question, Step, Subject, Topic};
use crate::report::LoginFailure;
use crate::time::Timestamp;

/// Whose tokens they have to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected<'e> {
    /// Those of whoever logs in now.
    Anyone(id_token::Login<'e>),
    /// Those of who has the session: whose claims stay where no ID token came (OpenID Connect Core 1.0 §12.2).
    Same(Original<'e>, Value<'e>),
}

/// Who somebody is.
#[derive(Clone, Debug)]
pub(crate) struct Identified {
    /// A JSON object.
    pub(crate) claims: String,
    /// The names of those that came from the userinfo endpoint: a JSON list.
    pub(crate) from_userinfo: Option<String>,
    /// `exp` of the token that they are from; none where no such token came.
    pub(crate) expires: Option<Timestamp>,
}

impl Exchange<'_> {
    /// Who the tokens say that somebody is. Further questions are about `subject`.
    pub(crate) fn identify(
        &self,
        tokens: &TokenResponse,
        subject: Subject,
        expected: Expected<'_>,
    ) -> Result<Identified, Stop> {
        if let Provider::GitHub(github) = &self.login.provider {
            return self.identify_on_github(github, tokens, subject, expected);
        }
        let encoded = tokens.id_token.as_ref().map(|token| self.decode("ID token", token)).transpose()?;
        let id_token = encoded.as_ref().map(|encoded| self.verify_id_token(encoded, tokens, expected)).transpose()?;
        let id_claims = match (&id_token, expected) {
            (Some(token), _) => token.claims(),
            (None, Expected::Same(_, claims)) => claims,
            (None, Expected::Anyone(_)) => {
                let words = "the token endpoint answered without an ID token: is `openid` among the scopes?";
                return Err(Failed::new(LoginFailure::IdToken, words).into());
            }
        };
        let user = id_claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        let encoded = match self.login.claims_from {
            ClaimsFrom::IdToken => None,
            ClaimsFrom::AccessToken => Some(self.decode("access token", &tokens.access_token)?),
        };
        let access_evidence =
            encoded.as_ref().map(|encoded| self.verify_access_token(encoded, id_claims)).transpose()?;
        let access_claims = access_evidence.as_ref().map(Evidence::claims);
        let expires = access_claims.or(id_token.as_ref().map(Token::claims)).and_then(expiry);
        let claims = access_claims.unwrap_or(id_claims);
        if self.login.userinfo {
            return self.merge_userinfo(claims, user, tokens, subject).map(|who| Identified { expires, ..who });
        }
        Ok(Identified { claims: json_text::compact(claims), from_userinfo: None, expires })
    }

    fn decode<'t>(&self, name: &str, token: &'t Secret) -> Result<EncodedToken<'t>, Stop> {
        let mut claimed = Claimed::default();
        let decoded = self.verification.decode(token.reveal().as_bytes(), &mut claimed);
        decoded.map_err(|failure| of_token(name, failure, None))
    }

    fn verify_id_token<'e>(
        &self,
        encoded: &'e EncodedToken<'e>,
        tokens: &TokenResponse,
        expected: Expected<'_>,
    ) -> Result<Token<'e>, Stop> {
        let mut claimed = Claimed::default();
        let verified = self.verification.verify_id_token(encoded, self.login.issuer, &mut claimed);
        let token = verified.map_err(|failure| of_token("ID token", failure, claimed.detail.as_deref()))?;
        let context = Context {
            client_id: self.login.client.id(),
            access_token: &tokens.access_token,
            now: self.verification.now.since_epoch(),
            clock_skew: self.issuer.clock_skew,
        };
        let checked = match &expected {
            Expected::Anyone(login) => id_token::check(&token, &context, login),
            Expected::Same(original, _) => id_token::check_refreshed(&token, &context, original),
        };
        checked.map_err(Failed::from)?;
        Ok(token)
    }

    /// RFC 9068 §4, by the ordinary checks of its issuer; it is the ID token's user's, of the same tenant.
    fn verify_access_token<'e>(&self, encoded: &'e EncodedToken<'e>, user: Value<'_>) -> Result<Evidence<'e>, Stop> {
        let mut claimed = Claimed::default();
        let evidence = self.verification.verify(encoded, &mut claimed);
        let evidence = evidence.map_err(|failure| of_token("access token", failure, claimed.detail.as_deref()))?;
        let is_same = |name: &str| {
            let found = evidence.claims().get(name).and_then(Value::as_str);
            found.is_some() && found == user.get(name).and_then(Value::as_str)
        };
        let is_theirs = is_same("sub")
            && evidence.issuer() == self.login.issuer
            && (self.issuer.tenants().is_none() || is_same("iss"));
        match is_theirs {
            true => Ok(evidence),
            false => Err(Failed::new(LoginFailure::IdToken, "the access token is another user's").into()),
        }
    }

    fn merge_userinfo(
        &self,
        claims: Value<'_>,
        user: &str,
        tokens: &TokenResponse,
        subject: Subject,
    ) -> Result<Identified, Stop> {
        let provider = self.provider()?;
        let endpoint = HttpUri::from(required("userinfo", provider.endpoints.userinfo.as_ref())?);
        let topic = Topic { subject, step: Step::Claims(0) };
        let callout = || self.get(&self.login.cluster, &endpoint, Some(&tokens.access_token));
        let answer = self.answer("userinfo", topic, || Ok(Question { topic, callout: callout() }))?;
        let found =
            UserInfo::read(answer.status, &answer.body, user).map_err(|error| Failed::at("userinfo", &error))?;
        let names = found.claims().map(|(name, _)| name).filter(|name| self.kept.keeps(name));
        let names = serde_json::Value::from(names.collect::<Vec<_>>()).to_string();
        Ok(Identified { claims: found.merge_into(claims), from_userinfo: Some(names), expires: None })
    }
}

/// `exp`, rounded down to whole seconds.
pub(crate) fn expiry(claims: Value<'_>) -> Option<Timestamp> {
    let date = NumericDate::from_claim(claims.get("exp")?)?;
    Some(Timestamp::default().after(Duration::from_secs(date.floor())))
}
