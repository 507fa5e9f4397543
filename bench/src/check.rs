//! That a variant does the work that it is measured for: what it lets pass, what the upstream sees, what it
//! refuses, and what its own counters say afterwards.

use std::collections::BTreeMap;

use real_envoy::http::Request;

use crate::authz::DENY;
use crate::failure::{At as _, Failure, Result};
use crate::gates::ANSWER;
use crate::subject::Subject;
use crate::variant::{Caller, Fresh, Gate, Jotgate, Session, Tokens, Upstream};
use crate::world::{ECHO, SCOPES, TOO_FEW, World, bare};

/// Native does not remember longer tokens: `kMaxJwtSizeForCache` of Envoy.
const NATIVE_REMEMBERS: usize = 4096;

/// Before anything is measured.
pub(crate) fn answers(world: &World, subject: &Subject) -> Result<()> {
    let check = Check { world, subject };
    check.admits().and_then(|()| check.identifies()).and_then(|()| check.refuses()).at(&subject.variant.name)
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
        let answer = self.good()?.send(self.subject.envoy.address("gateway"))?;
        expect("the answer to a good request", &(answer.status, answer.text().as_str()), &(200, ANSWER))?;
        let old = Caller::Session(Session::Old);
        let is_sealed = matches!(self.subject.variant.gate, Gate::Jotgate(Jotgate { caller, .. }) if caller == old);
        expect("whether the answer brings a cookie", &!answer.head.all("set-cookie").is_empty(), &is_sealed)
    }

    /// The upstream sees who is calling, and gets no token; without a gate, it gets what was sent. Calls alone say
    /// what they know nothing of.
    fn identifies(&self) -> Result<()> {
        let request = self.good()?.header(ECHO, "yes");
        let answer = request.send(self.subject.envoy.address("gateway"))?;
        let nothing = Upstream::Nothing;
        let gives = matches!(self.subject.variant.gate, Gate::Jotgate(Jotgate { upstream, .. }) if upstream != nothing);
        let (gated, called) = (self.verifies(), self.subject.variant.gate == Gate::Calls);
        for (header, _, value) in self.world.identity() {
            let (what, seen) = (format!("the upstream's `{header}`"), answer.seen(header));
            match called {
                true => expect(&format!("lines of {what}"), &seen.len(), &1)?,
                false => expect(&what, &seen, &if gated { vec![value] } else { Vec::new() })?,
            }
        }
        expect("whether the upstream got no session", &answer.seen("cookie").is_empty(), &true)?;
        expect(
            "whether the upstream got no token",
            &answer.seen("authorization").is_empty(),
            &((gated || called) && !gives),
        )
    }

    fn refuses(&self) -> Result<()> {
        let bare = bare(self.subject.variant.load.headers);
        match self.subject.variant.gate {
            Gate::Open | Gate::Nothing | Gate::Calls => self.status("no token", &bare, 200),
            Gate::Hop(_) => self.status("a request to be refused", &self.good()?.header(DENY, "yes"), 403),
            Gate::Jotgate(_) | Gate::Native { .. } => {
                let lacking = self.subject.credential(self.world, TOO_FEW)?;
                let forged = self.subject.credential(self.world, SCOPES)?.forged();
                self.status("no token", &bare, 401)?;
                self.status("a forged token", &forged.on(bare.clone()), 401)?;
                self.status("a token that lacks the scope", &lacking.on(bare), 403)
            }
        }
    }

    fn verifies(&self) -> bool {
        matches!(self.subject.variant.gate, Gate::Jotgate(_) | Gate::Native { .. })
    }

    fn good(&self) -> Result<Request> {
        Ok(self.subject.credential(self.world, SCOPES)?.on(bare(self.subject.variant.load.headers)))
    }

    fn status(&self, what: &str, request: &Request, wanted: u16) -> Result<()> {
        let answer = request.send(self.subject.envoy.address("gateway"))?;
        expect(&format!("the status for {what}"), &answer.status, &wanted)
    }
}

/// How often something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Never,
    OncePerRequest,
}

fn expected(gate: Gate, tokens: Tokens) -> Vec<(&'static str, Count)> {
    use Count::{Never, OncePerRequest};
    let (known, new) = if tokens.fresh == Fresh::Tokens { (Never, OncePerRequest) } else { (OncePerRequest, Never) };
    let mut counts = vec![("http.gateway.downstream_rq_2xx", OncePerRequest)];
    match gate {
        Gate::Open | Gate::Nothing | Gate::Calls => {}
        Gate::Hop(_) => counts.push(("http.gateway.ext_authz.ok", OncePerRequest)),
        Gate::Jotgate(Jotgate { caller, upstream, .. }) => {
            if upstream != Upstream::Nothing {
                counts.push(("wasmcustom.jotgate_upstream_cached_bench", OncePerRequest));
            }
            // Sessions are no tokens.
            let (known, new) = if matches!(caller, Caller::Session(_)) { (Never, Never) } else { (known, new) };
            counts.extend([
                ("wasmcustom.jotgate_requests_allowed", OncePerRequest),
                ("wasmcustom.jotgate_tokens_cached", known),
                ("wasmcustom.jotgate_tokens_verified", new),
            ]);
        }
        Gate::Native { caches } => {
            let remembers = caches && tokens.fresh == Fresh::Nothing && tokens.bytes < NATIVE_REMEMBERS;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use real_envoy::Bootstrap;
    use testbed::keys::Algorithm;

    use super::*;
    use crate::gates::{bootstrap, jwt_authn, open};
    use crate::variant::{Variant, by_token_size, usual};

    fn world() -> World {
        World::with(vec![Algorithm::ES256], Duration::from_hours(1)).unwrap()
    }

    /// One that needs no other keys.
    fn variant(name: &str) -> Variant {
        by_token_size().into_iter().chain(usual()).find(|variant| variant.name == name).unwrap()
    }

    fn native() -> Variant {
        variant("token-512-native")
    }

    /// What the check says of an Envoy with that configuration.
    fn verdict(world: &World, variant: &Variant, bootstrap: &Bootstrap) -> String {
        let subject = Subject::with(bootstrap, world, variant).unwrap();
        answers(world, &subject).map_or_else(|failure| failure.to_string(), |()| "ok".into())
    }

    #[test]
    fn a_gate_that_does_its_work_is_measured() {
        let world = world();
        for name in ["token-512-open", "token-512-native", "token-512-jotgate"] {
            let variant = variant(name);
            assert_eq!(verdict(&world, &variant, &bootstrap(variant.gate, &world)), "ok", "{name}");
        }
    }

    #[test]
    fn a_gate_that_is_not_there_is_noticed() {
        let world = world();
        let found = verdict(&world, &native(), &open(&world));
        assert_eq!(found, "token-512-native: the upstream's `x-auth-request-user`: expected [\"alice\"], found []");
        let hop = Variant { gate: variant("hop-http").gate, ..variant("token-512-open") };
        let found = verdict(&world, &hop, &open(&world));
        assert_eq!(found, "token-512-open: the status for a request to be refused: expected 403, found 200");
    }

    #[test]
    fn a_gate_where_none_should_be_is_noticed() {
        let world = world();
        let found = verdict(&world, &variant("token-512-open"), &bootstrap(native().gate, &world));
        assert_eq!(found, "token-512-open: the upstream's `x-auth-request-user`: expected [], found [\"alice\"]");
    }

    #[test]
    fn a_gate_that_lets_the_wrong_ones_pass_is_noticed() {
        let world = world();
        let found = verdict(&world, &native(), &open(&world).filter(jwt_authn(&world, true)));
        let expected = "token-512-native: the status for a token that lacks the scope: expected 403, found 200";
        assert_eq!(found, expected);
    }

    #[test]
    fn a_request_that_is_refused_ends_the_run() {
        let (world, other) = (world(), world());
        let mut subject = Subject::with(&bootstrap(native().gate, &other), &world, &native()).unwrap();
        let failure = subject.measure(1).unwrap_err().to_string();
        assert!(failure.starts_with("token-512-native: expected 200, found 401: "), "{failure}");
    }

    #[test]
    fn a_cache_that_is_not_there_is_noticed() {
        let world = world();
        let counted = |caches| {
            let bootstrap = bootstrap(Gate::Native { caches }, &world);
            let mut subject = Subject::with(&bootstrap, &world, &native()).unwrap();
            subject.measure(1).unwrap();
            subject.start_counting().unwrap();
            subject.measure(10).unwrap();
            counters(&subject).map_or_else(|failure| failure.to_string(), |()| "ok".into())
        };
        assert_eq!(counted(true), "ok");
        let expected = "`http.gateway.jwt_authn.jwt_cache_hit` after 10 requests: expected 10, found 0";
        assert_eq!(counted(false), format!("token-512-native: {expected}"));
    }

    #[test]
    fn counters_that_tell_of_other_work_are_noticed() {
        let tokens = variant("jotgate-repeated").load.tokens;
        let expected = expected(variant("jotgate-repeated").gate, tokens);
        let counted = |cached: u64, verified: u64| {
            BTreeMap::from([
                ("http.gateway.downstream_rq_2xx".to_owned(), 100),
                ("wasmcustom.jotgate_requests_allowed".to_owned(), 100),
                ("wasmcustom.jotgate_tokens_cached".to_owned(), cached),
                ("wasmcustom.jotgate_tokens_verified".to_owned(), verified),
            ])
        };
        assert_eq!(compare(&expected, &counted(100, 0), 100), Ok(()));
        let found = compare(&expected, &counted(99, 1), 100).unwrap_err().to_string();
        assert_eq!(found, "`wasmcustom.jotgate_tokens_cached` after 100 requests: expected 100, found 99");
    }
}
