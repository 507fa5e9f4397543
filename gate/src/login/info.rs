//! What pages may know of a session: who is logged in, and for how long. No tokens.

use std::time::Duration;

use serde_json::{Map, json};

use crate::http::Reply;
use crate::policy::OwnPaths;

/// Who is logged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedIn<'i> {
    pub(crate) subject: &'i str,
    pub(crate) name: Option<&'i str>,
    pub(crate) email: Option<&'i str>,
    /// How long the session has, if nothing happens.
    pub(crate) expires_in: Duration,
}

const HEADERS: [(&str, &str); 3] =
    [("cache-control", "no-store"), ("content-type", "application/json"), ("x-content-type-options", "nosniff")];

/// The answer, to anyone who asks.
pub(crate) fn info(logged_in: Option<LoggedIn<'_>>, paths: &OwnPaths) -> Reply {
    let mut members = Map::new();
    members.insert("authenticated".to_string(), json!(logged_in.is_some()));
    if let Some(LoggedIn { subject, name, email, expires_in }) = logged_in {
        members.insert("subject".to_string(), json!(subject));
        members.extend(name.map(|name| ("name".to_string(), json!(name))));
        members.extend(email.map(|email| ("email".to_string(), json!(email))));
        members.insert("expiresIn".to_string(), json!(expires_in.as_secs()));
    }
    members.insert("login".to_string(), json!(paths.login));
    members.insert("logout".to_string(), json!(paths.logout));
    let headers = HEADERS.map(|(name, value)| (name, value.to_string())).to_vec();
    Reply { status: 200, headers, body: serde_json::Value::Object(members).to_string(), grpc_status: None }
}

#[cfg(not(target_family = "wasm"))] // snapshots are files
#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: LoggedIn<'_> = LoggedIn {
        subject: "alice",
        name: Some("Al \"ice\""),
        email: Some("alice@example.com"),
        expires_in: Duration::from_millis(3_599_999),
    };

    #[test]
    fn pages_learn_who_is_logged_in() {
        let reply = info(Some(ALICE), &OwnPaths::default());
        insta::assert_snapshot!(reply.body, @r##"{"authenticated":true,"email":"alice@example.com","expiresIn":3599,"login":"/.jotgate/login","logout":"/.jotgate/logout","name":"Al \"ice\"","subject":"alice"}"##);
        assert_eq!(
            (reply.status, reply.headers),
            (200, HEADERS.map(|(name, value)| (name, String::from(value))).to_vec())
        );
        let reply = info(Some(LoggedIn { name: None, email: None, ..ALICE }), &OwnPaths::default());
        insta::assert_snapshot!(reply.body, @r#"{"authenticated":true,"expiresIn":3599,"login":"/.jotgate/login","logout":"/.jotgate/logout","subject":"alice"}"#);
        insta::assert_snapshot!(info(None, &OwnPaths::default()).body, @r#"{"authenticated":false,"login":"/.jotgate/login","logout":"/.jotgate/logout"}"#);
    }
}
