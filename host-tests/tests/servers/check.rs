//! Expectations, all of which are checked before the test fails.

use real_envoy::http::Request;

use crate::policy;
use crate::server::Kind;
use crate::world::{Outcome, Version, World};

/// What is to become of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    /// 400, with this reason.
    Refused(&'static str),
    /// Some handler runs, or none, and the rule is meant for it; or the request is refused.
    Harmless,
    /// This handler runs.
    Runs(&'static str),
    /// This handler runs, and Envoy forwarded this path.
    Sees(&'static str, &'static str),
}

pub(crate) const AMBIGUOUS_REQUEST: Expect = Expect::Refused("ambiguous_request");
pub(crate) const AMBIGUOUS_PATH: Expect = Expect::Refused("ambiguous_path");

/// What came out otherwise.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    count: usize,
    failures: Vec<String>,
}

impl Checks {
    /// Sends a request to each of these servers, through the gateway `strict`.
    pub(crate) fn send(
        &mut self,
        world: &World,
        kinds: &[Kind],
        version: Version,
        what: &str,
        request: &Request,
        expect: Expect,
    ) {
        for kind in kinds {
            let outcome = world.send("strict", *kind, version, request);
            self.judge(&format!("{kind:?}, {version:?}, {what}"), &outcome, expect);
            // The gate does not know which server it is.
            if matches!((expect, &outcome), (Expect::Refused(_), Outcome::Refused(..))) {
                break;
            }
        }
    }

    pub(crate) fn judge(&mut self, what: &str, outcome: &Outcome, expect: Expect) {
        let is_met = match (expect, outcome) {
            // Envoy may be the first to refuse.
            (Expect::Refused(_), Outcome::Refused(400, reason)) if reason.is_empty() => true,
            (Expect::Refused(reason), outcome) => *outcome == Outcome::refused(400, reason),
            (Expect::Harmless, outcome) => is_harmless(outcome),
            (Expect::Runs(handler), outcome) => outcome.handler() == handler && is_harmless(outcome),
            (Expect::Sees(handler, path), Outcome::Ran(seen)) => {
                seen.handler == handler && seen.raw == path && is_harmless(outcome)
            }
            (Expect::Sees(..), _) => false,
        };
        self.that(is_met, &format!("{what}: expected {expect:?}, found {outcome:?}"));
    }

    pub(crate) fn that(&mut self, holds: bool, what: &str) {
        self.count += 1;
        if !holds {
            self.failures.push(what.to_string());
        }
    }

    pub(crate) fn finish(self) {
        let (failed, count) = (self.failures.len(), self.count);
        println!("{count} checks");
        assert!(count > 0 && failed == 0, "{failed} of {count} failed:\n- {}", self.failures.join("\n- "));
    }
}

/// Whether what ran is what the rule is meant for, on the server and among Envoy's routes.
pub(crate) fn is_harmless(outcome: &Outcome) -> bool {
    let Outcome::Ran(seen) = outcome else { return true };
    let is_public_site = seen.rule == "public-site";
    let route_fits = match seen.route.as_str() {
        "public" => ["public", ""].contains(&seen.rule.as_str()),
        "admin" => ["admin", "rest"].contains(&seen.rule.as_str()),
        "public-site" => true,
        _ => !is_public_site && seen.rule != "public",
    };
    route_fits && policy::is_meant(&seen.rule, &seen.handler)
}
