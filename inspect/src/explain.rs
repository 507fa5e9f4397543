//! Why a request is decided as it is, step by step.
//!
//! [`explain`] is a function of values. The decision in it is the engine's, and so is each step: `gate::explain` asks
//! the parts of the engine one by one; here they are put into words.

mod access;
mod claim_names;
mod context;
mod credential;
mod decision;
mod explanation;
mod keys;
mod notes;
mod path;
mod question;
mod rules;
mod sender;
mod session;
mod token;
mod upstream;
mod verifier;

use std::cell::Cell;

use gate::explain::trace;
use gate::{Gate, Request, Timestamp};

use self::context::Context;
pub use self::explanation::{
    AccessStep, Answer, Asked, CheckOutcome, CheckStep, CredentialStep, Decision, Explanation, LocationStep, LoginStep,
    Mismatch, PathStep, Requirement, RuleStep, SenderStep, SessionStep, TokenStep, Upstream, UpstreamCredentialStep,
};
use self::keys::KeyProvenance;
pub use self::question::Question;
use self::verifier::Verifier;
use crate::configuration::{Rejection, load};
use crate::engine::{Decided, Introspection, decide};
use crate::request::{CredentialLocation, RequestHead};

/// Explains what becomes of a request.
pub fn explain(question: &Question) -> Result<Explanation, Rejection> {
    let variable = |name: &str| question.variables.get(name).cloned();
    let loaded = load(&question.configuration, question.name.as_deref(), &variable)?;
    let mut head = question.head();
    match (&question.token, &question.proof) {
        (Some(token), None) => CredentialLocation::first_of(&loaded.policy).put(token, &mut head),
        (token, Some(proof)) => sender::put(token.as_deref(), proof, &mut head),
        (None, None) => {}
    }
    let now = Timestamp::from_secs(question.now);
    if let Some(claims) = &question.session {
        session::put(claims, &loaded.policy, now, &mut head).map_err(Rejection::of)?;
    }
    let lines: Vec<_> = head.lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let connection = sender::Shown(&question.certificate);
    let request = Request::new(&lines).with_peer(head.peer.as_bytes()).with_connection(&connection);
    let (kid, issuer) = keys::claimed(&loaded.policy, &request, now);
    let (loaded, provenance) = keys::settle(loaded, question.keys.as_deref(), kid.as_deref()).map_err(Rejection::of)?;
    let provenance = issuer.and_then(|issuer| provenance.get(issuer)).copied();
    let verifier = Verifier {
        trusts: question.trust_signature,
        keys_unknown: provenance == Some(KeyProvenance::Unknown),
        assumed_signature: Cell::new(false),
    };
    let said = question.introspection.as_deref();
    let introspection = said.map(|body| Introspection { policy: &loaded.policy, body });
    let decided = decide(Gate::new(loaded.policy.clone(), now, 0), &head, now, &verifier, introspection.as_ref());
    let is_undecided = verifier.assumed_signature.get();
    let if_signed = is_undecided.then(|| {
        let trusting = Verifier { trusts: true, keys_unknown: true, assumed_signature: Cell::new(false) };
        decide(Gate::new(loaded.policy.clone(), now, 0), &head, now, &trusting, introspection.as_ref())
    });
    let trace = trace(&loaded.policy, &request, now, &verifier, said.map(str::as_bytes));
    let decided = decided.with_login(&trace, &loaded.policy);
    let context = Context {
        loaded: &loaded,
        policy: &loaded.policy,
        trace: &trace,
        request: &request,
        provenance,
        is_undecided,
        if_signed: if_signed.as_ref(),
        question,
    };
    Ok(explanation(&context, &request, &decided, &head))
}

fn explanation(context: &Context<'_>, request: &Request<'_>, decided: &Decided, head: &RequestHead) -> Explanation {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Explanation {
        configuration: context.loaded.title.clone(),
        at: token::date(context.question.now),
        request: Asked {
            method: text(request.method()),
            host: text(request.authority()),
            path: text(request.path_without_query()),
        },
        path: context.path(),
        rules: context.rules(request),
        access: context.access(),
        credential: context.credential(),
        token: context.trace.token.as_ref().map(|token| context.token(token)),
        sender: context.sender(),
        session: context.session(),
        login: context.login(),
        upstream_credentials: context.upstream_credentials(decided),
        decision: context.decision(decided, head),
        notes: context.notes(decided),
    }
}
