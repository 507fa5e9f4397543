//! What may have been meant by a word that the engine does not know.

/// The least likeness of two words.
const ALIKE: f64 = 0.85;

/// `did you mean …?`, for a message of the engine that lists what it expected.
pub(crate) fn suggestion(path: &str, message: &str) -> Option<String> {
    let (expected, found) = message.rsplit_once(", found ").unwrap_or((message, ""));
    let (problem, expected) = expected.split_once("expected ")?;
    let found = match problem.starts_with("unknown member") {
        true => path.rsplit('.').next()?,
        false => found.strip_prefix('`')?.strip_suffix('`')?,
    };
    // Otherwise the words are examples.
    expected.starts_with('`').then_some(())?;
    let likeness = |word: &&str| strsim::jaro_winkler(word, found);
    let words = expected.split('`').skip(1).step_by(2).filter(|word| likeness(word) > ALIKE);
    let closest = words.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    Some(format!("did you mean `{closest}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_alike_is_suggested() {
        let suggest = |path, message| suggestion(path, message).unwrap_or_default();
        assert_eq!(
            suggest("issuers[0].audience", "unknown member, expected `audiences` or `name`"),
            "did you mean `audiences`?"
        );
        assert_eq!(suggest("mode", "expected `audit` or `enforce`, found `enforced`"), "did you mean `enforce`?");
        assert_eq!(suggest("mode", "expected `audit` or `enforce`, found `watch`"), "");
        assert_eq!(suggest("issuers", "expected a list, found an object"), "");
        assert_eq!(suggest("timeout", "expected a duration such as `30s` or `5m`, found `5`"), "");
        assert_eq!(suggest("a", "`x` is not one scope"), "");
    }
}
