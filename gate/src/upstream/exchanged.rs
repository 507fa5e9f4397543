//! What an authorization server gives for the token of the caller (RFC 8693).

use std::time::Duration;

use oauth::endpoint::Endpoint;
use oauth::token::{ExchangeGrant, ExchangeResponse, TokenTypeUri};
use oauth::{ResponseError, Secret};

use super::answered::{answer, failed, is_denied};
use super::caller::Caller;
use super::minted::{Lack, Minted};
use crate::authorization_server::{ask_metadata, authenticated, no_answer, read_metadata};
use crate::callout::Callout;
use crate::http::HttpUri;
use crate::known::Known;
use crate::policy::{KeptToken, SubjectToken, TokenEndpoint, TokenExchange, UpstreamCredential};
use crate::question::{Answer, Answered, Question, Step, Subject, Topic};

pub(super) fn mint(
    index: usize,
    credential: &UpstreamCredential,
    settings: &TokenExchange,
    caller: &Caller<'_>,
    known: &Known<'_>,
) -> Result<Minted, Lack> {
    let (token, kind) = subject_token(settings, caller).ok_or(Lack::Denied)?;
    let topic = Topic { subject: Subject::Credential(index, caller.digest), step: Step::Tokens };
    let (answer, ends) = answer(known, topic, || {
        let endpoint = token_endpoint(index, settings, known)?;
        let request = authenticated(&endpoint, known.random, known.verification.now, |facts| {
            grant(settings, &token, kind, |grant| grant.request(&settings.client, facts))
        });
        let request = request.map_err(|_| Lack::UNAVAILABLE)?;
        let callout = Callout::post(&settings.cluster, &HttpUri::from(&endpoint), &request, settings.timeout);
        Ok(Question { topic, callout })
    })?;
    let response = read(settings, answer).map_err(|error| failed(is_refused(&error)))?;
    Ok(Minted { value: credential.value(response.token.access_token.reveal()), ends })
}

/// How long the token of an answer is used, which may have been given when the answer was asked for.
pub(super) fn kept(settings: &TokenExchange, answered: &Answered, took: Duration) -> Option<Duration> {
    let response = read(settings, answered.as_ref().ok()?).ok()?;
    let lifetime = response.token.expires_in.map(|expires| expires.saturating_sub(expires / 10));
    Some(settings.cache_for.min(lifetime.unwrap_or(Duration::MAX)).saturating_sub(took))
}

/// What there is to say to operators about an answer that gives no token.
pub(super) fn trouble(settings: &TokenExchange, step: Step, answered: &Answered) -> Option<String> {
    match (answered, step, &settings.endpoint) {
        (Err(failure), Step::Metadata, _) => Some(no_answer("discovery", *failure)),
        (Err(failure), ..) => Some(no_answer("token", *failure)),
        (Ok(answer), Step::Metadata, TokenEndpoint::Discovered(place)) => match read_metadata(answer, &place.0) {
            Ok(metadata) if metadata.token.is_some() => None,
            Ok(_) => Some(String::from("the discovery document has no token endpoint that can be used")),
            Err(words) => Some(words),
        },
        (Ok(answer), ..) => read(settings, answer).err().map(|error| format!("the token endpoint {error}")),
    }
}

/// The token that is exchanged, and what it is.
fn subject_token(settings: &TokenExchange, caller: &Caller<'_>) -> Option<(Secret, TokenTypeUri)> {
    let kept = match settings.subject {
        SubjectToken::Credential => match caller.token {
            Some(token) => return Some((Secret::new(str::from_utf8(token).ok()?), TokenTypeUri::AccessToken)),
            None => KeptToken::Access,
        },
        SubjectToken::Kept(kept) => kept,
    };
    let kind = match kept {
        KeptToken::Access => TokenTypeUri::AccessToken,
        KeptToken::Id => TokenTypeUri::IdToken,
    };
    Some((caller.kept(kept)?.clone(), kind))
}

fn token_endpoint(index: usize, settings: &TokenExchange, known: &Known<'_>) -> Result<Endpoint, Lack> {
    let (discovery, cluster) = match &settings.endpoint {
        TokenEndpoint::Known(endpoint) => return Ok(endpoint.clone()),
        TokenEndpoint::Discovered(place) => &**place,
    };
    // One document for all callers.
    let topic = Topic { subject: Subject::Credential(index, [0; 32]), step: Step::Metadata };
    let max_body_bytes = known.verification.policy.limits.key_set_bytes;
    let (found, _) =
        answer(known, topic, || Ok(ask_metadata(topic, (discovery, cluster), settings.timeout, max_body_bytes)))?;
    let metadata = read_metadata(found, discovery).map_err(|_| Lack::UNAVAILABLE)?;
    metadata.token.ok_or(Lack::UNAVAILABLE)
}

fn grant<R>(
    settings: &TokenExchange,
    token: &Secret,
    kind: TokenTypeUri,
    use_it: impl FnOnce(&ExchangeGrant<'_>) -> R,
) -> R {
    let [audiences, resources, scopes] = [&settings.audiences, &settings.resources, &settings.scopes]
        .map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
    use_it(&ExchangeGrant {
        subject_token: token,
        subject_token_type: kind,
        audiences: &audiences,
        resources: &resources,
        scopes: &scopes,
        requested_token_type: settings.requested,
    })
}

fn read(settings: &TokenExchange, answer: &Answer) -> Result<ExchangeResponse, ResponseError> {
    let response = ExchangeResponse::read(answer.status, &answer.body, settings.requested)?;
    match response.issued_token_type {
        // Whoever has it gets tokens in the name of the caller.
        TokenTypeUri::RefreshToken => Err(ResponseError::Invalid {
            member: "issued_token_type",
            expected: "another type than that of refresh tokens",
        }),
        _ => Ok(response),
    }
}

/// Whether the authorization server does not give this caller a token.
fn is_refused(error: &ResponseError) -> bool {
    matches!(error, ResponseError::Refused { status, .. } if is_denied(*status))
}
