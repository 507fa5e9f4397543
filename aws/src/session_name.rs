//! The name that AWS knows a session of a role by (`RoleSessionName`): in its audit logs, and as `{{SessionName}}` where a
//! cluster maps roles to its users.

use jose::hex;
use sha2::{Digest, Sha256};

/// How long a name may be, in octets.
const MOST: usize = 64;
/// How many hexadecimal digits of a hash a changed name ends with.
const DIGITS: usize = 20;

/// The name for the user `subject`. No two users have the same: what is no name by itself, or looks like one that was
/// changed, is reduced to what may be in one, with a hash of the whole behind.
pub fn of(subject: &str) -> String {
    let is_name = (2..=MOST).contains(&subject.len()) && subject.chars().all(is_allowed);
    if is_name && !looks_changed(subject) {
        return subject.to_string();
    }
    let kept = MOST.saturating_sub(DIGITS).saturating_sub(1);
    let reduced = subject.chars().take(kept).map(|character| if is_allowed(character) { character } else { '-' });
    let hash = hex::encode(&Sha256::digest(subject));
    reduced.chain(['-']).chain(hash.chars().take(DIGITS)).collect()
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

fn looks_changed(name: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.rsplit_once('-').is_some_and(|(_, hash)| hash.len() == DIGITS && hash.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_subject_that_is_a_name_stays() {
        for subject in ["al", "alice@example.com", "a_b+c=d,e.f@g-h", &"a".repeat(64)] {
            assert_eq!(of(subject), subject);
        }
    }

    #[test]
    fn others_are_reduced_and_end_with_a_hash() {
        for (subject, reduced) in [("auth0|42", "auth0-42-"), ("a", "a-"), ("", "-"), ("Jos\u{e9}", "Jos--")] {
            let found = of(subject);
            assert_eq!(found.strip_prefix(reduced).map(str::len), Some(DIGITS), "{found}");
            assert!(looks_changed(&found) && found.chars().all(is_allowed), "{found}");
        }
        assert_eq!(of("a"), "a-ca978112ca1bbdcafac2");
        let long = of(&"a".repeat(65));
        assert_eq!(long.len(), 64);
        assert_ne!(long, of(&"a".repeat(66)));
    }

    #[test]
    fn nobody_takes_the_changed_name_of_another() {
        let changed = of("auth0|42");
        assert_ne!(of(&changed), changed);
    }

    #[cfg(not(target_family = "wasm"))]
    mod properties {
        use proptest::prelude::*;

        proptest! {
            #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

            #[test]
            fn every_name_is_accepted_by_sts(subject in ".{0,100}") {
                let name = super::of(&subject);
                prop_assert!((2..=64).contains(&name.len()) && name.chars().all(super::is_allowed), "{name}");
            }

            #[test]
            fn no_two_users_have_the_same(one in "[ab|-]{0,3}|.{60,70}", other in "[ab|-]{0,3}|.{60,70}") {
                let name = super::of(&one);
                prop_assert!(one == other || name != super::of(&other), "{name}");
                // Nor has one who is called as another one's name.
                prop_assert!(name == one || super::of(&name) != name, "{name}");
            }
        }
    }
}
