//! An exchange with a provider: its endpoints, what is sent to them, and what was answered.

use std::time::Duration;

use jose::base64url;
use oauth::Secret;
use oauth::client::AssertionFacts;
use oauth::endpoint::Endpoint;
use oauth::metadata::Metadata;

use super::failure::{Failed, Stop};
use crate::callers::Verification;
use crate::callout::Callout;
use crate::http::HttpUri;
use crate::policy::{Browser, Endpoints, Issuer, Login, Provider};
use crate::question::{Answer, Answers, Question, Step, Subject, Topic};
use crate::random::{Randomness, draw};
use crate::report::LoginFailure;
use crate::sessions::KeptClaims;

/// How long a client assertion is good.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);

/// What an exchange is made with.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'x> {
    pub(crate) browser: &'x Browser,
    pub(crate) login: &'x Login,
    /// Its index.
    pub(crate) index: usize,
    pub(crate) issuer: &'x Issuer,
    pub(crate) verification: &'x Verification<'x>,
    pub(crate) random: &'x dyn Randomness,
    pub(crate) answers: &'x Answers,
    /// What of the claims of its users sessions keep.
    pub(crate) kept: &'x KeptClaims,
}

/// What a provider says of itself, as far as the configuration does not say it.
#[derive(Clone, Debug)]
pub(crate) struct ProviderFacts {
    pub(crate) endpoints: Endpoints,
    /// Whether each callback has `iss` (RFC 9207 §3).
    pub(crate) sends_issuer: bool,
}

impl<'x> Exchange<'x> {
    /// An exchange for the login of that index.
    pub(crate) fn new(
        browser: &'x Browser,
        index: usize,
        verification: &'x Verification<'x>,
        random: &'x dyn Randomness,
        answers: &'x Answers,
        kept: &'x [KeptClaims],
    ) -> Option<Self> {
        let login = browser.logins.get(index)?;
        let issuer = verification.policy.issuers.get(login.issuer)?;
        let kept = kept.get(index)?;
        Some(Self { browser, login, index, issuer, verification, random, answers, kept })
    }

    /// What is known of the provider.
    pub(crate) fn provider(&self) -> Result<ProviderFacts, Stop> {
        let configured = &self.login.endpoints;
        let Provider::OpenIdConnect { discovery: Some((discovery, cluster)) } = &self.login.provider else {
            return Ok(ProviderFacts { endpoints: configured.clone(), sends_issuer: false });
        };
        let topic = Topic { subject: Subject::Provider(self.index), step: Step::Metadata };
        let uri = discovery.internal_uri.as_ref().unwrap_or(&discovery.uri);
        let ask = || {
            let max_body_bytes = self.verification.policy.limits.key_set_bytes;
            Ok(Question { topic, callout: Callout { max_body_bytes, ..self.get(cluster, uri, None) } })
        };
        let answer = self.answer("discovery", topic, ask)?;
        let unusable = |error: &dyn std::fmt::Display| {
            Failed::new(LoginFailure::Unavailable, format_args!("the discovery document is unusable: {error}"))
        };
        if answer.status != 200 {
            return Err(unusable(&format_args!("expected status 200, found {}", answer.status)).into());
        }
        let found = Metadata::read(&answer.body, &discovery.issuer).map_err(|error| unusable(&error))?;
        let pick = |configured: &Option<Endpoint>, found: Option<Endpoint>| configured.clone().or(found);
        Ok(ProviderFacts {
            endpoints: Endpoints {
                authorization: pick(&configured.authorization, found.authorization),
                end_session: pick(&configured.end_session, found.end_session),
                revocation: pick(&configured.revocation, found.revocation),
                token: pick(&configured.token, found.token),
                userinfo: pick(&configured.userinfo, found.userinfo),
            },
            sends_issuer: found.sends_issuer,
        })
    }

    /// What was answered; until then, the question.
    pub(crate) fn answer(
        &self,
        endpoint: &str,
        topic: Topic,
        ask: impl FnOnce() -> Result<Question, Stop>,
    ) -> Result<&'x Answer, Stop> {
        self.known(endpoint, topic).unwrap_or_else(|| Err(ask()?.into()))
    }

    /// What was answered, if anything was.
    fn known(&self, endpoint: &str, topic: Topic) -> Option<Result<&'x Answer, Stop>> {
        let answered = self.answers.get(&topic, self.verification.steady)?;
        Some(answered.as_ref().map_err(|&failure| Failed::no_answer(endpoint, failure).into()))
    }

    /// A POST to an endpoint of the provider.
    pub(crate) fn post(&self, endpoint: &Endpoint, request: &oauth::Request) -> Callout {
        Callout::post(&self.login.cluster, &HttpUri::from(endpoint), request, self.login.timeout)
    }

    /// A GET, with an access token (RFC 6750 §2.1).
    pub(crate) fn get(&self, cluster: &str, uri: &HttpUri, token: Option<&Secret>) -> Callout {
        Callout::get(cluster, uri, token, self.login.timeout)
    }

    /// Makes a request that the client authenticates. `audience` is the endpoint that it goes to.
    pub(crate) fn authenticated(
        &self,
        audience: &Endpoint,
        make: impl FnOnce(&AssertionFacts<'_>) -> oauth::Request,
    ) -> Result<oauth::Request, Stop> {
        let jti = base64url::encode(&draw::<16>(self.random)?);
        Ok(make(&AssertionFacts {
            audience: audience.as_str(),
            jti: &jti,
            issued_at: self.verification.now.since_epoch(),
            lifetime: ASSERTION_LIFETIME,
        }))
    }
}

/// An endpoint that there has to be.
pub(crate) fn required<'e>(name: &str, endpoint: Option<&'e Endpoint>) -> Result<&'e Endpoint, Stop> {
    endpoint.ok_or_else(|| {
        let words = format!("the provider has no {name} endpoint: neither its discovery document nor `endpoints` do");
        Failed::new(LoginFailure::Provider, words).into()
    })
}
