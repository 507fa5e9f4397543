//! A code, and a refresh token.

use crate::client::{AssertionFacts, Client};
use crate::form::Form;
use crate::pkce::Verifier;
use crate::{Request, Secret};

/// An authorization code (RFC 6749 §4.1.3) with its verifier (RFC 7636 §4.5).
#[derive(Clone, Copy, Debug)]
pub struct CodeGrant<'a> {
    /// `code`.
    pub code: &'a Secret,
    /// `redirect_uri`: the one of the authorization request.
    pub redirect_uri: &'a str,
    /// `code_verifier`.
    pub verifier: &'a Verifier,
}

impl CodeGrant<'_> {
    /// The request that redeems the code.
    pub fn request(&self, client: &Client, assertion: &AssertionFacts<'_>) -> Request {
        let mut body = Form::default();
        body.push("grant_type", "authorization_code");
        body.push("code", self.code.reveal());
        body.push("redirect_uri", self.redirect_uri);
        body.push("code_verifier", self.verifier.reveal());
        client.authenticate(body, assertion)
    }
}

/// A refresh token (RFC 6749 §6).
#[derive(Clone, Copy, Debug)]
pub struct RefreshGrant<'a> {
    /// `refresh_token`.
    pub refresh_token: &'a Secret,
    /// `scope`: no more than was granted; none for as much.
    pub scopes: &'a [&'a str],
}

impl RefreshGrant<'_> {
    /// The request for new tokens.
    pub fn request(&self, client: &Client, assertion: &AssertionFacts<'_>) -> Request {
        let mut body = Form::default();
        body.push("grant_type", "refresh_token");
        body.push("refresh_token", self.refresh_token.reveal());
        body.push_if("scope", (!self.scopes.is_empty()).then(|| self.scopes.join(" ")).as_deref());
        client.authenticate(body, assertion)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::client::Authentication;
    use crate::testing::{FACTS, body, client, rfc_6749_client};

    /// RFC 6749 §4.1.3, with the verifier of RFC 7636 App. B.
    #[test]
    fn a_code_is_redeemed_as_in_rfc_6749() {
        let (client, header) = rfc_6749_client();
        let verifier = Verifier::from_octets(&[0; 32]);
        let grant = CodeGrant {
            code: &Secret::new("SplxlOBeZQQYbYS6WxSbIA"),
            redirect_uri: "https://client.example.com/cb",
            verifier: &verifier,
        };
        let request = grant.request(&client, &FACTS);
        assert_eq!(request.authorization.as_ref().map(Secret::reveal), Some(header));
        assert_eq!(
            body(&request),
            "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA\
            &redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb\
            &code_verifier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        );
        let shown = format!("{grant:?} {request:?}");
        assert!(!shown.contains("Splxl") && !shown.contains("AAAA") && !shown.contains(header), "{shown}");
    }

    /// RFC 6749 §6.
    #[test]
    fn a_refresh_token_is_sent_as_in_rfc_6749() {
        let (client, header) = rfc_6749_client();
        let refresh_token = Secret::new("tGzv3JOkF0XG5Qx2TlKWIA");
        let grant = RefreshGrant { refresh_token: &refresh_token, scopes: &[] };
        let request = grant.request(&client, &FACTS);
        assert_eq!(request.authorization.as_ref().map(Secret::reveal), Some(header));
        assert_eq!(body(&request), "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA");
        assert!(!format!("{grant:?} {request:?}").contains("tGzv3"));
    }

    #[test]
    fn a_public_client_names_itself() {
        let refresh_token = Secret::new("a&b");
        let grant = RefreshGrant { refresh_token: &refresh_token, scopes: &["openid", "email"] };
        assert_eq!(
            body(&grant.request(&client(Authentication::None), &FACTS)),
            "grant_type=refresh_token&refresh_token=a%26b&scope=openid+email&client_id=s6BhdRkqt3"
        );
    }
}
