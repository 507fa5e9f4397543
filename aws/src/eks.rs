//! A bearer token for the API server of a cluster: a request to STS that the cluster's authenticator sends for itself,
//! to see whose signature it has (<https://github.com/kubernetes-sigs/aws-iam-authenticator>).

use std::fmt;
use std::time::Duration;

use jose::base64url;
use oauth::Secret;
use zeroize::Zeroizing;

use crate::region::Region;
use crate::sigv4::{Credentials, Request, Signer};

/// How long the request says that it is good. Authenticators take the token until 15 minutes after its date.
const EXPIRES: Duration = Duration::from_mins(1);
/// How long a token may be for them, in octets.
pub const MOST_OCTETS: usize = 4096;
/// How long the name of a cluster may be, in octets.
const MOST_NAME: usize = 100;

/// The name of a cluster, as its authenticator knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClusterName(String);

impl ClusterName {
    /// What is expected of one.
    pub const EXPECTED: &str = "the name of a cluster: 1 to 100 visible ASCII characters without blanks";

    /// Checks `text`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = (1..=MOST_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_name.then(|| Self(text.to_string()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The token, made `at` an instant since 1970.
pub fn token(
    credentials: &Credentials,
    region: &Region,
    cluster: &ClusterName,
    at: Duration,
) -> Result<Secret, TokenTooLarge> {
    let host = region.sts_host();
    let request = Request {
        method: "GET",
        path: "/",
        query: &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")],
        headers: &[("host", &host), ("x-k8s-aws-id", cluster.as_str())],
        body: b"",
    };
    let signer = Signer { credentials, region: region.as_str(), service: "sts", at };
    let query = request.presigned_query(&signer, EXPIRES);
    let url = Zeroizing::new(["https://", &host, "/?", &query].concat());
    let encoded = Zeroizing::new(base64url::encode(url.as_bytes()));
    let token = Secret::new(["k8s-aws-v1.", &encoded].concat());
    match token.reveal().len() {
        octets if octets > MOST_OCTETS => Err(TokenTooLarge { octets }),
        _ => Ok(token),
    }
}

/// That a token is longer than authenticators take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TokenTooLarge {
    /// How long it is.
    pub octets: usize,
}

impl std::error::Error for TokenTooLarge {}

impl fmt::Display for TokenTooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the token has {} octets, and Kubernetes takes {MOST_OCTETS}: the session token of the role is too large",
            self.octets
        )
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn credentials(session_token: &str) -> Credentials {
        Credentials {
            access_key_id: String::from("ASIAIOSFODNN7EXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session_token: Some(Secret::new(session_token)),
        }
    }

    fn make(session_token: &str) -> Result<Secret, TokenTooLarge> {
        let region = Region::parse("eu-west-1").expect("is a region");
        let cluster = ClusterName::parse("prod").expect("is a name");
        token(&credentials(session_token), &region, &cluster, Duration::from_hours(498_873))
    }

    #[test]
    fn a_token_is_a_presigned_request_for_the_callers_identity() {
        let token = make("FwoG+/=").expect("is made");
        let encoded = token.reveal().strip_prefix("k8s-aws-v1.").expect("has the prefix");
        let url = String::from_utf8(base64url::decode(encoded.as_bytes()).expect("is base64url")).expect("is text");
        let (url, signature) = url.rsplit_once("&X-Amz-Signature=").expect("is signed");
        assert_eq!(
            url,
            "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
            &X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=ASIAIOSFODNN7EXAMPLE%2F20261129%2Feu-west-1%2Fsts%2Faws4_request\
            &X-Amz-Date=20261129T090000Z&X-Amz-Expires=60&X-Amz-Security-Token=FwoG%2B%2F%3D\
            &X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"
        );
        assert_eq!(signature.len(), 64);
    }

    #[test]
    fn a_token_that_no_authenticator_takes_is_none() {
        assert!(make(&"a".repeat(2600)).is_ok_and(|token| token.reveal().len() <= MOST_OCTETS));
        let error = make(&"a".repeat(2700)).expect_err("is too long");
        assert!(error.octets > MOST_OCTETS, "{error}");
        assert!(make(&"/".repeat(1000)).is_err(), "escapes count");
    }

    #[test]
    fn clusters_have_names() {
        for text in ["prod", "a", "prod.example.com", "arn:aws:eks:eu-west-1:111122223333:cluster/prod"] {
            assert_eq!(ClusterName::parse(text).map(|name| name.0).as_deref(), Some(text));
        }
        for text in ["", "a b", "a\n", "\u{e9}", &"a".repeat(101)] {
            assert_eq!(ClusterName::parse(text), None, "{text}");
        }
    }
}
