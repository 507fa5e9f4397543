//! Discovery documents (OIDC Discovery 1.0 §4): where an issuer says that its key set is.

use std::fmt;

use jose::json::{self, Document, Kind};

use crate::http::HttpUri;
use crate::policy::Discovery;

/// Where a key set is to be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Target {
    pub(crate) uri: HttpUri,
    pub(crate) cluster: String,
}

/// Why a discovery document leads to no key set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum DiscoveryError {
    /// The key set lies on another host, and no cluster leads there.
    ForeignHost {
        /// Host and port.
        server: String,
    },
    /// It is not acceptable JSON.
    Json(json::Error),
    /// `jwks_uri` is missing, or not what it should be.
    JwksUri {
        /// What it should be.
        expected: &'static str,
        /// What it is, if it is there and a string.
        found: Option<String>,
    },
    /// `issuer` is another one, or missing.
    Issuer {
        /// The one that is configured.
        expected: String,
        /// The one found, if it is there and a string.
        found: Option<String>,
    },
    /// It is no object.
    NotAnObject,
}

/// Finds the key set of the issuer that `discovery` is for; `cluster` leads to the host of the document.
pub(crate) fn read(body: &[u8], discovery: &Discovery, cluster: &str) -> Result<Target, DiscoveryError> {
    let document = Document::parse(body).map_err(DiscoveryError::Json)?;
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(DiscoveryError::NotAnObject);
    }
    let member = |name| root.get(name).and_then(json::Value::as_str);
    let issuer = member("issuer");
    let is_of_tenants = |found| discovery.tenants.as_ref().is_some_and(|pattern| pattern.is_in_document(found));
    if !issuer.is_some_and(|found| found == discovery.issuer || is_of_tenants(found)) {
        return Err(DiscoveryError::Issuer { expected: discovery.issuer.clone(), found: issuer.map(str::to_string) });
    }
    let found = member("jwks_uri");
    let refused = |expected| DiscoveryError::JwksUri { expected, found: found.map(str::to_string) };
    let uri = HttpUri::parse(found.ok_or_else(|| refused("a URI"))?).map_err(refused)?;
    if let Some(internal) = &discovery.internal_uri {
        let uri = HttpUri { path: uri.path, ..internal.clone() };
        return Ok(Target { uri, cluster: cluster.to_string() });
    }
    if discovery.uri.is_https && !uri.is_https {
        return Err(refused("an `https` URI, as that of the discovery document is"));
    }
    let cluster = match (uri.server() == discovery.uri.server(), &discovery.jwks_cluster) {
        (true, _) => cluster.to_string(),
        (false, Some(cluster)) => cluster.clone(),
        (false, None) => return Err(DiscoveryError::ForeignHost { server: uri.server() }),
    };
    Ok(Target { uri, cluster })
}

impl std::error::Error for DiscoveryError {}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignHost { server } => {
                write!(
                    formatter,
                    "its `jwks_uri` is on another host, {}, which takes `jwksCluster`",
                    quoted(Some(server))
                )
            }
            Self::Json(error) => write!(formatter, "it is not strict JSON: {error}"),
            Self::JwksUri { expected, found } => {
                write!(formatter, "expected its `jwks_uri` to be {expected}, found {}", quoted(found.as_deref()))
            }
            Self::Issuer { expected, found } => {
                write!(formatter, "expected its `issuer` to be `{expected}`, found {}", quoted(found.as_deref()))
            }
            Self::NotAnObject => formatter.write_str("it is not an object"),
        }
    }
}

/// A text of the issuer's, on one line and not without end.
fn quoted(text: Option<&str>) -> String {
    match text {
        Some(text) => format!("`{}`", text.chars().take(200).flat_map(char::escape_debug).collect::<String>()),
        None => String::from("no text"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const ISSUER: &str = "https://idp.example.com/a";

    fn discovery(internal: Option<&str>, jwks_cluster: Option<&str>) -> Discovery {
        let uri = |text: &str| HttpUri::parse(text).expect("is a URI");
        Discovery {
            issuer: ISSUER.to_string(),
            tenants: None,
            uri: uri("https://idp.example.com/a/.well-known/openid-configuration"),
            internal_uri: internal.map(uri),
            jwks_cluster: jwks_cluster.map(str::to_string),
        }
    }

    fn found(discovery: &Discovery, jwks_uri: &str) -> Result<(String, String), String> {
        let document = json!({"issuer": ISSUER, "jwks_uri": jwks_uri}).to_string();
        let target = read(document.as_bytes(), discovery, "idp").map_err(|error| error.to_string())?;
        let uri = target.uri;
        Ok((target.cluster, format!("{}://{}{}", uri.scheme(), uri.authority, uri.path)))
    }

    #[test]
    fn a_key_set_beside_its_document_is_fetched_through_the_same_cluster() {
        let discovery = discovery(None, Some("certs"));
        for uri in ["https://idp.example.com/keys?v=1", "https://IDP.example.com:443/keys"] {
            assert_eq!(found(&discovery, uri), Ok(("idp".into(), uri.into())));
        }
    }

    #[test]
    fn a_key_set_on_another_host_takes_a_cluster_of_its_own() {
        let uri = "https://certs.example.com/keys";
        assert_eq!(found(&discovery(None, Some("certs")), uri), Ok(("certs".into(), uri.into())));
        for uri in [uri, "https://idp.example.com:8443/keys", "https://idp.example.com.evil.org/"] {
            let error = found(&discovery(None, None), uri).expect_err("is on another host");
            assert!(error.contains("`jwksCluster`"), "{error}");
        }
    }

    #[test]
    fn with_an_internal_uri_all_goes_to_its_host() {
        let discovery = discovery(Some("http://idp.internal:8080/x"), None);
        for uri in ["https://idp.example.com/keys?v=1", "http://elsewhere/keys?v=1"] {
            assert_eq!(found(&discovery, uri), Ok(("idp".into(), "http://idp.internal:8080/keys?v=1".into())));
        }
    }

    #[test]
    #[cfg(not(target_family = "wasm"))] // snapshots are files
    fn a_document_that_leads_nowhere_is_refused_with_a_reason() {
        let all: Vec<_> = [
            "",
            "[]",
            "\"\"",
            "<html>",
            "{}",
            r#"{"issuer": "https://idp.example.com/a"}"#,
            r#"{"issuer": "https://idp.example.com/a/", "jwks_uri": "https://idp.example.com/keys"}"#,
            r#"{"issuer": ["https://idp.example.com/a"], "jwks_uri": "https://idp.example.com/keys"}"#,
            r#"{"issuer": "https://idp.example.com/a", "issuer": "x", "jwks_uri": "https://idp.example.com/keys"}"#,
            r#"{"issuer": "https://idp.example.com/a", "jwks_uri": ["https://idp.example.com/keys"]}"#,
            r#"{"issuer": "https://idp.example.com/a", "jwks_uri": "/keys"}"#,
            r#"{"issuer": "https://idp.example.com/a", "jwks_uri": "http://idp.example.com/keys"}"#,
            r#"{"issuer": "https://idp.example.com/a", "jwks_uri": "https://u@idp.example.com/\nkeys"}"#,
            r#"{"issuer": "https://idp.example.com/a", "jwks_uri": "https://certs.example.com/keys"}"#,
        ]
        .iter()
        .map(|body| read(body.as_bytes(), &discovery(None, None), "idp").expect_err(body).to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
