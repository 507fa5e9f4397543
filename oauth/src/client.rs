//! How a client authenticates at the token, revocation and introspection endpoints.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jose::sign::{Header, SigningKey};
use zeroize::Zeroizing;

use crate::form::{Form, encode};
use crate::text::{is_visible, quoted};
use crate::{Request, Secret};

/// What a client assertion is declared as (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that an authorization server knows (RFC 6749 §2).
#[derive(Clone, Debug)]
pub struct Client {
    id: String,
    authentication: Authentication,
}

/// The one method by which a client authenticates.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// `client_secret_basic` (RFC 6749 §2.3.1).
    Basic(Secret),
    /// `none`: a public client.
    None,
    /// `client_secret_post` (RFC 6749 §2.3.1).
    Post(Secret),
    /// `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core 1.0 §9).
    PrivateKey(Box<SigningKey>),
}

/// What a client assertion says beside who the client is (RFC 7523 §3).
#[derive(Clone, Copy, Debug)]
pub struct AssertionFacts<'a> {
    /// `aud`: the issuer, or the URI of the token endpoint.
    pub audience: &'a str,
    /// `jti`: unique, since a server accepts each once.
    pub jti: &'a str,
    /// `iat`, since 1970.
    pub issued_at: Duration,
    /// From `iat` to `exp`.
    pub lifetime: Duration,
}

impl Client {
    /// A client with this identifier.
    pub fn new(id: impl Into<String>, authentication: Authentication) -> Result<Self, ClientError> {
        let id = id.into();
        if !is_visible(&id) {
            return Err(ClientError::Id(id));
        }
        match &authentication {
            Authentication::Basic(secret) | Authentication::Post(secret) if !is_visible(secret.reveal()) => {
                Err(ClientError::Secret)
            }
            _ => Ok(Self { id, authentication }),
        }
    }

    /// `client_id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of the method, as metadata lists it (OpenID Connect Core 1.0 §9).
    pub const fn method(&self) -> &'static str {
        match self.authentication {
            Authentication::Basic(_) => "client_secret_basic",
            Authentication::None => "none",
            Authentication::Post(_) => "client_secret_post",
            Authentication::PrivateKey(_) => "private_key_jwt",
        }
    }

    /// Adds to `body` what the method puts there, and makes the header that it needs. `facts` are for
    /// `private_key_jwt` alone.
    pub(crate) fn authenticate(&self, mut body: Form, facts: &AssertionFacts<'_>) -> Request {
        let mut authorization = None;
        match &self.authentication {
            Authentication::Basic(secret) => authorization = Some(basic(&self.id, secret)),
            Authentication::None => body.push("client_id", &self.id),
            Authentication::Post(secret) => {
                body.push("client_id", &self.id);
                body.push("client_secret", secret.reveal());
            }
            Authentication::PrivateKey(key) => {
                // RFC 7521 §4.2 makes it optional, and some servers require it.
                body.push("client_id", &self.id);
                body.push("client_assertion_type", ASSERTION_TYPE);
                body.push("client_assertion", self.assertion(key, facts).reveal());
            }
        }
        Request { authorization, body }
    }

    /// A client assertion (RFC 7523 §3).
    fn assertion(&self, key: &SigningKey, facts: &AssertionFacts<'_>) -> Secret {
        let issued_at = facts.issued_at.as_secs();
        let claims = serde_json::json!({
            "aud": facts.audience,
            "exp": issued_at.saturating_add(facts.lifetime.as_secs()),
            "iat": issued_at,
            "iss": self.id,
            "jti": facts.jti,
            "sub": self.id,
        });
        let header = Header { kid: key.kid(), typ: Some("JWT") };
        Secret::new(key.sign_compact(header, claims.to_string().as_bytes()))
    }
}

/// Both parts are form-encoded first (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &Secret) -> Secret {
    let pair = Zeroizing::new([encode(id).as_str(), ":", encode(secret.reveal()).as_str()].concat());
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    Secret::new(["Basic ", &encoded].concat())
}

/// Why a client cannot be one. Carries no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientError {
    /// The identifier is empty, or has other characters than RFC 6749 App. A.1 allows.
    Id(String),
    /// The secret is empty, or has other characters than RFC 6749 App. A.2 allows.
    Secret,
}

impl std::error::Error for ClientError {}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => {
                write!(formatter, "expected a client identifier of visible ASCII characters, found {}", quoted(id))
            }
            Self::Secret => formatter.write_str(
                "expected a client secret of visible ASCII characters, found none or others (a line break at its end?)",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::testing::{ED25519, FACTS, body, client};
    use jose::json::{Document, write};
    use jose::jwk::{Origin, VerificationKey};
    use jose::jws::EncodedToken;
    use jose::signature::Software;

    fn authenticate(client: &Client) -> Request {
        client.authenticate(Form::default(), &FACTS)
    }

    fn basic_client(id: &str, secret: &str) -> Request {
        authenticate(&Client::new(id, Authentication::Basic(Secret::new(secret))).expect("is a client"))
    }

    fn header(request: &Request) -> &str {
        request.authorization.as_ref().expect("is authenticated").reveal()
    }

    /// RFC 6749 §2.3.1.
    #[test]
    fn basic_has_the_example_of_rfc_6749() {
        let request = basic_client("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw");
        assert_eq!(header(&request), "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
        assert_eq!(request.body.as_str(), "", "no other method is tried");
    }

    #[test]
    fn basic_encodes_both_parts_first() {
        let decode = |request: &Request| {
            let encoded = header(request).strip_prefix("Basic ").expect("is basic").to_string();
            String::from_utf8(STANDARD.decode(encoded).expect("is base64")).expect("is text")
        };
        assert_eq!(decode(&basic_client("a:b", "c:d%+ /")), "a%3Ab:c%3Ad%25%2B+%2F");
        assert_eq!(decode(&basic_client("https://app", "~!*")), "https%3A%2F%2Fapp:%7E%21*");
    }

    #[test]
    fn each_method_sends_what_it_needs_and_nothing_else() {
        let post = client(Authentication::Post(Secret::new("a b")));
        assert_eq!(body(&authenticate(&post)), "client_id=s6BhdRkqt3&client_secret=a+b");
        let none = client(Authentication::None);
        assert_eq!(body(&authenticate(&none)), "client_id=s6BhdRkqt3");
        for (client, method) in [
            (&post, "client_secret_post"),
            (&none, "none"),
            (&client(Authentication::Basic(Secret::new("a"))), "client_secret_basic"),
        ] {
            assert_eq!(client.method(), method);
        }
        assert!(authenticate(&post).authorization.is_none() && authenticate(&none).authorization.is_none());
    }

    #[test]
    fn an_assertion_is_signed_and_says_who_to_whom_and_until_when() {
        let key = SigningKey::from_json(ED25519.replace("\"d\"", "\"kid\":\"k\",\"d\"").as_bytes()).expect("is a key");
        let public = key.public_jwk("k");
        let client = client(Authentication::PrivateKey(Box::new(key)));
        assert_eq!(client.method(), "private_key_jwt");
        let request = authenticate(&client);
        let start = format!("client_id=s6BhdRkqt3&client_assertion_type={}&client_assertion=", *encode(ASSERTION_TYPE));
        let assertion = request.body.as_str().strip_prefix(&start).expect("comes last");

        let encoded = EncodedToken::decode(assertion.as_bytes()).expect("is a JWS");
        let token = encoded.parse().expect("is a JWT");
        assert_eq!(token.kid(), Some("k"));
        let jwk = Document::parse(public.as_bytes()).expect("is JSON");
        let key = VerificationKey::from_jwk(jwk.root(), Origin::Issuer).expect("is a key");
        let token = token.verify(&[&key], &Software).expect("verifies");
        assert_eq!(
            write::compact(token.claims()),
            r#"{"aud":"https://idp.example.com","exp":1800000060,"iat":1800000000,"iss":"s6BhdRkqt3","jti":"unique","sub":"s6BhdRkqt3"}"#
        );
    }

    #[test]
    fn identifiers_and_secrets_are_visible_characters() {
        for id in ["", "a\n", "\u{e9}", "a\0"] {
            assert_eq!(Client::new(id, Authentication::None).map(drop), Err(ClientError::Id(id.into())));
        }
        for secret in ["", "hunter2\n", "h\u{fc}nter"] {
            for method in [Authentication::Basic, Authentication::Post] {
                assert_eq!(Client::new("a", method(Secret::new(secret))).map(drop), Err(ClientError::Secret));
            }
        }
    }

    #[test]
    fn secrets_are_hidden_from_debug() {
        for method in [Authentication::Basic, Authentication::Post] {
            let client = client(method(Secret::new("hunter2")));
            let encoded = STANDARD.encode("s6BhdRkqt3:hunter2");
            let shown = format!("{client:?} {:?}", authenticate(&client));
            assert!(!shown.contains("hunter2") && !shown.contains(&encoded), "{shown}");
        }
    }
}
