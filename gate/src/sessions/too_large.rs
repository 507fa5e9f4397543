//! A session that browsers would drop, and what makes it large: names only, for pages and logs.

use std::fmt;

use jose::json::Document;
use jose::sorting::sort_by;
use oauth::Secret;

use super::content::Session;

/// How many of the largest parts are named.
const NAMED: usize = 3;

/// The claims without which there is no session.
const REQUIRED: [&str; 5] = ["exp", "iat", "iss", "nonce", "sub"];

/// A session whose cookies browsers would drop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TooLarge {
    /// What its cookies would hold.
    pub(crate) octets: usize,
    /// What they may hold.
    pub(crate) limit: usize,
    /// What takes most, with the octets that it takes before it is sealed.
    pub(crate) largest: Vec<(Part, usize)>,
}

/// What a session holds that can be left out.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Part {
    AccessToken,
    Claim(String),
    IdToken,
    RefreshToken,
}

impl TooLarge {
    pub(crate) fn new(session: &Session, octets: usize, limit: usize) -> Self {
        let tokens = [
            (Part::AccessToken, &session.access_token),
            (Part::IdToken, &session.id_token),
            (Part::RefreshToken, &session.refresh_token),
        ];
        let tokens =
            tokens.into_iter().filter_map(|(part, token)| Some((part, token.as_ref().map(Secret::reveal)?.len())));
        let mut largest: Vec<_> = claims(session).into_iter().chain(tokens).collect();
        sort_by(&mut largest, |(_, one), (_, other)| other.cmp(one));
        largest.truncate(NAMED);
        Self { octets, limit, largest }
    }
}

impl TooLarge {
    /// The claims and tokens that may be left out, for a page.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |part: &Part| match part {
            Part::Claim(name) => (!REQUIRED.contains(&name.as_str())).then(|| name.clone()),
            other => Some(other.to_string()),
        };
        self.largest.iter().filter_map(|(part, _)| name(part)).collect()
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { octets, limit, largest } = self;
        write!(formatter, "expected a session of at most {limit} octets in cookies, found {octets}")?;
        for (index, (part, octets)) in largest.iter().enumerate() {
            let before = if index == 0 { "; the largest parts are " } else { ", " };
            write!(formatter, "{before}{part} ({octets} octets)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessToken => formatter.write_str("the access token"),
            Self::Claim(name) => write!(formatter, "claim `{name}`"),
            Self::IdToken => formatter.write_str("the ID token"),
            Self::RefreshToken => formatter.write_str("the refresh token"),
        }
    }
}

fn claims(session: &Session) -> Vec<(Part, usize)> {
    let Ok(document) = Document::parse(session.claims.as_bytes()) else { return Vec::new() };
    let members = document.root().members();
    members.map(|(name, value)| (Part::Claim(name.to_string()), value.span().len())).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::super::content::tests::session;
    use super::*;

    #[test]
    fn the_largest_parts_are_named_and_none_is_shown() {
        let large = Session {
            claims: format!(r#"{{"sub":"alice","groups":["{}"],"email":"a@example.com"}}"#, "g".repeat(60)),
            id_token: Some(Secret::new("i".repeat(50))),
            access_token: None,
            ..session()
        };
        let error = TooLarge::new(&large, 9_000, 7_800);
        assert_eq!(
            error.to_string(),
            "expected a session of at most 7800 octets in cookies, found 9000; the largest parts are claim `groups` \
             (64 octets), the ID token (50 octets), claim `email` (15 octets)"
        );
        let bare =
            Session { claims: String::new(), id_token: None, access_token: None, refresh_token: None, ..session() };
        assert_eq!(
            TooLarge::new(&bare, 2, 1).to_string(),
            "expected a session of at most 1 octets in cookies, found 2"
        );
    }
}
