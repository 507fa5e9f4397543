//! That a variant does the work that it is measured for: what it lets pass, what it tells the upstream, what it
//! refuses, and what its own counters say afterwards.

use std::collections::BTreeMap;

use host_tests::envoy::http::Request;

use crate::authz::DENY;
use crate::failure::{At as _, Failure, Result};
use crate::gates::ANSWER;
use crate::subject::Subject;
use crate::variant::{Gate, Tokens};
use crate::world::{ECHO, World, bare};

/// Native does not remember longer tokens: `kMaxJwtSizeForCache` of Envoy.
const NATIVE_REMEMBERS: usize = 4096;

/// Before anything is measured.
pub(crate) fn answers(world: &World, subject: &Subject) -> Result<()> {
    let check = Check { world, subject };
    check.admits().and_then(|()| check.tells()).and_then(|()| check.refuses()).at(&subject.variant.name)
}

/// After everything was measured.
pub(crate) fn counters(subject: &Subject) -> Result<()> {
    let (counted, sent) = subject.counted()?;
    compare(&expected(subject.variant.gate, subject.variant.load.tokens), &counted, sent).at(&subject.variant.name)
}

struct Check<'c> {
    world: &'c World,
    subject: &'c Subject,
}

impl Check<'_> {
    fn admits(&self) -> Result<()> {
        let (status, body) = self.send(&self.good()?)?;
        expect("the answer to a good request", &(status, body.as_str()), &(200, ANSWER))
    }

    /// The upstream is told who is calling, and gets no token; without a gate, it gets what was sent.
    fn tells(&self) -> Result<()> {
        let request = self.good()?.header(ECHO, "yes");
        let answer = request.send(self.subject.envoy.address("gateway"))?;
        let gated = self.verifies();
        for (header, _, value) in self.world.identity() {
            let wanted = if gated { vec![value] } else { Vec::new() };
            expect(&format!("the upstream's `{header}`"), &answer.seen(header), &wanted)?;
        }
        expect("whether the upstream got the token", &answer.seen("authorization").is_empty(), &gated)
    }

    fn refuses(&self) -> Result<()> {
        let bare = bare(self.subject.variant.load.headers);
        match self.subject.variant.gate {
            Gate::Open | Gate::Nothing => self.status("no token", &bare, 200),
            Gate::Hop(_) => self.status("a request to be refused", &self.good()?.header(DENY, "yes"), 403),
            Gate::Jotgate { .. } | Gate::Native { .. } => {
                let tokens = self.subject.variant.load.tokens;
                let lacking = self.world.token_without_scope(tokens)?;
                let forged = forge(&self.world.token(tokens)?);
                self.status("no token", &bare, 401)?;
                self.status("a forged token", &bare.clone().bearer(&forged), 401)?;
                self.status("a token that lacks the scope", &bare.bearer(&lacking), 403)
            }
        }
    }

    fn verifies(&self) -> bool {
        matches!(self.subject.variant.gate, Gate::Jotgate { .. } | Gate::Native { .. })
    }

    fn good(&self) -> Result<Request> {
        let load = self.subject.variant.load;
        Ok(bare(load.headers).bearer(&self.world.token(load.tokens)?))
    }

    fn status(&self, what: &str, request: &Request, wanted: u16) -> Result<()> {
        expect(&format!("the status for {what}"), &self.send(request)?.0, &wanted)
    }

    fn send(&self, request: &Request) -> Result<(u16, String)> {
        let answer = request.send(self.subject.envoy.address("gateway"))?;
        Ok((answer.status, answer.text()))
    }
}

/// The same token with the first character of its signature changed.
fn forge(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let mut rest = signature.chars();
    let first = if rest.next() == Some('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", rest.as_str())
}

/// How often something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Never,
    OncePerRequest,
}

fn expected(gate: Gate, tokens: Tokens) -> Vec<(&'static str, Count)> {
    use Count::{Never, OncePerRequest};
    let (known, new) = if tokens.fresh { (Never, OncePerRequest) } else { (OncePerRequest, Never) };
    let mut counts = vec![("http.gateway.downstream_rq_2xx", OncePerRequest)];
    match gate {
        Gate::Open | Gate::Nothing => {}
        Gate::Hop(_) => counts.push(("http.gateway.ext_authz.ok", OncePerRequest)),
        Gate::Jotgate { .. } => counts.extend([
            ("wasmcustom.jotgate_requests_allowed", OncePerRequest),
            ("wasmcustom.jotgate_tokens_cached", known),
            ("wasmcustom.jotgate_tokens_verified", new),
        ]),
        Gate::Native { caches } => {
            let remembers = caches && !tokens.fresh && tokens.bytes < NATIVE_REMEMBERS;
            counts.extend([
                ("http.gateway.jwt_authn.allowed", OncePerRequest),
                ("http.gateway.jwt_authn.jwt_cache_hit", if remembers { OncePerRequest } else { Never }),
                ("http.gateway.rbac.allowed", OncePerRequest),
            ]);
        }
    }
    counts
}

fn compare(expected: &[(&str, Count)], counted: &BTreeMap<String, u64>, sent: u64) -> Result<()> {
    for (name, count) in expected {
        let wanted = if *count == Count::Never { 0 } else { sent };
        let found = counted.get(*name).copied().unwrap_or_default();
        expect(&format!("`{name}` after {sent} requests"), &found, &wanted)?;
    }
    Ok(())
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<()> {
    if found == wanted { Ok(()) } else { Err(Failure::new(format!("{what}: expected {wanted:?}, found {found:?}"))) }
}
