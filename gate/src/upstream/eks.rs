//! A token for a cluster of Amazon EKS: the ID token of a session becomes a role, and the role a signed request.

use std::time::Duration;

use aws::session_name;
use aws::sts::{self, AssumeRole, AssumedRole, StsError};
use jose::claims::NumericDate;
use jose::json::Document;
use jose::{Hash, base64url};
use oauth::{CONTENT_TYPE, Secret};

use super::answered::{answer, failed};
use super::caller::Caller;
use super::minted::{Lack, Minted};
use super::roles::{Choice, role_of};
use crate::authorization_server::no_answer;
use crate::callout::{Callout, CalloutHeader, CalloutId, USER_AGENT};
use crate::known::Known;
use crate::policy::{Eks, KeptToken, Role, UpstreamCredential};
use crate::question::{Answered, Question, Step, Subject, Topic};
use crate::sessions::Session;
use crate::time::Timestamp;

/// How long before their end credentials of a role are replaced.
const MARGIN: Duration = Duration::from_mins(1);
/// How long a token for a cluster is used at most. Clusters take one for 15 minutes.
const TOKEN_USED_FOR: Duration = Duration::from_mins(10);

pub(super) fn mint(
    index: usize,
    credential: &UpstreamCredential,
    settings: &Eks,
    caller: &Caller<'_>,
    known: &Known<'_>,
) -> Result<Minted, Lack> {
    let session = caller.session.ok_or(Lack::Denied)?;
    let policy = known.verification.policy;
    let role = match role_of(settings, &caller.entry.principal, policy.scope_match, session.role.as_deref()) {
        Choice::Role(role) => role,
        Choice::Several => return Err(Lack::NeedsRole),
        Choice::None => return Err(Lack::Denied),
    };
    let topic = topic(index, session, role);
    let (answer, _) = answer(known, topic, || Ok(Question { topic, callout: ask(settings, role, caller, known)? }))?;
    let assumed = AssumedRole::read(answer.status, &answer.body).map_err(|error| failed(!error.is_temporary()))?;
    let now = known.verification.now.since_epoch();
    let rest = good_for(&assumed, now).ok_or(Lack::UNAVAILABLE)?;
    let token = aws::eks::token(&assumed.credentials, &settings.region, &settings.cluster_name, now);
    let value = credential.value(token.map_err(|_| Lack::Denied)?.reveal());
    Ok(Minted { value, ends: known.verification.steady.after(rest.min(TOKEN_USED_FOR)) })
}

/// How long an answer of STS is of use.
pub(super) fn kept(answered: &Answered, now: Timestamp) -> Option<Duration> {
    let answer = answered.as_ref().ok()?;
    good_for(&AssumedRole::read(answer.status, &answer.body).ok()?, now.since_epoch())
}

/// What there is to say to operators about an answer that gives no role, or one of no use.
pub(super) fn trouble(settings: &Eks, answered: &Answered, now: Timestamp) -> Option<String> {
    let answer = match answered {
        Ok(answer) => answer,
        Err(failure) => return Some(no_answer("STS", *failure)),
    };
    let now = now.since_epoch();
    match AssumedRole::read(answer.status, &answer.body) {
        Err(error) => Some(at_sts(error)),
        Ok(assumed) if good_for(&assumed, now).is_none() => {
            Some(String::from("STS answered with credentials that end within a minute: compare the clocks"))
        }
        Ok(assumed) => {
            let token = aws::eks::token(&assumed.credentials, &settings.region, &settings.cluster_name, now);
            token.err().map(|error| error.to_string())
        }
    }
}

fn at_sts(error: StsError) -> String {
    format!("STS {error}")
}

/// How long these credentials are used from now on.
fn good_for(assumed: &AssumedRole, now: Duration) -> Option<Duration> {
    let rest = assumed.expiration.checked_sub(now)?.checked_sub(MARGIN)?;
    (!rest.is_zero()).then_some(rest)
}

/// One session has one for each role. A refresh does not change it: while its credentials last, they are used.
fn topic(index: usize, session: &Session, role: &Role) -> Topic {
    let login = session.login.to_be_bytes();
    let digest = Hash::Sha256.digest(&[b"jotgate role", &login, &session.id, role.name.as_bytes()]);
    let digest = digest.first_chunk().copied().unwrap_or_default();
    Topic { subject: Subject::Credential(index, digest), step: Step::Role }
}

fn ask(settings: &Eks, role: &Role, caller: &Caller<'_>, known: &Known<'_>) -> Result<Callout, Lack> {
    let token = caller.kept(KeptToken::Id).ok_or(Lack::Denied)?;
    if has_expired(token, known.verification.now.since_epoch()) {
        return Err(Lack::SessionOver);
    }
    let session_name = session_name::of(caller.entry.principal.subject().ok_or(Lack::Denied)?);
    let form = AssumeRole { role: &role.arn, session_name: &session_name, token, duration: settings.duration }.form();
    let uri = &settings.sts;
    Ok(Callout {
        id: CalloutId(0),
        cluster: settings.sts_cluster.clone(),
        method: "POST",
        scheme: uri.scheme(),
        authority: uri.authority.clone(),
        path: uri.path.clone(),
        headers: vec![
            CalloutHeader::new("user-agent", USER_AGENT),
            // Asked for JSON, STS gives JSON.
            CalloutHeader::new("accept", "text/xml"),
            CalloutHeader::new("content-type", CONTENT_TYPE),
        ],
        body: form.as_str().as_bytes().to_vec(),
        timeout: Eks::TIMEOUT,
        max_body_bytes: sts::MAX_BODY.saturating_add(1),
    })
}

/// Whether an ID token is over, that was verified when the session got it.
fn has_expired(token: &Secret, now: Duration) -> bool {
    let expiry = || {
        let payload = base64url::decode(token.reveal().split('.').nth(1)?.as_bytes())?;
        let document = Document::parse(&payload).ok()?;
        NumericDate::from_claim(document.root().get("exp")?).map(NumericDate::floor)
    };
    expiry().is_some_and(|expiry| expiry <= now.as_secs())
}
