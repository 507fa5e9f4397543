//! What authorization servers are asked, for logins and for credentials alike.

use std::time::Duration;

use jose::base64url;
use oauth::client::AssertionFacts;
use oauth::endpoint::Endpoint;
use oauth::metadata::Metadata;

use crate::callout::{Callout, CalloutFailure};
use crate::policy::Discovery;
use crate::question::{Answer, Question, Topic};
use crate::random::{NoRandomness, Randomness, draw};
use crate::time::Timestamp;

/// How long a client assertion is good.
const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);

/// The question for its metadata, of `max_body_bytes` at most.
pub(crate) fn ask_metadata(
    topic: Topic,
    (discovery, cluster): (&Discovery, &str),
    timeout: Duration,
    max_body_bytes: usize,
) -> Question {
    let uri = discovery.internal_uri.as_ref().unwrap_or(&discovery.uri);
    Question { topic, callout: Callout { max_body_bytes, ..Callout::get(cluster, uri, None, timeout) } }
}

/// Its metadata; `Err` says what is wrong with them.
pub(crate) fn read_metadata(answer: &Answer, discovery: &Discovery) -> Result<Metadata, String> {
    let unusable = |error: &dyn std::fmt::Display| format!("the discovery document is unusable: {error}");
    if answer.status != 200 {
        return Err(unusable(&format_args!("expected status 200, found {}", answer.status)));
    }
    Metadata::read(&answer.body, &discovery.issuer).map_err(|error| unusable(&error))
}

/// Makes a request that the client authenticates. `audience` is the endpoint that it goes to.
pub(crate) fn authenticated(
    audience: &Endpoint,
    random: &dyn Randomness,
    now: Timestamp,
    make: impl FnOnce(&AssertionFacts<'_>) -> oauth::Request,
) -> Result<oauth::Request, NoRandomness> {
    let jti = base64url::encode(&draw::<16>(random)?);
    Ok(make(&AssertionFacts {
        audience: audience.as_str(),
        jti: &jti,
        issued_at: now.since_epoch(),
        lifetime: ASSERTION_LIFETIME,
    }))
}

/// Of an endpoint that did not answer, for operators.
pub(crate) fn no_answer(endpoint: &str, failure: CalloutFailure) -> String {
    match failure {
        CalloutFailure::NoAnswer => format!("the {endpoint} endpoint did not answer in time"),
        CalloutFailure::NotSent { status } => format!(
            "the proxy did not send the request to the {endpoint} endpoint (status {status}): is there a cluster of \
             that name?"
        ),
    }
}
