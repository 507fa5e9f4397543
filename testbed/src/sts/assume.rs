//! `AssumeRoleWithWebIdentity`: the request, and what is checked in it.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use super::options::Options;
use super::trust;
use crate::clock;
use crate::encoding::base64url;
use crate::keys::random;

/// What a role's ARN begins with, before the account.
const ROLE: &str = "arn:aws:iam::";

/// What a request gets that is good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credentials {
    /// `AccessKeyId`.
    pub access_key: String,
    /// `SecretAccessKey`.
    pub secret_key: String,
    /// `SessionToken`.
    pub session_token: String,
    /// When they end, in seconds since 1970.
    pub expiration: i64,
    /// Who has them: an ARN with role and session name.
    pub arn: String,
    /// `sub` of the ID token.
    pub subject: String,
    /// Whose token it was.
    pub provider: String,
    /// Whom it was made for.
    pub audience: String,
}

/// Why a request gets none: the status, a code of AWS, and text for people.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

/// A request with each parameter in the form that it must have.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) parameters: BTreeMap<String, String>,
    account: String,
    role: String,
    session: String,
    token: String,
    duration: i64,
}

/// Reads a request: a form, unsigned, with these parameters and no others.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asked, Refusal> {
    let invalid = |message: &str| Refusal::new(400, "ValidationError", message);
    let is_form = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded")
    });
    if !is_form || headers.contains_key(AUTHORIZATION) {
        return Err(invalid("expected a form without a signature"));
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body).map_err(|_| invalid("not a form"))?;
    let mut parameters = BTreeMap::new();
    for (name, value) in pairs {
        if parameters.insert(name.clone(), value).is_some() {
            return Err(invalid(&format!("`{name}` is there twice")));
        }
    }
    let known = ["Action", "DurationSeconds", "RoleArn", "RoleSessionName", "Version", "WebIdentityToken"];
    if let Some(name) = parameters.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(&format!("`{name}` is not used here")));
    }
    let get = |name: &str| parameters.get(name).cloned().ok_or_else(|| invalid(&format!("`{name}` is missing")));
    if get("Action")? != "AssumeRoleWithWebIdentity" || get("Version")? != "2011-06-15" {
        return Err(Refusal::new(400, "InvalidAction", "there is no such action in that version"));
    }
    let (account, role) = role(&get("RoleArn")?).ok_or_else(|| invalid("`RoleArn` is not the ARN of a role"))?;
    let session = Some(get("RoleSessionName")?).filter(|name| is_session_name(name));
    let token = Some(get("WebIdentityToken")?).filter(|token| (4..=20_000).contains(&token.len()));
    let duration = parameters.get("DurationSeconds").map_or(Ok(3600), |text| text.parse());
    let duration = duration.ok().filter(|seconds| (900..=43_200).contains(seconds));
    Ok(Asked {
        account,
        role,
        session: session.ok_or_else(|| invalid("`RoleSessionName` is not of 2 to 64 of its characters"))?,
        token: token.ok_or_else(|| invalid("`WebIdentityToken` is too short or too long"))?,
        duration: duration.ok_or_else(|| invalid("`DurationSeconds` is not from 900 to 43200"))?,
        parameters,
    })
}

/// Credentials for a role that there is, for a good ID token.
pub(super) async fn assume(options: &Options, asked: &Asked) -> Result<Credentials, Refusal> {
    let Asked { parameters, account, role, session, token, duration } = asked;
    let claims = trust::claims(&options.issuer, &options.audience, token).await;
    let claims = claims.map_err(|why| Refusal::new(400, "InvalidIdentityToken", why))?;
    if !parameters.get("RoleArn").is_some_and(|arn| options.roles.contains(arn)) {
        return Err(Refusal::new(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"));
    }
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    Ok(Credentials {
        access_key: format!("ASIA{}", letters()),
        // As AWS writes them: with characters that must be escaped wherever they are sent.
        secret_key: format!("{}/{}+", base64url(random::<18>()), base64url(random::<10>())),
        session_token: format!("IQoJb3JpZ2luX2VjE/+{}==", base64url(random::<300>())),
        expiration: clock::now() + duration,
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
        subject: subject.to_owned(),
        provider: options.issuer.clone(),
        audience: options.audience.clone(),
    })
}

/// The account and the name of a role.
fn role(arn: &str) -> Option<(String, String)> {
    let (account, path) = arn.strip_prefix(ROLE)?.split_once(":role/")?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| (account.to_owned(), name.to_owned()))
}

fn is_session_name(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (2..=64).contains(&name.len()) && name.bytes().all(is_good)
}

/// Sixteen capital letters.
fn letters() -> String {
    random::<16>().iter().map(|byte| char::from(b'A' + byte % 26)).collect()
}
