//! Why a login failed, for people and for programs.

use super::failure::Failed;
use super::navigation::Asker;
use super::page::{Failure, failed as failed_page};
use super::reply::problem_reply;
use super::return_to::ReturnTo;
use super::start::Wanted;
use crate::http::{Reply, Request};
use crate::policy::Browser;
use crate::report::{LoginFailure, Reason};

/// Seconds after which another try makes sense, where a provider cannot answer.
const RETRY_AFTER: u64 = 5;

/// Why a login failed: a page for people, a problem document for everything else. Nothing of the request is in it.
pub(crate) fn login_failed(browser: &Browser, request: &Request<'_>, failed: &Failed, return_to: &ReturnTo) -> Reply {
    let claims: Vec<_> = failed.claims.iter().map(String::as_str).collect();
    let failure = match failed.cause {
        LoginFailure::Denied => Failure::Denied,
        LoginFailure::TooLarge => Failure::TooLarge { claims: &claims },
        LoginFailure::Randomness | LoginFailure::Unavailable => Failure::Unavailable { retry_after: RETRY_AFTER },
        LoginFailure::Grant
        | LoginFailure::IdToken
        | LoginFailure::Issuer
        | LoginFailure::Provider
        | LoginFailure::State => Failure::Invalid,
    };
    if Asker::of(request) != Asker::Other {
        let again = Wanted { return_to: return_to.clone(), asks_again: false }.href(browser, None);
        return failed_page(failure, &again);
    }
    let reason = Reason::LoginFailed;
    let mut reply = problem_reply(failure.status(), reason.detail(), Some(reason.name()));
    if let Failure::Unavailable { retry_after } = failure {
        reply.headers.push(("retry-after", retry_after.to_string()));
    }
    reply
}
