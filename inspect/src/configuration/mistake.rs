//! What a mistake in a configuration is about, and what was likely meant.

use gate::config::{ConfigError, Problem};

/// The least similarity of two words.
const SIMILAR: f64 = 0.85;

/// Whether a mistake is the name of a member that the engine does not know.
pub(super) fn is_about_name(error: &ConfigError) -> bool {
    matches!(error.problem, Problem::UnknownMember { .. })
}

/// `did you mean …?`, where the engine expected a word that is similar to what it found.
pub(super) fn suggestion(error: &ConfigError) -> Option<String> {
    let (words, found) = match &error.problem {
        Problem::UnknownMember { name, known } => (known, name.as_str()),
        Problem::Expected { words, found, .. } => (words, found.strip_prefix('`')?.strip_suffix('`')?),
        Problem::Other(_) => return None,
    };
    let similarity = |word: &&String| strsim::jaro_winkler(word, found);
    let similar = words.iter().filter(|word| similarity(word) > SIMILAR);
    let closest = similar.max_by(|one, other| similarity(one).total_cmp(&similarity(other)))?;
    Some(format!("did you mean `{closest}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(problem: Problem) -> String {
        suggestion(&ConfigError { path: String::from("a"), problem, offset: 0 }).unwrap_or_default()
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_similar_word_is_suggested() {
        let unknown = |name: &str| {
            suggest(Problem::UnknownMember { name: name.to_string(), known: words(&["audiences", "name"]) })
        };
        assert_eq!(unknown("audience"), "did you mean `audiences`?");
        assert_eq!(unknown("timeout"), "");
        let expected = |known: &[&str], found: &str| {
            suggest(Problem::Expected { expected: String::new(), words: words(known), found: found.to_string() })
        };
        assert_eq!(expected(&["audit", "enforce"], "`enforced`"), "did you mean `enforce`?");
        assert_eq!(expected(&["audit", "enforce"], "`watch`"), "");
        assert_eq!(expected(&["audit", "enforce"], "an object"), "");
        assert_eq!(expected(&[], "`5`"), "");
        assert_eq!(suggest(Problem::Other(String::from("`x` is not one scope"))), "");
    }
}
