//! Where the two differ, and why. Whatever is not in this table is the same, and a row that no longer holds fails.

use super::Setting::{self, Private, Public, Scopes};
use super::Verdict;
use super::requests::{Case, PREFLIGHT};

/// A class of differences.
pub(crate) struct Difference {
    /// What is different.
    pub(crate) what: &'static str,
    /// Why ours is as it is.
    pub(crate) why: &'static str,
    /// A request that shows it, and how both are set up then.
    pub(crate) setting: Setting,
    pub(crate) example: Case,
    /// Whether this is it: the request, what became of it there, and what became of it here.
    pub(crate) holds: fn(&Case, theirs: &Verdict, ours: &Verdict) -> bool,
}

pub(crate) const DIFFERENCES: [Difference; 25] = [
    // --- Refused here, and passed there
    Difference {
        what: "a token of another issuer, or of none, passes there if one of the keys signed it",
        why: "an issuer's keys speak for that issuer alone: `iss` is always checked",
        setting: Private,
        example: Case::new("GET", "/search", "another issuer"),
        holds: |case, theirs, ours| {
            matches!(case.credential, "another issuer" | "no issuer") && accepts(theirs) && ours.is_refusal(401)
        },
    },
    Difference {
        what: "a token without `exp` passes there",
        why: "it would be valid forever; `requireExpiration: false` accepts it",
        setting: Private,
        example: Case::new("GET", "/search", "no expiry"),
        holds: |case, theirs, ours| case.credential == "no expiry" && accepts(theirs) && ours.is_refusal(401),
    },
    Difference {
        what: "a token whose `exp` is a string passes there",
        why: "RFC 7519 §4.1.4 requires a number",
        setting: Private,
        example: Case::new("GET", "/search", "expiry as text"),
        holds: |case, theirs, ours| case.credential == "expiry as text" && accepts(theirs) && ours.is_refusal(401),
    },
    Difference {
        what: "a token with a member twice passes there",
        why: "two readers may use different ones (RFC 7519 §4)",
        setting: Private,
        example: Case::new("GET", "/search", "a member twice"),
        holds: |case, theirs, ours| case.credential == "a member twice" && accepts(theirs) && ours.is_refusal(401),
    },
    Difference {
        what: "of two `Authorization` lines the first is used there, and both are forwarded",
        why: "the upstream may use the other one",
        setting: Private,
        example: Case::new("GET", "/search", "twice"),
        holds: |case, theirs, ours| case.credential == "twice" && accepts(theirs) && ours.is_refusal(400),
    },
    Difference {
        what: "an empty `Authorization` is ignored there",
        why: "an empty credential is a client's mistake, and the answer says so",
        setting: Public,
        example: Case::new("GET", "/search", "empty"),
        holds: |case, theirs, ours| {
            case.credential == "empty" && (theirs.is_passed() || theirs.is_refusal(401)) && ours.is_refusal(400)
        },
    },
    Difference {
        what: "a path that two servers may read differently passes there, or is refused later than a missing token",
        why: "the rules must see the path that the upstream will see, so such a path is refused before anything else",
        setting: Private,
        example: Case::new("PATCH", "/collections%2Fa", "good"),
        holds: |case, theirs, ours| is_ambiguous(case.path()) && theirs != ours && ours.is_refusal(400),
    },
    Difference {
        what: "`.` in a pattern of the default list is any character there",
        why: "the default list means the path `/api.html`",
        setting: Private,
        example: Case::new("GET", "/apiXhtml", "none"),
        holds: |case, theirs, ours| case.path() == "/apiXhtml" && theirs.is_passed() && ours.is_refusal(401),
    },
    Difference {
        what: "some patterns of the default list have no end there",
        why: "the default list means these paths, and what is below `/healthz`",
        setting: Private,
        example: Case::new("GET", "/healthzx", "none"),
        holds: |case, theirs, ours| {
            matches!(case.path(), "/healthzx" | "/docs/oauth2-redirect.html")
                && theirs.is_passed()
                && ours.is_refusal(401)
        },
    },
    // --- Refused by both, with another status
    Difference {
        what: "a malformed credential is 401 there",
        why: "it is 400 with `invalid_request` (RFC 6750 §3.1)",
        setting: Private,
        example: Case::new("GET", "/search", "a word more"),
        holds: |case, theirs, ours| {
            matches!(case.credential, "no token" | "a word more" | "twice, joined" | "after another scheme")
                && theirs.is_refusal(401)
                && ours.is_refusal(400)
        },
    },
    Difference {
        what: "an unusual method is 405 there, or 401 without a token",
        why: "no rule names it, so it is denied",
        setting: Private,
        example: Case::new("TRACE", "/search", "good"),
        holds: |case, theirs, ours| {
            case.method == "TRACE" && (theirs.is_refusal(405) || theirs.is_refusal(401)) && ours.is_refusal(403)
        },
    },
    // --- Passed here, and refused there
    Difference {
        what: "a token that has just expired, or is about to become valid, is refused there",
        why: "clocks differ; `clockSkew: 0s` turns this off",
        setting: Private,
        example: Case::new("GET", "/search", "just expired"),
        holds: |case, theirs, ours| {
            matches!(case.credential, "just expired" | "almost valid") && theirs.is_refusal(401) && accepts(ours)
        },
    },
    Difference {
        what: "a token whose `sub` is a number is refused there",
        why: "a number has one spelling as well, and is sent to the upstream unchanged",
        setting: Private,
        example: Case::new("GET", "/search", "a number as subject"),
        holds: |case, theirs, ours| case.credential == "a number as subject" && theirs.is_refusal(401) && accepts(ours),
    },
    Difference {
        what: "more than one blank before the token is refused there",
        why: "RFC 9110 §11.4 allows one blank or more",
        setting: Private,
        example: Case::new("GET", "/search", "two blanks"),
        holds: |case, theirs, ours| {
            matches!(case.credential, "two blanks" | "a tab") && theirs.is_refusal(401) && accepts(ours)
        },
    },
    Difference {
        what: "`Authorization` with another scheme is refused on public endpoints there",
        why: "it is not a token: such a request is anonymous, and the upstream may know the scheme",
        setting: Public,
        example: Case::new("GET", "/search", "Basic"),
        holds: |case, theirs, ours| {
            matches!(case.credential, "Basic" | "DPoP" | "another scheme" | "no scheme")
                && theirs.is_refusal(401)
                && ours.is_passed()
        },
    },
    Difference {
        what: "scopes in a list are an internal error there where scopes are needed",
        why: "issuers use both forms",
        setting: Scopes,
        example: Case::new("POST", "/collections", "scopes in a list"),
        holds: |case, theirs, ours| case.credential == "scopes in a list" && theirs.is_refusal(500) && ours.is_passed(),
    },
    Difference {
        what: "HEAD is 405 there, or 401 without a token",
        why: "HEAD only reads, like GET; where GET needs a token, HEAD does",
        setting: Public,
        example: Case::new("HEAD", "/search", "none"),
        holds: |case, theirs, ours| case.method == "HEAD" && theirs.is_refusal(405) && ours.is_passed(),
    },
    Difference {
        what: "OPTIONS that is not a preflight is 405 there where preflights are answered",
        why: "it carries no credential, and the upstream answers it",
        setting: Public,
        example: Case::new("OPTIONS", "/search", "none"),
        holds: |case, theirs, ours| case.method == "OPTIONS" && theirs.is_refusal(405) && passes_without_token(ours),
    },
    Difference {
        what: "metrics are public there only if the proxy has its own, which needs an optional package",
        why: "the default list has them; omit them from the rule if the upstream's are not public",
        setting: Private,
        example: Case::new("GET", "/_mgmt/metrics", "none"),
        holds: |case, theirs, ours| case.path() == "/_mgmt/metrics" && theirs.is_refusal(401) && ours.is_passed(),
    },
    Difference {
        what: "a path that holds an escaped `?`, `#`, `%` or `;` is refused there",
        why: "it is forwarded byte for byte, so the escape is unchanged",
        setting: Private,
        example: Case::new("GET", "/collections/a%23b", "good"),
        holds: |case, theirs, ours| {
            ["%3F", "%23", "%25", "%3B"].iter().any(|escape| case.path().contains(escape))
                && theirs.is_refusal(400)
                && (is_untouched(case, ours) || ours.is_refusal(401) || ours.is_refusal(403))
        },
    },
    Difference {
        what: "a path that Unicode normalization (NFKC) would change is refused there",
        why: "it is forwarded byte for byte; rules see the escapes, and ignore case of ASCII letters only",
        setting: Private,
        example: Case::new("GET", "/collections/%EF%BC%A1", "good"),
        holds: |case, theirs, ours| {
            case.path().contains("%EF%BC%A1")
                && theirs.is_refusal(400)
                && (is_untouched(case, ours) || ours.is_refusal(401) || ours.is_refusal(403))
        },
    },
    Difference {
        what: "a path with a character that is not allowed in a URI passes there",
        why: "some clients and servers escape it, and others do not: rules would see another path than the upstream",
        setting: Private,
        example: Case::new("GET", "/collections/a|b", "good"),
        holds: |case, _, ours| case.path().contains('|') && ours.is_refusal(400),
    },
    // --- Passed by both, and seen differently
    Difference {
        what: "escapes are rewritten there",
        why: "the canonical path is forwarded: escapes with a meaning stay",
        setting: Private,
        example: Case::new("GET", "/collections/a%3Ab", "good"),
        holds: |case, theirs, ours| match (&theirs.seen, &ours.seen) {
            (Some(there), Some(here)) => {
                here.path == case.target
                    && decoded(&there.path) == decoded(&here.path)
                    && (&there.method, &there.authorization) == (&here.method, &here.authorization)
            }
            _ => false,
        },
    },
    Difference {
        what: "OPTIONS keeps its token there",
        why: "it was not verified, and it is not needed",
        setting: Private,
        example: Case::new("OPTIONS", "/search", "good"),
        holds: |case, theirs, ours| {
            matches!(case.method, "OPTIONS" | PREFLIGHT) && theirs.is_passed() && passes_without_token(ours)
        },
    },
    Difference {
        what: "the proxy itself requests the upstream's health there",
        why: "it is the same request, without the token: Envoy's `prefix_rewrite`",
        setting: Private,
        example: Case::new("GET", "/healthz/upstream", "none"),
        holds: |case, theirs, ours| {
            let seen = ours.seen.as_ref();
            case.method == "GET"
                && case.path() == "/healthz/upstream"
                && (theirs.is_passed() && theirs.seen.is_none())
                && seen.is_some_and(|seen| seen.path == "/" && seen.authorization.is_empty())
        },
    },
];

/// The token is good, if not for everything.
fn accepts(verdict: &Verdict) -> bool {
    verdict.is_passed() || verdict.is_refusal(403)
}

fn passes_without_token(verdict: &Verdict) -> bool {
    verdict.seen.as_ref().is_some_and(|seen| !seen.authorization.iter().any(|line| line.contains("TOKEN")))
}

/// The upstream saw the very target.
fn is_untouched(case: &Case, verdict: &Verdict) -> bool {
    verdict.seen.as_ref().is_some_and(|seen| seen.path == case.target)
}

/// Two servers may read it differently.
fn is_ambiguous(path: &str) -> bool {
    let parts = ["%2F", "%5C", "%00", "%0A", "%252F", ";", "//", "/.", "/%2e", "/%2E"];
    parts.iter().any(|part| path.contains(part))
}

/// With all escapes decoded.
fn decoded(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    bytes
}
