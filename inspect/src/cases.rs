//! Test cases for the rules of a configuration: requests, and what is expected of each.

mod claims;
mod comparison;
mod format;
mod mint;
mod opaque;

use gate::explain::trace;
use gate::{Gate, Policy, Request, Timestamp};

pub use self::comparison::Difference;
use self::comparison::compare;
use self::format::{Case, File};
use self::mint::Mint;
use crate::configuration::Loaded;
use crate::document::{self, Divergent, Flaw, Node, position, typed};
use crate::engine::{Decided, Introspection, Outcome, decide};
use crate::finding::Finding;
use crate::request::{CredentialLocation, RequestHead, add_session};

/// Cases that were read; each knows its location in the file.
#[derive(Debug)]
pub struct Cases {
    file: File,
    locations: Vec<Location>,
}

/// Where a case is written.
#[derive(Debug)]
struct Location {
    span: std::ops::Range<usize>,
    line: usize,
}

/// How the cases of a file went.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Those that were run, in their order.
    pub cases: Vec<CaseReport>,
    /// The rules that no case reaches.
    pub unreached_rules: Vec<String>,
}

/// A case that was run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// The line that it begins on.
    pub line: usize,
    /// Its request.
    pub request: RequestHead,
    /// What became of it.
    pub decided: Decided,
    /// All that is not as expected.
    pub differences: Vec<Difference>,
}

/// Why cases cannot be run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Error {
    /// A case cannot be run: here is why.
    Case(Finding),
    /// The file is empty.
    Empty,
    /// The issuers cannot be given keys.
    Keys(String),
    /// The file cannot be read: here is why.
    Unreadable(Finding),
}

/// Reads a file of cases.
pub fn read(text: &str) -> Result<Cases, Error> {
    let invalid = |flaw: Flaw| Error::Unreadable(Finding::error("cases", "", flaw.message, flaw.span));
    let document = document::read(text).map_err(invalid)?.into_iter().next().ok_or(Error::Empty)?;
    if let Some(flaw) = document.flaws.into_iter().find(|flaw| flaw.divergent == Divergent::Both) {
        return Err(invalid(flaw));
    }
    let file = typed(&document.root, "cases").map_err(Error::Unreadable)?;
    let nodes = document.root.get("cases").map(Node::elements).unwrap_or_default().iter();
    let location = |node: &Node| Location { span: node.span.clone(), line: position(text, node.span.start).0 };
    Ok(Cases { file, locations: nodes.map(location).collect() })
}

/// Runs cases against the rules of a configuration.
pub fn run(cases: &Cases, loaded: &Loaded) -> Result<Report, Error> {
    let file = &cases.file;
    let policy = mint::with_keys(loaded.policy.clone()).map_err(Error::Keys)?;
    let now = file.now.timestamp();
    let gate = Gate::new(policy.clone(), now, 0);
    let mut mint = Mint::default();
    let mut reports = Vec::new();
    for (case, location) in file.cases.iter().zip(&cases.locations) {
        let (request, answer) = request(case, file, &policy, &mut mint)
            .map_err(|message| Error::Case(Finding::error("cases", &case.name, message, location.span.clone())))?;
        let world = World { policy: &policy, now, mint: &mint, answer: answer.as_deref() };
        let decided = world.settle(world.decide(gate.clone(), &request), &request);
        let differences = compare(&case.expect, &decided);
        reports.push(CaseReport { name: case.name.clone(), line: location.line, request, decided, differences });
    }
    let reached: Vec<_> = reports.iter().filter_map(|report| report.decided.properties.get("rule")).collect();
    let names = policy.rules().iter().map(|rule| rule.name.to_string());
    let unreached_rules = names.filter(|name| !reached.contains(&name)).collect();
    Ok(Report { cases: reports, unreached_rules })
}

/// What a case is decided in.
struct World<'w> {
    policy: &'w Policy,
    now: Timestamp,
    mint: &'w Mint,
    /// What the issuer of the token says of it.
    answer: Option<&'w str>,
}

impl World<'_> {
    fn decide(&self, gate: Gate, head: &RequestHead) -> Decided {
        let introspection = self.answer.map(|body| Introspection { policy: self.policy, body });
        decide(gate, head, self.now, self.mint, introspection.as_ref())
    }

    /// What waits for the endpoints of a provider is decided. Credentials for the upstream that others are asked for
    /// count as given.
    fn settle(&self, decided: Decided, head: &RequestHead) -> Decided {
        if decided.outcome != Outcome::Waiting {
            return decided;
        }
        let lines: Vec<_> = head.lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request = Request::new(&lines).with_peer(head.peer.as_bytes());
        let trace = trace(self.policy, &request, self.now, self.mint, self.answer.map(str::as_bytes));
        match trace.principal() {
            Some(_) => self.decide(Gate::new(self.policy.clone().without_asked_credentials(), self.now, 0), head),
            None => decided.with_login(&trace, self.policy),
        }
    }
}

/// The request of a case, and what the issuer of its token says of it.
fn request(
    case: &Case,
    file: &File,
    policy: &Policy,
    mint: &mut Mint,
) -> Result<(RequestHead, Option<String>), String> {
    let mut head = RequestHead::new(&case.request.method, &case.request.host, &case.request.path);
    head.peer.clone_from(&case.peer);
    for (name, values) in &case.headers {
        values.0.iter().for_each(|value| head.add(name, value));
    }
    if let Some(claims) = &case.session {
        let claims = claims::session_claims(case, claims, &file.claims, policy, file.now.0)?;
        add_session(claims, policy, file.now.timestamp(), &mut head)?;
    }
    let Some(token) = mint.token(case, &file.claims, policy, file.now.0)? else { return Ok((head, None)) };
    let location = case.credential.clone().unwrap_or_else(|| CredentialLocation::first_of(policy));
    location.put(&token.text, &mut head);
    Ok((head, token.answer))
}
