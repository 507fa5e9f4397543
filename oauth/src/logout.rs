//! Logout at the provider (OpenID Connect RP-Initiated Logout 1.0 §2).

use crate::Secret;
use crate::endpoint::{Endpoint, EndpointError};
use crate::form::Form;

/// A logout request.
#[derive(Clone, Copy, Debug)]
pub struct LogoutRequest<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// `id_token_hint`: the last ID token, if it was kept.
    pub id_token_hint: Option<&'a Secret>,
    /// `post_logout_redirect_uri`.
    pub post_logout_redirect_uri: Option<&'a str>,
    /// `state`: comes back with the redirect.
    pub state: Option<&'a str>,
}

impl LogoutRequest<'_> {
    /// The URI to which the browser goes. It holds the ID token, if there is one.
    pub fn uri(&self, endpoint: &Endpoint) -> Result<Secret, EndpointError> {
        const NAMES: [&str; 4] = ["client_id", "id_token_hint", "post_logout_redirect_uri", "state"];
        if endpoint.query_has(|name| NAMES.contains(&name)) {
            return Err(EndpointError::Parameter);
        }
        let mut form = Form::default();
        form.push_if("id_token_hint", self.id_token_hint.map(Secret::reveal));
        form.push("client_id", self.client_id);
        form.push_if("post_logout_redirect_uri", self.post_logout_redirect_uri);
        form.push_if("state", self.state);
        Ok(Secret::new(endpoint.with_query(&form)))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_logout_request_has_what_is_known() {
        let uri = |request: LogoutRequest<'_>, endpoint: &str| {
            let endpoint = Endpoint::parse(endpoint).expect("is an endpoint");
            request.uri(&endpoint).map(|uri| uri.reveal().to_string())
        };
        let token = Secret::new("e30.e30.YQ");
        let all = LogoutRequest {
            client_id: "a&b",
            id_token_hint: Some(&token),
            post_logout_redirect_uri: Some("https://dash.example.com/"),
            state: Some("x y"),
        };
        assert_eq!(
            uri(all, "https://idp/logout?tenant=1"),
            Ok("https://idp/logout?tenant=1&id_token_hint=e30.e30.YQ&client_id=a%26b\
                &post_logout_redirect_uri=https%3A%2F%2Fdash.example.com%2F&state=x+y"
                .to_string())
        );
        let none = LogoutRequest { id_token_hint: None, post_logout_redirect_uri: None, state: None, ..all };
        assert_eq!(uri(none, "https://idp/logout"), Ok("https://idp/logout?client_id=a%26b".to_string()));
        assert_eq!(uri(none, "https://idp/logout?id_token_hint=a"), Err(EndpointError::Parameter));
        assert!(!format!("{all:?}").contains("e30"));
    }
}
