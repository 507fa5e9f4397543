//! What the gate says to each variant of each case: `ok`, or the reason that the contract determines.

/// Case, variant (`*`: every one that is not listed), verdict (`|` between those that hosts may choose from).
#[rustfmt::skip]
const VERDICTS: &[(&str, &str, &str)] = &[
    ("ALG-001", "", "unsupported_algorithm"),
    ("ALG-005", "", "malformed_token"), // no `alg` at all is a matter of form
    ("ALG-008", "", "unsupported_algorithm"),
    ("ALG-014", "*", "unsupported_algorithm"), // found by `kid`, but not for that algorithm
    ("ALG-021", "", "malformed_token"),
    ("ALG-025", "*", "malformed_token"),
    ("ALG-030", "*", "unsupported_algorithm"),
    ("ALG-033", "kid-rsa1", "bad_signature"),
    ("ALG-033", "kid-atk", "unknown_key"),
    ("ALG-033", "no-kid", "bad_signature"), // every key of the issuer was tried
    ("ALG-033", "ec", "bad_signature"),
    ("ALG-033", "oct", "unsupported_algorithm"),
    ("ALG-037", "*", "malformed_token"),
    ("ALG-039", "*", "unknown_key"),
    ("ALG-043", "*", "unknown_key"),
    ("ENC-001", "*", "malformed_token"),
    ("ENC-005", "", "malformed_token"),
    ("ENC-008", "empty", "malformed_credentials"), // a scheme without a token
    ("ENC-008", "two-dot", "bad_signature"), // well-formed, with an empty signature
    ("ENC-008", "*", "malformed_token"),
    ("ENC-009", "*", "malformed_token"),
    ("ENC-016", "*", "malformed_token"),
    ("SIG-001", "*", "bad_signature"),
    ("SIG-002", "*", "bad_signature"),
    ("SIG-003", "*", "bad_signature"),
    ("SIG-004", "*", "bad_signature"),
    ("SIG-006", "", "bad_signature"),
    ("SIG-014", "*", "bad_signature"),
    ("TIM-001", "", "expired"),
    ("TIM-002", "", "bad_claim"),
    ("TIM-003", "*", "bad_claim"),
    ("TIM-012", "", "not_yet_valid"),
    ("CLM-001", "*", "unknown_issuer"),
    ("CLM-005", "*", "wrong_audience"),
    ("CLM-006", "", "ok"),
    ("CLM-010", "number", "ok"),
    ("CLM-010", "float", "ok"),
    ("CLM-010", "big", "ok"),
    ("CLM-010", "null", "ok"), // and no header
    ("CLM-010", "empty", "ok|unrepresentable_claim"), // and no header
    ("CLM-010", "*", "unrepresentable_claim"), // a list, an object, a boolean: nobody's name
    ("SCP-001", "", "insufficient_scope"),
    ("SCP-002", "*", "insufficient_scope"),
    ("SCP-006", "arr", "ok"),
    ("SCP-006", "joined", "insufficient_scope"), // elements of a list are not split
    ("SCP-006", "*", "bad_claim"),
    ("SCP-014", "", "insufficient_scope"),
    ("EXT-001", "", "missing_token"),
    ("EXT-002", "*", "malformed_credentials"),
    ("EXT-003", "*", "ok"),
    ("EXT-006", "3", "bad_proof"), // `DPoP`: the token is not bound to a key
    ("EXT-006", "6", "malformed_credentials"), // `Bearer Bearer …`: a token with a blank in it
    ("EXT-006", "*", "missing_token"), // another scheme is no credential
    ("EXT-008", "", "ambiguous_credentials|malformed_credentials"), // two lines, or one that the proxy joined
    ("EXT-012", "*", "ambiguous_credentials"),
    ("EXT-013", "", "missing_token"),
    ("EXT-015", "", "ok"),
    ("HDR-001", "", "ok"),
    ("HDR-002", "", "ok"),
    ("HDR-003", "", "ok"),
    ("HDR-006", "", "ok"),
    ("HDR-013", "*", "insufficient_scope"),
    ("HDR-017", "ls", "ok"), // a separator of lines in Unicode, but no control character
    ("HDR-017", "*", "unrepresentable_claim"),
    ("HDR-019", "*", "ok"), // as UTF-8
    ("PTH-001", "*", "ambiguous_path"),
    ("PTH-002", "*", "ambiguous_path"),
    ("PTH-005", "*", "ambiguous_path"),
    ("PTH-014", "1", "ok"),
    ("PTH-014", "2", "ambiguous_path"), // a fragment
    ("PTH-014", "3", "no_rule"),
    ("PTH-014", "*", "missing_token"),
    ("HTP-001", "", "no_rule"),
    ("HTP-002", "*", "no_rule"),
    ("HTP-005", "", "missing_token"),
    ("HTP-008", "*", "no_rule"),
    ("JWK-010", "", "ok"),
    ("JWK-011", "", "keys_unavailable"), // the only key is none to verify with
    ("JWK-016", "", "unsupported_algorithm"),
    ("JWK-018", "", "keys_unavailable"), // the only key is too weak
];

/// Where the status is another one than the catalogue's, and why.
#[rustfmt::skip]
const OTHERWISE: &[(&str, &str, u16, &str)] = &[
    ("ENC-008", "empty", 400, "the same request as in EXT-002, which allows it: a scheme without a token"),
    ("HTP-001", "", 403, "no rule of the baseline is for OPTIONS, and it says `no match: deny`"),
    ("HTP-002", "*", 403, "likewise; `options_need_a_token_where_a_rule_says_so` has the rule"),
    ("JWK-011", "", 503, "an issuer without usable keys cannot refuse a token as bad"),
    ("JWK-018", "", 503, "likewise"),
    ("PTH-014", "1", 200, "a public path, and the query takes no part"),
];

/// Refused by Envoy before any filter sees it, so without a reason of the gate's.
const BY_ENVOY: &[(&str, &str)] = &[("PTH-014", "2")];

/// What the gate is to say to a variant.
pub(crate) fn verdict(case: &str, variant: &str) -> Option<&'static str> {
    let find = |wanted: &str| VERDICTS.iter().find(|(id, name, _)| *id == case && *name == wanted);
    find(variant).or_else(|| find("*")).map(|(_, _, verdict)| *verdict)
}

/// The status that takes the place of the catalogue's.
pub(crate) fn other_status(case: &str, variant: &str) -> Option<u16> {
    let find = |wanted: &str| OTHERWISE.iter().find(|(id, name, ..)| *id == case && *name == wanted);
    find(variant).or_else(|| find("*")).map(|(_, _, status, _)| *status)
}

pub(crate) fn is_refused_by_envoy(case: &str, variant: &str) -> bool {
    BY_ENVOY.contains(&(case, variant))
}

/// The cases that have an entry, for finding those that no file has any more.
pub(crate) fn cases() -> impl Iterator<Item = &'static str> {
    VERDICTS.iter().map(|(id, ..)| *id).chain(OTHERWISE.iter().map(|(id, ..)| *id))
}
