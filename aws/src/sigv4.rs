//! AWS Signature Version 4, as parameters of a query: a request that another may send.

use std::fmt::{self, Write as _};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jose::hex;
use jose::sorting::sort_by;
use oauth::Secret;
use sha2::digest::Output;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::instant;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";

/// What AWS knows a caller by.
#[derive(Clone)]
pub struct Credentials {
    /// Names the key; not secret by itself.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// What belongs to the keys of a role.
    pub session_token: Option<Secret>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}

/// What a signature is good for, and made with.
#[derive(Clone, Copy, Debug)]
pub struct Signer<'s> {
    /// Whose signature it is.
    pub credentials: &'s Credentials,
    /// The region of the service.
    pub region: &'s str,
    /// The service: `sts`.
    pub service: &'s str,
    /// When it is made, since 1970.
    pub at: Duration,
}

/// A request to sign.
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// Its method.
    pub method: &'r str,
    /// Its path in canonical form.
    pub path: &'r str,
    /// Its parameters, decoded, in any order.
    pub query: &'r [(&'r str, &'r str)],
    /// Its headers that are signed: names in lower case and in order, values without needless blanks.
    pub headers: &'r [(&'r str, &'r str)],
    /// Its body.
    pub body: &'r [u8],
}

impl Request<'_> {
    /// The query of the request, with a signature that is good for `expires`.
    pub fn presigned_query(&self, signer: &Signer<'_>, expires: Duration) -> Zeroizing<String> {
        let date = instant::basic(signer.at);
        let credential = [&signer.credentials.access_key_id, "/", &signer.scope(&date)].concat();
        let (expires, headers) = (expires.as_secs().to_string(), self.signed_headers());
        let mut query = self.query.to_vec();
        query.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &date),
            ("X-Amz-Expires", &expires),
            ("X-Amz-SignedHeaders", &headers),
        ]);
        let token = signer.credentials.session_token.as_ref();
        query.extend(token.map(|token| ("X-Amz-Security-Token", token.reveal())));
        let mut query = canonical_query(&query);
        let signature = signer.sign(&self.canonical(&query), &date);
        query.push_str("&X-Amz-Signature=");
        query.push_str(&signature);
        query
    }

    /// The canonical request, with `query` as its query.
    fn canonical(&self, query: &str) -> Zeroizing<String> {
        let headers: String = self.headers.iter().map(|(name, value)| [name, ":", value, "\n"].concat()).collect();
        let body = hex::encode(&Sha256::digest(self.body));
        Zeroizing::new([self.method, self.path, query, &headers, &self.signed_headers(), &body].join("\n"))
    }

    fn signed_headers(&self) -> String {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| *name).collect();
        names.join(";")
    }
}

impl Signer<'_> {
    fn sign(&self, canonical: &str, date: &str) -> String {
        hex::encode(&code(&*self.key(date), &self.text(canonical, date)))
    }

    fn text(&self, canonical: &str, date: &str) -> String {
        let hash = hex::encode(&Sha256::digest(canonical));
        [ALGORITHM, date, &self.scope(date), &hash].join("\n")
    }

    fn scope(&self, date: &str) -> String {
        [day(date), self.region, self.service, TERMINATOR].join("/")
    }

    fn key(&self, date: &str) -> Zeroizing<[u8; 32]> {
        let secret = Zeroizing::new(["AWS4", self.credentials.secret_access_key.reveal()].concat());
        let derive = |key: &[u8], part| Zeroizing::new(code(key, part).into());
        let parts = [self.region, self.service, TERMINATOR];
        parts.into_iter().fold(derive(secret.as_bytes(), day(date)), |key, part| derive(&*key, part))
    }
}

fn day(date: &str) -> &str {
    date.split('T').next().unwrap_or_default()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn code(key: &[u8], text: &str) -> Output<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("takes any key");
    mac.chain_update(text).finalize().into_bytes()
}

/// Parameters, encoded and then sorted by name and value.
fn canonical_query(query: &[(&str, &str)]) -> Zeroizing<String> {
    let mut pairs: Vec<_> = query.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    sort_by(&mut pairs, |(name, value), (other, its)| (&**name, &**value).cmp(&(&**other, &**its)));
    let octets: usize =
        pairs.iter().map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(2)).sum();
    // With room for the signature: a text that is moved leaves a copy of itself.
    let mut text = Zeroizing::new(String::with_capacity(octets.saturating_add(128)));
    for (name, value) in &pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// What is not unreserved (RFC 3986 §2.3) becomes an escape.
fn encoded(text: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::test_suite::{self, Case, Expected};

    /// What a signer makes on the way, as the suite has it.
    fn check(case: &Case, request: &Request<'_>, query: &str, expected: &Expected, kind: &str) {
        let credentials = case.credentials();
        let signer = Signer { credentials: &credentials, region: &case.region, service: &case.service, at: case.at };
        let date = instant::basic(case.at);
        let canonical = request.canonical(query);
        assert_eq!(*canonical, expected.canonical_request, "{} {kind}", case.name);
        assert_eq!(signer.text(&canonical, &date), expected.string_to_sign, "{} {kind}", case.name);
        assert_eq!(signer.sign(&canonical, &date), expected.signature, "{} {kind}", case.name);
    }

    #[test]
    fn the_published_test_suite_passes_as_a_query() {
        for case in test_suite::read() {
            let (query, headers, body) = (case.query(), case.headers(), case.signed_body());
            let (query, headers) = (test_suite::pairs(&query), test_suite::pairs(&headers));
            let path = case.query.path();
            let request = Request { method: &case.method, path, query: &query, headers: &headers, body };
            let credentials = case.credentials();
            let (region, service) = (&case.region, &case.service);
            let presigned = request
                .presigned_query(&Signer { credentials: &credentials, region, service, at: case.at }, case.expires);
            let (signed, signature) = presigned.rsplit_once("&X-Amz-Signature=").expect("has a signature");
            assert_eq!(signature, case.query.signature, "{}", case.name);
            check(&case, &request, signed, &case.query, "query");
        }
    }

    #[test]
    fn the_published_test_suite_passes_as_headers() {
        for case in test_suite::read() {
            let (query, body) = (case.query(), case.signed_body());
            let headers = case.headers_with_signature(&instant::basic(case.at));
            let (query, headers) = (test_suite::pairs(&query), test_suite::pairs(&headers));
            let path = case.header.path();
            let request = Request { method: &case.method, path, query: &query, headers: &headers, body };
            check(&case, &request, &canonical_query(&query), &case.header, "header");
        }
    }

    #[test]
    fn what_is_secret_is_hidden() {
        let credentials = Credentials {
            access_key_id: String::from("AKIDEXAMPLE"),
            secret_access_key: Secret::new("wJalrXUtnFEMI"),
            session_token: Some(Secret::new("6e86291e8372ff2a")),
        };
        let signer = Signer { credentials: &credentials, region: "r", service: "s", at: Duration::ZERO };
        assert_eq!(format!("{signer:?}"), r#"Signer { credentials: Credentials, region: "r", service: "s", at: 0ns }"#);
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use oauth::form::Parameters;
        use proptest::collection::vec;
        use proptest::prelude::*;

        use super::super::canonical_query;

        proptest! {
            #[test]
            fn the_canonical_query_is_sorted_and_says_the_same(pairs in vec(("[a-b=&%+ ~\u{e9}]{0,3}", ".{0,8}"), 0..6)) {
                let borrowed: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
                let text = canonical_query(&borrowed);
                let found: Vec<_> = text.split('&').filter(|pair| !pair.is_empty()).collect();
                let found: Vec<_> = found.iter().filter_map(|pair| pair.split_once('=')).collect();
                prop_assert!(found.is_sorted(), "{}", *text);
                prop_assert_eq!(found.len(), pairs.len());
                let is_canonical = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%=&".contains(&byte);
                prop_assert!(text.bytes().all(is_canonical) && text.bytes().filter(|byte| *byte == b'=').count() == pairs.len());
                // The same, decoded by another reader, however they were in order.
                let mut decoded: Vec<_> = found.iter().map(|(name, value)| (decode(name), decode(value))).collect();
                let mut expected = pairs.clone();
                decoded.sort();
                expected.sort();
                prop_assert_eq!(decoded, expected);
                let mut reversed = borrowed;
                reversed.reverse();
                prop_assert_eq!(&*canonical_query(&reversed), &*text);
            }
        }

        fn decode(text: &str) -> String {
            let form = ["x=", text].concat();
            let parameters = Parameters::parse(form.as_bytes()).expect("is a form");
            parameters.one("x").expect("is there once").unwrap_or_default().to_string()
        }
    }
}
