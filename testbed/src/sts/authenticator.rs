//! The rules of aws-iam-authenticator, with which a cluster reads a token, and the service's for the request in it.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::assume::Credentials;
use super::signature::Signed;
use crate::clock;

const PREFIX: &str = "k8s-aws-v1.";
/// No token is longer.
const LONGEST: usize = 4096;
/// How long a request is good for after its date, and the most that it may ask for, in seconds.
const LIFETIME: i64 = 15 * 60;
/// No request may come from a clock that is further ahead, in seconds.
const SKEW: i64 = 5 * 60;
/// The parameters that there may be.
const PARAMETERS: [&str; 9] = [
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// Who a token is of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// The account.
    pub account: String,
    /// The role and the name of its session.
    pub arn: String,
}

/// Reads a token for a cluster, and checks its signature with the secret of its access key.
pub(super) fn authenticate(
    token: &str,
    cluster: &str,
    issued: &BTreeMap<String, Credentials>,
) -> Result<Identity, String> {
    if token.len() > LONGEST {
        return Err("the token is too long".into());
    }
    let encoded = token.strip_prefix(PREFIX).ok_or("the token has another prefix")?;
    let url = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| "the token is not base64url without padding")?;
    let url = String::from_utf8(url).map_err(|_| "the URL is not text")?;
    let rest = url.strip_prefix("https://").ok_or("expected an https URL")?;
    let (host, rest) = rest.split_once('/').ok_or("the URL has no path")?;
    let region = region(host).ok_or("the host is not of the service")?;
    let query = rest.strip_prefix('?').filter(|query| !query.contains('#')).ok_or("expected the path `/`")?;
    let sent = parameters(query)?;
    let get = |name: &str| sent.get(name).map(String::as_str).ok_or_else(|| format!("`{name}` is missing"));
    if get("action")? != "GetCallerIdentity" || get("version")? != "2011-06-15" {
        return Err("expected GetCallerIdentity".into());
    }
    let names: Vec<&str> = get("x-amz-signedheaders")?.split(';').collect();
    if !names.contains(&"x-k8s-aws-id") {
        return Err("`x-k8s-aws-id` is not signed".into());
    }
    let lifetime: i64 = get("x-amz-expires")?.parse().map_err(|_| "`X-Amz-Expires` is not a number")?;
    let date = get("x-amz-date")?;
    let at = clock::from_basic(date).ok_or("`X-Amz-Date` is not a date")?;
    let now = clock::now();
    if !(0..=LIFETIME).contains(&lifetime) || now > at + LIFETIME || at > now + SKEW {
        return Err("the token has expired, or is not good yet".into());
    }
    let credentials = signer(get("x-amz-credential")?, date, region, issued)?;
    if get("x-amz-security-token")? != credentials.session_token || credentials.expiration <= now {
        return Err("the session has ended".into());
    }
    let header = |name: &'static str, value| names.contains(&name).then_some((name, value));
    let headers: Vec<_> = [header("host", host), header("x-k8s-aws-id", cluster)].into_iter().flatten().collect();
    if get("x-amz-algorithm")? != "AWS4-HMAC-SHA256" || headers.len() != names.len() || headers.len() != 2 {
        return Err("expected a signature of `host` and `x-k8s-aws-id`".into());
    }
    let scope = get("x-amz-credential")?.split_once('/').map_or("", |(_, scope)| scope);
    let parameters = query.split('&').filter(|pair| !pair.starts_with("X-Amz-Signature=")).collect();
    if (Signed { parameters, headers, date, scope }).signature(&credentials.secret_key) != get("x-amz-signature")? {
        return Err("the signature is wrong".into());
    }
    let account = credentials.arn.split(':').nth(4).unwrap_or_default().to_owned();
    Ok(Identity { account, arn: credentials.arn.clone() })
}

/// The region whose endpoint it is, in the partitions `aws` and `aws-cn`; the global one signs as the first of them.
fn region(host: &str) -> Option<&str> {
    let host = host.strip_prefix("sts.")?;
    if host == "amazonaws.com" {
        return Some("us-east-1");
    }
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_region = region.split('-').count() >= 3
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_region.then_some(region)
}

/// By their names in lower case, each once, and only those that are known.
fn parameters(query: &str) -> Result<BTreeMap<String, String>, String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(|_| "the query is malformed")?;
    let (mut parameters, mut names) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in pairs {
        let name = name.to_ascii_lowercase();
        if !PARAMETERS.contains(&name.as_str()) {
            return Err(format!("`{name}` is not expected"));
        }
        if !names.insert(name.clone()) {
            return Err(format!("`{name}` is there twice"));
        }
        parameters.insert(name, value);
    }
    Ok(parameters)
}

/// Whose access key it is, if it is used in its scope.
fn signer<'i>(
    credential: &str,
    date: &str,
    region: &str,
    issued: &'i BTreeMap<String, Credentials>,
) -> Result<&'i Credentials, String> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [key, day, signed_region, "sts", "aws4_request"] = parts.as_slice() else {
        return Err("`X-Amz-Credential` is malformed".into());
    };
    if !date.starts_with(&format!("{day}T")) || *signed_region != region {
        return Err("it is signed for another day or region".into());
    }
    issued.get(*key).ok_or_else(|| "the access key is unknown".into())
}
