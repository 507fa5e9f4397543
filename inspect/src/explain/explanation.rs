//! An explanation, in the form that programs read. The names of its members stay as they are; others may be added.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// How a request was decided, step by step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The title of the configuration; empty where it is the whole text.
    pub configuration: String,
    /// The time that dates were compared with (RFC 3339).
    pub at: String,
    /// What was asked.
    pub request: Asked,
    /// How the path was read.
    pub path: PathStep,
    /// The rules that were tried, in their order; the last one is the one that matches, if one does.
    pub rules: Vec<RuleStep>,
    /// What the request needs.
    pub access: Option<AccessStep>,
    /// The credential, where one was asked for.
    pub credential: Option<CredentialStep>,
    /// The token in it.
    pub token: Option<TokenStep>,
    /// Whether the sender is the one that the token is bound to, where that mattered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<SenderStep>,
    /// The session, where the browser has one and no other credential.
    pub session: Option<SessionStep>,
    /// The login that the browser is sent to.
    pub login: Option<LoginStep>,
    /// The credentials that the upstream gets in place of the caller's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upstream_credentials: Vec<UpstreamCredentialStep>,
    /// What became of the request.
    pub decision: Decision,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// A request, without what may be secret.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// Host, and perhaps port.
    pub host: String,
    /// The path, without its query.
    pub path: String,
}

/// How the path was read, and with it what else rules match.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PathStep {
    /// The path that rules see; none where parsers read it in different ways.
    pub canonical: Option<String>,
    /// Why the path, or the method, the host or a header that rules match, can be read in different ways.
    pub problem: Option<String>,
    /// The reason that this is: `ambiguous_path` or `ambiguous_request`.
    pub reason: Option<&'static str>,
}

/// A rule that was tried.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RuleStep {
    /// Its name.
    pub rule: String,
    /// Whether it matches.
    pub matches: bool,
    /// Why it does not.
    pub mismatches: Vec<Mismatch>,
}

/// Why a rule does not match.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Mismatch {
    /// `method`, `path`, `host` or `header`.
    pub what: &'static str,
    /// What the rule asks for.
    pub expected: Vec<String>,
    /// What the request has.
    pub found: Option<String>,
}

/// What a request needs.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccessStep {
    /// `public`, `optional`, `authenticated`, `deny` or `requirements`.
    pub asks: &'static str,
    /// The rule that asks; none: the configuration's `default` does.
    pub rule: Option<String>,
    /// What a token has to have.
    pub requirement: Option<Requirement>,
}

/// Something that a token has to have.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Requirement {
    /// In words.
    pub asks: String,
    /// What the token has.
    pub found: Option<String>,
    /// Whether it is met; none where no token verified.
    pub met: Option<bool>,
    /// Why it is undecided, if it is: then neither it nor its negation is met.
    pub undecided: Option<String>,
    /// Its parts.
    pub parts: Vec<Self>,
}

/// What was found where a token may be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CredentialStep {
    /// The locations, in the order of the configuration.
    #[serde(rename = "places")]
    pub locations: Vec<LocationStep>,
    /// Why what was found is unusable.
    pub reason: Option<String>,
    /// What was found, where the reason alone does not say it.
    pub detail: Option<String>,
}

/// A location of a token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LocationStep {
    /// Which.
    #[serde(rename = "place")]
    pub location: String,
    /// `nothing`, `credential`, `foreign` (no JWT, and forwarded), `over` (a session), or why what is there is not one.
    pub found: String,
    /// Whether it is the one that is used.
    pub used: bool,
}

/// A token, and the results of its checks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenStep {
    /// Its header, unless it cannot be read.
    pub header: Option<Value>,
    /// Its claims, unless they cannot be read.
    pub claims: Option<Value>,
    /// The `name` of its issuer.
    pub issuer: Option<String>,
    /// Where the keys come from: `configuration`, `given` or `unknown`.
    pub keys: Option<&'static str>,
    /// Whether its signature was trusted without a check.
    pub signature_trusted: bool,
    /// Why it is rejected, if it is.
    pub reason: Option<String>,
    /// The checks, in their order.
    pub checks: Vec<CheckStep>,
}

/// What a token is bound to, and whether its sender has that.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SenderStep {
    /// `jkt`, `x5t#S256`, or both.
    #[serde(rename = "boundTo")]
    pub bound_to: Vec<&'static str>,
    /// Why it is refused, if it is.
    pub reason: Option<String>,
    /// The same, in words.
    pub detail: Option<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionStep {
    /// The `name` of its login.
    pub login: String,
    /// The `name` of its issuer.
    pub issuer: Option<String>,
    /// The claims that it keeps.
    pub claims: Option<Value>,
    /// When the user logged in (RFC 3339).
    pub created: String,
    /// When its claims expire.
    pub expires: Option<String>,
    /// Whether it is over.
    pub over: bool,
    /// Why it is rejected, if it is.
    pub reason: Option<String>,
    /// The same, in words.
    pub detail: Option<String>,
}

/// Where a browser is sent to log in.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoginStep {
    /// The `name` of the login.
    pub login: String,
    /// The identifier of its issuer.
    pub issuer: String,
    /// The authorization endpoint, where it is configured.
    pub authorization: Option<String>,
    /// The discovery document that has it, where it is not.
    pub discovery: Option<String>,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
}

/// A credential for the upstream.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamCredentialStep {
    /// Its `name`.
    pub credential: String,
    /// The header that it stands in.
    pub header: String,
    /// Where it comes from: `eks`, `exchange`, `session: accessToken`, `session: idToken` or `token`.
    pub source: &'static str,
    /// Whether the upstream gets one.
    pub made: bool,
    /// What a token says that the gate signs.
    pub claims: Option<Value>,
}

/// A check of a token.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CheckStep {
    /// Which.
    pub check: &'static str,
    /// Its result.
    pub outcome: CheckOutcome,
    /// What was checked.
    pub detail: String,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// It failed.
    Failed,
    /// It passed.
    Passed,
    /// It was not made, since another one failed.
    Skipped,
    /// It was trusted without a check.
    Trusted,
    /// It could not be made: the keys are not known.
    Unknown,
}

/// What became of a request.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Decision {
    /// `allowed`, `denied`, `audited`, `answered` or `undecided`.
    pub outcome: String,
    /// Why it was denied: the reason in metrics and logs.
    pub reason: Option<String>,
    /// The same, in a sentence.
    pub detail: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The `name` of the issuer.
    pub issuer: Option<String>,
    /// The subject, if the token verified.
    pub subject: Option<String>,
    /// The answer; none where the request passes.
    pub answer: Option<Answer>,
    /// What the upstream gets; none where the request is answered.
    pub upstream: Option<Upstream>,
    /// The line in the log.
    pub log: Option<String>,
}

/// The answer that the client gets.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
}

/// How the request differs that the upstream gets.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Upstream {
    /// All lines of the names that changed, as they are now.
    pub set: Vec<(String, String)>,
    /// The names among them that the client sent: its lines are gone.
    pub removed: Vec<String>,
}
