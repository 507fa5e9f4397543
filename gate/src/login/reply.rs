//! Answers to browsers that are no pages.

use crate::answer::{PROBLEM, problem};
use crate::http::Reply;

/// Sends the browser to another place, by a GET (RFC 9110 §15.4.4). What it tells that place about this one is nothing.
pub(crate) fn see(location: &str) -> Reply {
    let mut reply = status(303);
    reply.headers.push(("location", location.to_string()));
    reply.headers.push(("referrer-policy", String::from("no-referrer")));
    reply
}

/// An answer without a body.
pub(crate) fn status(status: u16) -> Reply {
    Reply { status, headers: vec![("cache-control", String::from("no-store"))], body: String::new(), grpc_status: None }
}

/// The path has other methods.
pub(crate) fn method_not_allowed(allowed: &str) -> Reply {
    let mut reply = problem_reply(405, "this path has other methods", None);
    reply.headers.push(("allow", allowed.to_string()));
    reply
}

/// A problem document (RFC 9457).
pub(crate) fn problem_reply(code: u16, detail: &str, reason: Option<&str>) -> Reply {
    let mut reply = status(code);
    reply.headers.push(("content-type", String::from(PROBLEM)));
    reply.body = problem(code, detail, reason);
    reply
}
