//! How a request was evaluated, step by step: it explains a decision.
//!
//! It decides nothing: it notes the steps of the decision itself. The plugin does not call it.

mod session;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use jose::signature::{SignatureVerifier, Software};

pub use self::session::{SessionTrace, session_cookies};
use crate::binding::Lack;
pub use crate::callers::{Check, TokenTrace, Withheld};
use crate::callers::{Claimed, Entry, Evidence, Failure, Principal, TokenCache, Verification};
use crate::callout::CalloutId;
use crate::canonical::Canonical;
use crate::credentials::{Credential, CredentialLocation};
use crate::decision::decide;
use crate::http::{AmbiguousPath, CanonicalPath, Request};
use crate::introspection::{self, Endpoints};
use crate::keys::IssuerKeys;
use crate::known::Known;
use crate::policy::{Issuer, Policy};
use crate::question::{Answer, Answers};
use crate::random::NoGenerator;
use crate::report::{Cause, Detail, Reason};
use crate::rules::{Ambiguity, MatchedRequest, RequestPart, Requirement, Rule, Shadowed, Truth};
use crate::sessions::{KeptClaims, Refreshes};
use crate::time::Timestamp;
use crate::trail::Trail;
use crate::upstream::MintedCache;

/// How a request was seen.
#[derive(Debug)]
pub struct Trace {
    /// The path that rules see.
    pub path: Result<String, AmbiguousPath>,
    /// What it came to.
    pub route: Route,
    /// The rules in their order up to the one that matches; none where it did not come to rules.
    pub rules: Vec<RuleTrace>,
    /// The credential, where one was asked for.
    pub credential: Option<CredentialTrace>,
    /// The token in it.
    pub token: Option<TokenTrace>,
    /// Whether the sender is the one that the token is bound to, where that mattered: what is wrong otherwise.
    pub sender: Option<Result<(), Cause>>,
    /// The session, where no other credential was there.
    pub session: Option<SessionTrace>,
    /// The login that the browser is sent to, by its index.
    pub login: Option<usize>,
}

/// What a request came to before its credential was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Route {
    /// It can be read in more than one way.
    Ambiguous(Ambiguity),
    /// The gate answers with the metadata of a resource.
    Metadata,
    /// The gate answers one of its own paths.
    OwnPath,
    /// A preflight, which passes.
    Preflight,
    /// This rule, or `None` if no rule matches.
    Rule(Option<usize>),
    /// A server that decodes escapes would see a path for which something else is asked.
    Shadowed {
        /// The rule for the request as it is; the default without one.
        found: Option<usize>,
        /// The rule for that path; the default without one.
        rule: Option<usize>,
        /// That path.
        decoded: String,
    },
}

/// Where a request fits a rule, and where it does not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleTrace {
    /// Whether it has one of the rule's methods.
    pub method: bool,
    /// Whether it has one of the rule's paths.
    pub path: bool,
    /// Whether it has one of the rule's hosts.
    pub host: bool,
    /// The headers that it lacks, or that have another value.
    pub headers: Vec<(String, String)>,
}

/// What was found where a token may stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialTrace {
    /// For each location: nothing, something, or something that no token can be.
    pub locations: Vec<Option<Result<(), Cause>>>,
    /// The index of the location whose credential counts, or why none does.
    pub used: Result<Option<usize>, Cause>,
    /// It is not for the gate: it is forwarded, without identity.
    pub is_foreign: bool,
    /// It came from a cookie, and another site had the browser send it.
    pub is_cross_site: bool,
    /// If there is no credential: what stands where one should.
    pub missing: Option<Detail>,
}

impl RuleTrace {
    /// Whether the rule matches.
    pub fn matches(&self) -> bool {
        self.method && self.path && self.host && self.headers.is_empty()
    }
}

impl Trace {
    /// The caller, once that is certain.
    pub fn principal(&self) -> Option<&Principal> {
        let of_token = self.token.as_ref().and_then(|token| token.principal.as_ref());
        // It is looked at where there is no token, or a bad one in a cookie.
        let session = self.session.as_ref().filter(|session| !session.is_over && session.odd_groups.is_none());
        session.map(|session| &session.principal).or(of_token)
    }
}

/// Where tokens may stand, in the order of the configuration.
pub fn credential_locations(policy: &Policy) -> &[CredentialLocation] {
    policy.credentials.locations()
}

/// What `policy` makes of `request`, its keys being those that are inline. Issuers that are asked about a token say
/// `introspection`, the body of an answer with status 200; nothing without one.
pub fn trace(
    policy: &Policy,
    request: &Request<'_>,
    now: Timestamp,
    verifier: &dyn SignatureVerifier,
    introspection: Option<&[u8]>,
) -> Trace {
    let keys: Vec<_> = policy.issuers.iter().map(|issuer| IssuerKeys::new(&issuer.keys, now)).collect();
    let verification = Verification { policy, keys: &keys, verifier, now, steady: now };
    let path = CanonicalPath::of(request.path(), policy.paths).map(|path| path.as_str().to_string());
    let mut trace = Trace {
        path,
        rules: Vec::new(),
        credential: None,
        token: None,
        sender: None,
        session: None,
        login: None,
        route: Route::Rule(None),
    };
    let mut trail = Notes { trace: &mut trace, withheld: Withheld::default(), session: None };
    let kept = KeptClaims::of_logins(policy);
    let (answers, refreshes) = (answers(policy, request, now, introspection), Refreshes::default());
    let known = Known {
        verification: &verification,
        signer: &Software,
        random: &NoGenerator,
        answers: answers.at_hand(false),
        endpoints: &Endpoints::default(),
        proof: None,
        refreshes: &refreshes,
        kept: &kept,
        minted: &MintedCache::default(),
        is_check: false,
        has_all_keys: true,
    };
    decide(request, &known, &mut TokenCache::new(0), &mut trail);
    trace
}

/// What is known of the token in `request`.
fn answers(policy: &Policy, request: &Request<'_>, now: Timestamp, introspection: Option<&[u8]>) -> Answers {
    let mut answers = Answers::new(1, Duration::from_mins(1));
    let (Some(body), Ok(Some(credential))) = (introspection, policy.credentials.take(request)) else { return answers };
    if let Some(issuer) = policy.introspects(&credential.token) {
        let topic = introspection::topic(issuer, &credential.token);
        let callout = CalloutId(0);
        answers.begin(topic, callout, now);
        answers.finish(&topic, callout, Ok(Answer::ok(body)), Duration::from_mins(1), now);
    }
    answers
}

/// How a part of what a rule asks comes out for a caller who is verified, and the values that claims are compared with.
pub fn judge(
    asked: &Requirement,
    principal: &Principal,
    policy: &Policy,
    rule: &Rule,
    request: &Request<'_>,
) -> (Truth, Vec<(RequestPart, Option<String>)>) {
    // Who has come to a rule has one reading.
    let Ok(canonical) = Canonical::of(request, policy) else { return (Truth::Undecided, Vec::new()) };
    let matched =
        MatchedRequest { request: &canonical.request(request), path: &canonical.path, matcher: &rule.matcher };
    let mut parts = Vec::new();
    asked.request_parts(&mut parts);
    let value = |part: &RequestPart| (part.clone(), part.value(&matched).map(Cow::into_owned));
    (asked.truth(principal, policy.scope_match, &matched), parts.into_iter().map(value).collect())
}

/// The trail of a decision that is to be explained.
struct Notes<'t> {
    trace: &'t mut Trace,
    withheld: Withheld,
    /// The index of the location of sessions.
    session: Option<usize>,
}

impl Trail for Notes<'_> {
    fn ambiguous(&mut self, ambiguity: &Ambiguity) {
        self.trace.route = Route::Ambiguous(ambiguity.clone());
    }

    fn metadata(&mut self) {
        self.trace.route = Route::Metadata;
    }

    fn own_path(&mut self) {
        self.trace.route = Route::OwnPath;
    }

    fn preflight(&mut self) {
        self.trace.route = Route::Preflight;
    }

    fn rule(
        &mut self,
        policy: &Policy,
        request: &Request<'_>,
        path: &CanonicalPath<'_>,
        found: &Result<Option<usize>, Shadowed>,
    ) {
        let (Ok(index) | Err(Shadowed { found: index, .. })) = *found;
        self.trace.rules = rules_until(policy, request, path, index);
        self.trace.route = match found.clone() {
            Ok(rule) => Route::Rule(rule),
            Err(Shadowed { found, rule, decoded }) => Route::Shadowed { found, rule, decoded },
        };
    }

    fn credential(&mut self, policy: &Policy, request: &Request<'_>, found: &Result<Option<Credential<'_>>, Cause>) {
        let locations = policy.credentials.locations();
        self.session = locations.iter().position(|location| *location == CredentialLocation::Session);
        let used = match found {
            Ok(credential) => Ok(credential.as_ref().map(|credential| credential.index)),
            Err(cause) => Err(cause.clone()),
        };
        self.trace.credential = Some(CredentialTrace {
            locations: policy.credentials.found(request),
            missing: policy.credentials.missing(request).filter(|_| used == Ok(None)),
            used,
            is_foreign: false,
            is_cross_site: false,
        });
    }

    fn cross_site(&mut self) {
        self.trace.credential.iter_mut().for_each(|credential| credential.is_cross_site = true);
    }

    fn foreign(&mut self) {
        self.trace.credential.iter_mut().for_each(|credential| credential.is_foreign = true);
    }

    fn known(&mut self, entry: &Entry) {
        self.trace.session = SessionTrace::of(entry);
        if let (Some(credential), Some(index)) = (&mut self.trace.credential, self.session) {
            credential.locations.iter_mut().skip(index).take(1).for_each(|found| *found = Some(Ok(())));
            credential.used = Ok(Some(index));
            credential.missing = None;
        }
    }

    fn session_over(&mut self) {
        self.trace.session.iter_mut().for_each(|session| session.is_over = true);
        self.trace.credential.iter_mut().for_each(|credential| credential.used = Ok(None));
    }

    fn login(&mut self, login: usize) {
        self.trace.login = Some(login);
    }

    fn evidence(&mut self, evidence: &Evidence<'_>, issuer: &Issuer) {
        self.withheld = Withheld::new(evidence, issuer);
    }

    fn token(
        &mut self,
        verification: &Verification<'_>,
        text: &[u8],
        claimed: Claimed,
        outcome: Result<&Principal, &Failure>,
    ) {
        let withheld = std::mem::take(&mut self.withheld);
        self.trace.token = Some(TokenTrace { withheld, ..TokenTrace::new(verification, text, &claimed, outcome) });
    }

    fn sender(&mut self, outcome: &Result<(), Lack>) {
        self.trace.sender = Some(match outcome {
            // Here no proof was ever used.
            Ok(()) | Err(Lack::Unused(_)) => Ok(()),
            Err(Lack::Refused(cause, _)) => Err(cause.clone()),
        });
    }

    fn odd_groups(&mut self, detail: &Arc<str>) {
        self.trace.session.iter_mut().for_each(|session| session.odd_groups = Some(Arc::clone(detail)));
        let Some(token) = &mut self.trace.token else { return };
        token.failed = Some((Check::Groups, Reason::BadClaim));
        token.principal = None;
        token.detail = Some(detail.to_string());
    }
}

/// The rules in their order, up to the one that was found.
fn rules_until(
    policy: &Policy,
    request: &Request<'_>,
    path: &CanonicalPath<'_>,
    found: Option<usize>,
) -> Vec<RuleTrace> {
    let count = found.map_or(policy.rules.len(), |found| found.saturating_add(1));
    let trace = |rule: &Rule| RuleTrace {
        method: rule.matcher.takes_method(request),
        path: rule.matcher.takes_path(path),
        host: rule.matcher.takes_host(request),
        headers: rule.matcher.headers_that_differ(request).cloned().collect(),
    };
    policy.rules.iter().take(count).map(trace).collect()
}
