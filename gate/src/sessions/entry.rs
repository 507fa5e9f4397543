//! From a session's text to a caller, and back to the browser.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jose::json::Document;

use super::cookie::SessionCookies;
use crate::callers::{Entry, Evidence, OddClaims, Principal, TokenCache, digest_of_session};
use crate::http::Request;
use crate::policy::{Browser, Policy};

/// Why a text is no session that can be used. It is never shown to a client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum UnusableSession {
    /// Its claims are not such as the policy reads.
    Claims(OddClaims),
    /// It does not open, or it is of a login that is not there.
    NotOpened,
}

/// What was found in the cookies of a request.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) entry: Option<Arc<Entry>>,
    pub(crate) present: BTreeSet<usize>,
}

/// The session of `request`, whatever it is still good for.
pub(crate) fn find(browser: &Browser, request: &Request<'_>, policy: &Policy, cache: &mut TokenCache) -> Found {
    let cookies = SessionCookies::new(&browser.session);
    let present = cookies.parts_in(request);
    let entry = cookies.texts(request).find_map(|text| {
        if let Some(known) = cache.find_session(&text) {
            return Some(known);
        }
        let entry = Arc::new(open(&text, browser, policy).ok()?);
        cache.insert(Arc::clone(&entry));
        Some(entry)
    });
    Found { entry, present }
}

/// The caller whose session this text is.
pub(crate) fn open(text: &[u8], browser: &Browser, policy: &Policy) -> Result<Entry, UnusableSession> {
    let opened = SessionCookies::new(&browser.session).open(text).ok_or(UnusableSession::NotOpened)?;
    let session = &opened.session;
    let login = browser.logins.get(session.login).ok_or(UnusableSession::NotOpened)?;
    let issuer = policy.issuers.get(login.issuer).ok_or(UnusableSession::NotOpened)?;
    let document = Document::parse(session.claims.as_bytes()).map_err(|_| UnusableSession::NotOpened)?;
    // Whether it is still good depends on more than the clock: that is asked for each request.
    let always = Duration::ZERO..Duration::MAX;
    let evidence = Evidence::of_session(document.root(), (login.issuer, issuer), login.client.id(), always.clone())
        .map_err(UnusableSession::Claims)?;
    let kept = session.access_token.as_ref().or(session.id_token.as_ref());
    let principal = Principal::new(evidence, kept.map(oauth::Secret::reveal), policy, issuer);
    let digest = digest_of_session(policy, session);
    let session = Some(Arc::new(opened));
    Ok(Entry { token: text.into(), principal, kid: None, key_set: 0, valid: always, digest, until: None, session })
}

impl fmt::Display for UnusableSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claims(OddClaims(text)) => write!(formatter, "the session would be unusable: {text}"),
            Self::NotOpened => formatter.write_str("the session does not open"),
        }
    }
}
