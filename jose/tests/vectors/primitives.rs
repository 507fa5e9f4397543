//! Wycheproof's signatures by primitive: RSA with both paddings, ECDSA as r‖s, Ed25519, HMAC.

use std::collections::BTreeMap;

use jose::Algorithm;
use jose::jwk::Origin;
use jose::signature::{SignatureVerifier as _, Software};
use vectors::primitives::groups;

use crate::verify::key_set;

#[test]
fn primitives_are_judged_as_a_strict_verifier_must() {
    let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut refused = 0;
    for group in groups() {
        let algorithm = Algorithm::from_name(group.algorithm).unwrap();
        let keys = key_set(&group.jwk, Origin::Configuration);
        let keys = keys.as_ref().ok().filter(|keys| keys.keys()[0].allows(algorithm));
        assert_eq!(keys.is_none(), group.has_small_key(), "{}", group.name);
        let Some(keys) = keys else {
            refused += 1;
            continue;
        };
        for case in &group.cases {
            let is_good = Software.verify(keys.keys()[0].material(), algorithm, &case.message, &case.signature);
            assert_eq!(is_good, case.is_good, "{} {}", group.name, case.name);
            counts.entry(group.algorithm).or_default()[usize::from(is_good)] += 1;
        }
    }
    assert_eq!(counts.len(), Algorithm::ALL.len(), "{counts:?}");
    assert!(counts.values().all(|[bad, good]| *bad >= 50 && *good >= 15), "{counts:?}");
    assert!(refused < 30, "{refused} groups were left out");
}
