//! What the gate said, in short.

use crate::http::Response;

/// Status and reason.
pub fn verdict(response: &Response) -> (u16, String) {
    let is_problem = response.header("content-type").as_deref() == Some("application/problem+json");
    let reason =
        if is_problem { response.json()["reason"].as_str().unwrap_or_default().to_string() } else { String::new() };
    (response.status, reason)
}

/// The verdict to expect; without a reason for requests that pass.
pub fn refused(status: u16, reason: &str) -> (u16, String) {
    (status, reason.to_string())
}
