//! Sessions, to be explained: what a browser would send that has one, and what was found of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jose::json::{Document, Kind, Value};
use oauth::Secret;

use crate::callers::{Entry, Principal};
use crate::login::expiry;
use crate::policy::Policy;
use crate::random::Randomness;
use crate::sessions::{KeptClaims, SealError, Session, SessionCookies, open};
use crate::time::Timestamp;

/// What was found of a session.
#[derive(Debug)]
pub struct SessionTrace {
    /// The index of its login.
    pub login: usize,
    /// When the user logged in.
    pub created: Timestamp,
    /// The `exp` of its claims.
    pub fresh_until: Option<Timestamp>,
    /// The claims that it keeps: a JSON object.
    pub claims: String,
    /// Whether it is over.
    pub is_over: bool,
    /// What is wrong with its groups, where they are asked for and cannot be read.
    pub odd_groups: Option<Arc<str>>,
    /// Whose it is.
    pub principal: Principal,
}

impl SessionTrace {
    pub(super) fn of(entry: &Entry) -> Option<Self> {
        let session = &entry.session.as_ref()?.session;
        Some(Self {
            login: session.login,
            created: session.created,
            fresh_until: session.fresh_until,
            claims: session.claims.clone(),
            is_over: false,
            odd_groups: None,
            principal: entry.principal.clone(),
        })
    }
}

/// What the browser sends as its cookies that logged in at `now` by the login of that index, where the provider said
/// `claims`, a JSON object, and gave no refresh token; or why there is no such session.
pub fn session_cookies(
    policy: &Policy,
    login: usize,
    claims: &str,
    now: Timestamp,
    random: &dyn Randomness,
) -> Result<String, String> {
    let browser = policy.browser.as_ref().ok_or("there is no `login` in the configuration")?;
    let kept = KeptClaims::of_logins(policy);
    let kept = kept.get(login).ok_or("there is no such login")?;
    let document = Document::parse(claims.as_bytes()).map_err(|error| format!("the claims are not JSON: {error}"))?;
    if document.root().kind() != Kind::Object {
        return Err(format!("expected claims as a JSON object, found {}", document.root().kind()));
    }
    let session = Session {
        id: [0; 16],
        generation: 0,
        login,
        flow: [0; 16],
        created: now,
        last_seen: now,
        claims_at: now,
        fresh_until: expiry(document.root()),
        claims: kept.select(document.root(), document.root().get("nonce").and_then(Value::as_str)),
        claims_digest: kept.digest(),
        refresh_token: None,
        id_token: browser.session.keep.id_token.then(|| Secret::new("the-id-token")),
        access_token: browser.session.keep.access_token.then(|| Secret::new("the-access-token")),
        from_userinfo: None,
        role: None,
    };
    let cookies = SessionCookies::new(&browser.session);
    let text = cookies.seal(&session, random).map_err(|error| match error {
        SealError::NoRandomness(error) => error.to_string(),
        SealError::TooLarge(error) => error.to_string(),
    })?;
    // What the proxy would not take is no session here.
    open(text.as_bytes(), browser, policy).map_err(|error| error.to_string())?;
    let lines = cookies.set(&text, &session, now, &BTreeSet::new());
    let pairs = lines.iter().filter_map(|line| line.split(';').next());
    Ok(pairs.collect::<Vec<_>>().join("; "))
}
