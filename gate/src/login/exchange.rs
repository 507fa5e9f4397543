//! An exchange with a provider: its endpoints, what is sent to them, and what was answered.

use oauth::Secret;
use oauth::client::AssertionFacts;
use oauth::endpoint::Endpoint;

use super::failure::{Failed, Stop};
use crate::authorization_server::{ask_metadata, authenticated, read_metadata};
use crate::callers::Verification;
use crate::callout::Callout;
use crate::http::HttpUri;
use crate::policy::{Browser, Endpoints, Issuer, Login, Provider};
use crate::question::{Answer, AnswersAtHand, Question, Step, Subject, Topic};
use crate::random::Randomness;
use crate::report::LoginFailure;
use crate::sessions::KeptClaims;

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
    pub(crate) answers: AnswersAtHand<'x>,
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
        answers: AnswersAtHand<'x>,
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
        let max_body_bytes = self.verification.policy.limits.key_set_bytes;
        let ask = || Ok(ask_metadata(topic, (discovery, cluster), self.login.timeout, max_body_bytes));
        let answer = self.answer("discovery", topic, ask)?;
        let found = read_metadata(answer, discovery).map_err(|error| Failed::new(LoginFailure::Unavailable, error))?;
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
        let (answered, _) = self.answers.get(&topic, self.verification.steady)?;
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
        Ok(authenticated(audience, self.random, self.verification.now, make)?)
    }
}

/// An endpoint that there has to be.
pub(crate) fn required<'e>(name: &str, endpoint: Option<&'e Endpoint>) -> Result<&'e Endpoint, Stop> {
    endpoint.ok_or_else(|| {
        let words = format!("the provider has no {name} endpoint: neither its discovery document nor `endpoints` do");
        Failed::new(LoginFailure::Provider, words).into()
    })
}
