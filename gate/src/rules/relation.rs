//! Relations between a token and the request that brings it: a claim equals a part of the request.
//!
//! A part has one reading, or the relation is undecided: a server behind the gate must not find another value in it than
//! the one that was compared.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;

use jose::json::Document;

use super::host::name_of;
use super::matcher::Matcher;
use super::truth::Truth;
use crate::claims::{ClaimValue, Scalar};
use crate::http::{Authority, CanonicalPath, Request, decode_segment, essence, essences};

/// A part of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RequestPart {
    /// The one line of a header; its name is in lower case.
    Header(String),
    /// The host, in its canonical form.
    Host,
    /// The segment that a path pattern names so, decoded once.
    Path(String),
}

/// A request beside the rule that it matches.
#[derive(Clone, Copy, Debug)]
pub struct MatchedRequest<'r> {
    /// The request, in its canonical form.
    pub request: &'r Request<'r>,
    /// Its path, likewise.
    pub path: &'r CanonicalPath<'r>,
    /// What the rule matches.
    pub matcher: &'r Matcher,
}

impl RequestPart {
    /// The value of this part, where it has one reading.
    pub fn value<'r>(&self, matched: &MatchedRequest<'r>) -> Option<Cow<'r, str>> {
        match self {
            Self::Header(name) => {
                let mut lines = matched.request.lines(name);
                let line = lines.next().filter(|line| !line.is_empty() && lines.next().is_none())?;
                str::from_utf8(line).ok().map(Cow::Borrowed)
            }
            Self::Host => Some(Authority::of(matched.request.authority()).ok()?.into_text()),
            Self::Path(name) => {
                let value = decode_segment(matched.matcher.variable(name, matched.path)?)?;
                has_one_reading(&value).then_some(value)
            }
        }
    }

    /// Whether a claim equals this part, whose value is `value`; of an array, some element.
    pub(super) fn equals(&self, claim: &ClaimValue, value: Option<&str>) -> Truth {
        let Some(value) = value else { return Truth::Undecided };
        let value = &Reading { text: value, essences: OnceCell::new() };
        match claim {
            ClaimValue::Scalar(scalar) => self.equals_scalar(scalar, value),
            ClaimValue::List { scalars, is_nested } => {
                let rest = is_nested.then_some(Truth::Undecided);
                Truth::any(scalars.iter().map(|scalar| self.equals_scalar(scalar, value)).chain(rest))
            }
            ClaimValue::Object | ClaimValue::Unclear(_) => Truth::Undecided,
        }
    }

    fn equals_scalar(&self, claim: &Scalar, value: &Reading<'_>) -> Truth {
        match (claim, self) {
            (Scalar::Text(claim), Self::Host) => equals_host(claim, value.text),
            (Scalar::Text(claim), _) if claim == value.text => Truth::True,
            // A server that is less exact takes one for the other.
            (Scalar::Text(claim), _) if value.is_nearly(claim) => Truth::Undecided,
            (Scalar::Text(_), _) => Truth::False,
            (Scalar::Number(claim), Self::Header(_) | Self::Path(_)) => {
                number(value.text).map_or(Truth::Undecided, |number| (number == *claim).into())
            }
            (Scalar::Number(_) | Scalar::Bool(_), _) => Truth::Undecided,
        }
    }
}

/// What a claim is compared with. A list may hold thousands, and a path be as long as a proxy lets it: what the text is
/// nearly is found once, if ever.
struct Reading<'v> {
    text: &'v str,
    essences: OnceCell<BTreeSet<Vec<u8>>>,
}

impl Reading<'_> {
    /// Whether some server takes this for `claim`, or for a list that holds it.
    fn is_nearly(&self, claim: &str) -> bool {
        self.essences.get_or_init(|| essences(self.text.as_bytes())).contains(&essence(claim.as_bytes()))
    }
}

/// Hosts are equal in their canonical form. One host with two ports may be two servers, or one.
fn equals_host(claim: &str, host: &str) -> Truth {
    let Ok(claim) = Authority::of(claim.as_bytes()) else { return Truth::Undecided };
    if claim.as_str() == host {
        return Truth::True;
    }
    if name_of(claim.as_str().as_bytes()) == name_of(host.as_bytes()) { Truth::Undecided } else { Truth::False }
}

/// The number in `text`, as [`Scalar::Number`] has it, if it is a whole one that is written in digits alone: `007` is
/// one to some servers, and a text to others.
fn number(text: &str) -> Option<String> {
    const LONGEST: usize = 40;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = text.len() <= LONGEST && digits.bytes().all(|byte| byte.is_ascii_digit());
    let document = is_plain.then(|| Document::parse(text.as_bytes()).ok()).flatten()?;
    document.root().as_number().map(jose::json::Decimal::canonical)
}

/// Whether every server finds the same in a segment of a path, once it is decoded: some decode it before they cut off
/// parameters or a query, some decode it twice, some drop blanks around it.
fn has_one_reading(segment: &str) -> bool {
    !segment.contains([';', '?', '#', '%', '/', '\\']) && segment.trim() == segment
}

/// As it is written in patterns and headers: `{id}`, `x-tenant`.
impl fmt::Display for RequestPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "the header `{name}`"),
            Self::Host => formatter.write_str("the host"),
            Self::Path(name) => write!(formatter, "`{{{name}}}` of the path"),
        }
    }
}
