//! A subprotocol that a `WebSocket` client offers (RFC 6455 §4.1): browsers can send a token in no other header.
//!
//! Offers are read on every request, whether it asks for an upgrade or not: over HTTP/2 (RFC 8441) there is no
//! `Upgrade`, and what is not read would be forwarded.

use std::borrow::Cow;

use jose::base64url;

use super::foreign::is_like_jwt;
use super::found::{Found, check, check_owned, malformed, only};
use crate::http::{HeaderEdit, Request, is_token_byte, list};
use crate::report::{Cause, Detail, Reason};

pub(super) const HEADER: &str = "sec-websocket-protocol";

/// How a token is offered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Subprotocol {
    /// What stands before the token: the beginning of the same offer, or the whole one before it.
    pub name: String,
    /// Whether the token is the next offer, as in `["bearer", token]`.
    pub is_pair: bool,
    /// Whether the token is base64url of what it is, as Kubernetes has it.
    pub is_encoded: bool,
}

impl Subprotocol {
    /// The one with that text before the token: the beginning of an offer, or a whole one and a comma.
    pub fn of(prefix: &str, is_encoded: Option<bool>) -> Self {
        let pair = prefix.trim_end_matches(' ').strip_suffix(',');
        let name = pair.unwrap_or(prefix);
        // Kubernetes says it in the name.
        let is_encoded = is_encoded.unwrap_or_else(|| name.starts_with("base64url."));
        Self { name: name.to_string(), is_pair: pair.is_some(), is_encoded }
    }

    /// What precedes the token, as the header has it.
    pub fn prefix(&self) -> String {
        format!("{}{}", self.name, if self.is_pair { ", " } else { "" })
    }

    /// Whether an offer is, for some server, the one that holds the token, or that the token follows.
    fn holds(&self, offer: &[u8]) -> bool {
        self.read(offer).is_some()
    }

    /// The token in an offer, or nothing but the whole of the name; `None` if it is another one.
    fn read<'r>(&self, offer: &'r [u8]) -> Found<&'r [u8]> {
        let offer = offer.trim_ascii();
        let name = self.name.as_bytes();
        if self.is_pair && offer.eq_ignore_ascii_case(name) {
            return Some(Ok(&[]));
        }
        if !self.is_pair
            && let Some(token) = offer.strip_prefix(name)
        {
            return Some(Ok(token));
        }
        // Names have no blanks or quotes in them; a parser that thinks otherwise splits there.
        let is_alike = |found: &[u8]| match self.is_pair {
            true => found.eq_ignore_ascii_case(name),
            false => found.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)),
        };
        offer.split(|&byte| !is_token_byte(byte)).any(is_alike).then_some(Err(malformed(None)))
    }

    fn decode<'r>(&self, token: &'r [u8]) -> Result<Cow<'r, [u8]>, Cause> {
        let token = check(token, None)?;
        match self.is_encoded {
            true => base64url::decode(token).ok_or(malformed(None)).and_then(check_owned).map(Cow::Owned),
            false => Ok(Cow::Borrowed(token)),
        }
    }
}

/// Whether an offer may be for both.
pub(super) fn overlap(one: &Subprotocol, other: &Subprotocol) -> bool {
    one.holds(other.name.as_bytes()) || other.holds(one.name.as_bytes())
}

/// What is offered as `protocol`, one of `all`. Something must remain to be offered: once the token is gone, the
/// upstream picks from it.
pub(super) fn find<'r>(request: &Request<'r>, protocol: &Subprotocol, all: &[&Subprotocol]) -> Found<Cow<'r, [u8]>> {
    let mut offers = offers(request);
    let token = only(
        std::iter::from_fn(|| {
            let (offer, next) = (offers.next()?, offers.clone().next());
            let found = protocol.read(offer).map(|found| match (found, protocol.is_pair) {
                (Ok(_), true) => protocol.decode(next.unwrap_or_default().trim_ascii()),
                (found, _) => found.and_then(|token| protocol.decode(token)),
            });
            Some(found)
        })
        .flatten(),
    )?;
    // Some servers take the second offer or the last one for the token, whatever its name is.
    if protocol.is_pair && strays(request, all).any(|is_stray| is_stray) {
        return Some(token.and(Err(Reason::AmbiguousCredentials.into())));
    }
    let is_name = |offer: &[u8]| !offer.is_empty() && offer.iter().copied().all(is_token_byte);
    let is_left = kept(request, all, all)
        .zip(self::offers(request))
        .any(|(is_kept, offer)| is_kept && is_name(offer.trim_ascii()));
    Some(if is_left { token } else { token.and(Err(malformed(Detail::NoSubprotocol))) })
}

/// Takes the tokens of these protocols, which are some of `all`, away and leaves the other offers as they are.
pub(super) fn removal(request: &Request<'_>, protocols: &[&Subprotocol], all: &[&Subprotocol]) -> Option<HeaderEdit> {
    let mut kept = kept(request, protocols, all).collect::<Vec<_>>().into_iter();
    list::removal(request, HEADER, b',', |_| kept.next() == Some(false))
}

fn offers<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r [u8]> + Clone {
    request.lines(HEADER).flat_map(|line| line.split(|&byte| byte == b','))
}

/// Which offers are tokens by themselves: no name leads to them.
fn strays(request: &Request<'_>, protocols: &[&Subprotocol]) -> impl Iterator<Item = bool> {
    let has_pair = protocols.iter().any(|protocol| protocol.is_pair);
    let mut follows_name = false;
    let strays: Vec<_> = offers(request)
        .map(|offer| {
            let is_token = follows_name;
            follows_name = follows(protocols, offer, follows_name);
            has_pair && !is_token && is_like_jwt(offer) && !protocols.iter().any(|protocol| protocol.holds(offer))
        })
        .collect();
    strays.into_iter()
}

/// Whether what stands behind `offer` is the token of a pair. Some servers skip what is empty.
fn follows(protocols: &[&Subprotocol], offer: &[u8], follows_name: bool) -> bool {
    protocols.iter().any(|protocol| protocol.is_pair && protocol.holds(offer))
        || (follows_name && offer.trim_ascii().is_empty())
}

/// Which offers remain once the tokens of these protocols, which are some of `all`, are gone.
///
/// The name before a token goes with it, since what remains behind that name would be read as the token. Where nothing
/// else is offered it stays: the client only takes one of its own offers for an answer.
fn kept(request: &Request<'_>, protocols: &[&Subprotocol], all: &[&Subprotocol]) -> impl Iterator<Item = bool> {
    let mut follows_name = false;
    let mut kept: Vec<_> = offers(request)
        .zip(strays(request, all))
        .map(|(offer, is_stray)| {
            let is_held = protocols.iter().any(|protocol| protocol.holds(offer));
            let is_token = follows_name;
            follows_name = follows(protocols, offer, follows_name);
            !is_held && !is_token && !is_stray
        })
        .collect();
    let is_other = |(offer, is_kept): (&[u8], &bool)| *is_kept && !offer.trim_ascii().is_empty();
    if !offers(request).zip(&kept).any(is_other) {
        let is_name = |offer: &[u8]| {
            protocols.iter().any(|protocol| protocol.is_pair && protocol.read(offer).is_some_and(|found| found.is_ok()))
        };
        let name = offers(request).position(is_name);
        if let Some(is_kept) = name.and_then(|name| kept.get_mut(name)) {
            *is_kept = true;
        }
    }
    kept.into_iter()
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::credentials::{CredentialLocation, tests};

    /// What is taken behind `jot.`, and what is left.
    fn jot(lines: &[&str]) -> (Result<Option<String>, Reason>, Vec<String>) {
        tests::of(CredentialLocation::offer("jot."), HEADER, lines)
    }

    #[test]
    fn the_token_is_taken_and_the_other_offers_stay_as_they_are() {
        for (lines, left) in [
            (&["jot.t, chat"][..], "chat"),
            (&["chat,jot.t"], "chat"),
            (&["chat ,  v2.chat,jot.t, v1"], "chat ,  v2.chat, v1"),
            (&["jot.t", "chat", "v1"], "chat, v1"),
            (&["Jot, xjot.t, jot.t"], "Jot, xjot.t"),
        ] {
            assert_eq!(jot(lines), (Ok(Some("t".into())), vec![left.into()]), "{lines:?}");
        }
        assert_eq!(jot(&["chat", "v1,v2"]), (Ok(None), vec!["chat".into(), "v1,v2".into()]));
        assert_eq!(jot(&[]), (Ok(None), vec![]));
    }

    #[test]
    fn something_else_must_be_offered() {
        for lines in [&["jot.t"][..], &["jot.t,"], &[" , jot.t", ""]] {
            assert_eq!(jot(lines), (Err(Reason::MalformedCredentials), vec![]), "{lines:?}");
        }
        assert_eq!(jot(&["jot.t, a b"]), (Err(Reason::MalformedCredentials), vec!["a b".into()]), "is no name");
    }

    #[test]
    fn two_credentials_are_ambiguous() {
        for lines in [&["jot.t, jot.t, chat"][..], &["jot.t, chat", "jot.u"], &["jot.t, JOT.u, chat"]] {
            assert_eq!(jot(lines), (Err(Reason::AmbiguousCredentials), vec!["chat".into()]), "{lines:?}");
        }
        assert_eq!(jot(&["jot.t, jot.u"]), (Err(Reason::AmbiguousCredentials), vec![]));
    }

    #[test]
    fn what_only_some_servers_read_as_the_offer_is_malformed_and_goes() {
        for offer in ["jot.", "jot.a b", "JOT.t", "\"jot.t\"", "a jot.t", "a;jot.t", "\u{a0}jot.t", "(jot.t)"] {
            let lines = [format!("chat, {offer}")];
            let lines = [lines[0].as_str()];
            assert_eq!(jot(&lines), (Err(Reason::MalformedCredentials), vec!["chat".into()]), "{offer}");
        }
    }

    fn bearer(lines: &[&str]) -> (Result<Option<String>, Reason>, Vec<String>) {
        tests::of(CredentialLocation::offer("bearer, "), HEADER, lines)
    }

    #[test]
    fn the_token_is_the_offer_after_the_name() {
        for (lines, left) in [
            (&["bearer, t, chat"][..], "chat"),
            (&["bearer,t,chat"], "chat"),
            (&["chat, bearer, t"], "chat"),
            (&["chat", "bearer", "t", "v1"], "chat, v1"),
            (&["chat,bearer", "t"], "chat"),
            (&["Bearer, t, chat"], "chat"),
            (&["bearer2, bearer, t"], "bearer2"),
        ] {
            assert_eq!(bearer(lines), (Ok(Some("t".into())), vec![left.into()]), "{lines:?}");
        }
        assert_eq!(bearer(&["chat, bearer2", "xbearer"]), (Ok(None), vec!["chat, bearer2".into(), "xbearer".into()]));
    }

    #[test]
    fn the_name_stays_where_nothing_else_is_offered() {
        for (lines, left) in
            [(&["bearer, t"][..], "bearer"), (&["Bearer", "t"], "Bearer"), (&["bearer, t, "], "bearer, ")]
        {
            assert_eq!(bearer(lines), (Ok(Some("t".into())), vec![left.into()]), "{lines:?}");
        }
        for lines in [&["bearer"][..], &["bearer,"], &["bearer,, "]] {
            let (token, left) = bearer(lines);
            assert_eq!(
                (token, left.concat().replace([',', ' '], "")),
                (Err(Reason::MalformedCredentials), "bearer".into())
            );
        }
    }

    #[test]
    fn nothing_that_some_server_reads_as_the_token_stays() {
        for (lines, reason, left) in [
            (&["bearer, t, bearer, u, chat"][..], Reason::AmbiguousCredentials, "chat"),
            (&["bearer, bearer, t, chat"], Reason::AmbiguousCredentials, "chat"),
            (&["bearer, , t, chat"], Reason::MalformedCredentials, "chat"),
            (&["chat, bearer, t u"], Reason::MalformedCredentials, "chat"),
            (&["chat, \"bearer\", t"], Reason::MalformedCredentials, "chat"),
            (&["chat, a bearer, t"], Reason::MalformedCredentials, "chat"),
            (&["chat, bearer"], Reason::MalformedCredentials, "chat"),
        ] {
            assert_eq!(bearer(lines), (Err(reason), vec![left.into()]), "{lines:?}");
        }
    }

    #[test]
    fn a_token_that_no_name_leads_to_is_another_credential() {
        for lines in [&["bearer, t, eyJhIjoxfQ.e30.x, chat"][..], &["eyJhIjoxfQ.e30.x", "bearer, t", "chat"]] {
            assert_eq!(bearer(lines), (Err(Reason::AmbiguousCredentials), vec!["chat".into()]), "{lines:?}");
        }
        // One listed without pairs says what a token is.
        assert_eq!(jot(&["jot.t, eyJhIjoxfQ.e30.x"]).0, Ok(Some("t".into())));
    }

    #[test]
    fn an_encoded_token_is_decoded_once_and_strictly() {
        let kubernetes = |offer: &str| {
            let lines = format!("base64url.bearer.authorization.k8s.io.{offer}, v4.channel.k8s.io");
            tests::of(CredentialLocation::offer("base64url.bearer.authorization.k8s.io."), HEADER, &[&lines])
        };
        let left = vec![String::from("v4.channel.k8s.io")];
        assert_eq!(kubernetes("YS5iLmM"), (Ok(Some("a.b.c".into())), left.clone()));
        for offer in ["YS5iLmM=", "YS5iLm", "a.b.c", "YS5iLmN", "", "YSBi", "YSxi"] {
            assert_eq!(kubernetes(offer), (Err(Reason::MalformedCredentials), left.clone()), "{offer}");
        }
    }
}
