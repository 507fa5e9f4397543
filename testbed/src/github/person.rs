//! Who logs in at GitHub, and what its API says of them.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Person {
    /// The number that stays.
    pub id: u64,
    /// The name that may be given up.
    pub login: String,
    /// The primary address, and whether it is verified.
    pub email: (String, bool),
    /// Organisations and teams, by their slugs.
    pub teams: Vec<(String, String)>,
    /// What the API says instead: an error, with status 200.
    pub error: Option<String>,
}

impl Person {
    pub(super) fn user(&self) -> Value {
        if let Some(error) = &self.error {
            return json!({"error": error, "error_description": "It is as the code says."});
        }
        json!({
            "login": self.login, "id": self.id, "node_id": "MDQ6VXNlcjE=", "type": "User", "name": null, "email": null,
            "site_admin": false, "public_repos": 2, "two_factor_authentication": true, "plan": {"name": "free"},
        })
    }

    pub(super) fn addresses(&self) -> Value {
        let (email, verified) = &self.email;
        json!([
            {"email": "old@example.com", "primary": false, "verified": true, "visibility": null},
            {"email": email, "primary": true, "verified": verified, "visibility": "private"},
        ])
    }

    /// A page of teams. Where there are more, a `Link` names the next (RFC 8288).
    pub(super) fn teams(&self, page: usize, size: usize) -> Response {
        let first = page.saturating_sub(1).saturating_mul(size);
        let team = |(org, slug): &(String, String)| json!({"id": 1, "name": "Any", "slug": slug, "privacy": "closed", "organization": {"login": org, "id": 1}});
        let body: Vec<_> = self.teams.iter().skip(first).take(size).map(team).collect();
        let headers = [(CONTENT_TYPE, "application/json; charset=utf-8")];
        if first.saturating_add(size) >= self.teams.len() {
            return (StatusCode::OK, headers, Value::from(body).to_string()).into_response();
        }
        let next = format!("<https://api.example.com/user/teams?page={}>; rel=\"next\"", page.saturating_add(1));
        (StatusCode::OK, headers, [(LINK, next)], Value::from(body).to_string()).into_response()
    }
}
