//! What tokens of one kind look like, whatever they are worth.

use regex_lite::Regex;

use crate::whole_regex;

/// The form of the tokens of one issuer.
#[derive(Clone, Debug)]
pub enum TokenForm {
    /// A regular expression over the whole token.
    Pattern(Box<TokenPattern>),
    /// What it begins with.
    Prefix(String),
}

/// A regular expression over whole tokens. Compares by its text.
#[derive(Clone, Debug)]
pub struct TokenPattern {
    text: String,
    compiled: Regex,
}

impl TokenForm {
    /// Reads a regular expression; `Err` says what is wrong with it.
    pub(crate) fn pattern(text: &str) -> Result<Self, String> {
        let compiled = whole_regex::parse(text)?;
        Ok(Self::Pattern(Box::new(TokenPattern { text: text.to_string(), compiled })))
    }

    /// Whether `token` has that form; absent: that of anything but a JWT.
    pub(crate) fn is_met(form: Option<&Self>, token: &[u8]) -> bool {
        form.map_or_else(|| !has_parts_of_jws(token), |form| form.matches(token))
    }

    /// Whether `token` has it.
    pub fn matches(&self, token: &[u8]) -> bool {
        match self {
            Self::Pattern(pattern) => str::from_utf8(token).is_ok_and(|token| pattern.compiled.is_match(token)),
            Self::Prefix(prefix) => token.starts_with(prefix.as_bytes()),
        }
    }

    /// Whether all tokens of the form `other` certainly have this one, too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(one), Self::Prefix(other)) => other.starts_with(one.as_str()),
            (one, other) => one == other,
        }
    }
}

impl PartialEq for TokenForm {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pattern(one), Self::Pattern(other)) => one.text == other.text,
            (Self::Prefix(one), Self::Prefix(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for TokenForm {}

/// Whether `token` has the three parts of a compact JWS (RFC 7515 §7.1), whatever is in them.
fn has_parts_of_jws(token: &[u8]) -> bool {
    token.split(|&byte| byte == b'.').count() == 3
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_token_or_not_at_all() {
        let hex = TokenForm::pattern("[0-9a-f]{4}").expect("is one");
        assert!(hex.matches(b"00ff"));
        for token in ["00ff0", "x00ff", "00ff\n", "", "00FF"] {
            assert!(!hex.matches(token.as_bytes()), "{token:?}");
        }
        assert!(!hex.matches(&[0xff; 4]));
        let either = TokenForm::pattern("a|b").expect("is one");
        assert!(either.matches(b"b") && !either.matches(b"ab"));
        for refused in ["[", "a)|(b", "(?x)a #"] {
            assert!(TokenForm::pattern(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_form_covers_what_begins_alike() {
        let prefix = |text: &str| TokenForm::Prefix(text.to_string());
        assert!(prefix("gt-").covers(&prefix("gt-x")) && !prefix("gt-x").covers(&prefix("gt-")));
        assert!(!prefix("gt-").covers(&TokenForm::pattern("gt-.*").expect("is one")));
    }

    #[test]
    fn a_jws_has_three_parts() {
        assert!(has_parts_of_jws(b"a.b.c") && has_parts_of_jws(b".."));
        assert!(!has_parts_of_jws(b"") && !has_parts_of_jws(b"a.b") && !has_parts_of_jws(b"a.b.c.d.e"));
    }
}
