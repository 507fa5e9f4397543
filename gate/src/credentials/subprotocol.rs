//! A subprotocol that a `WebSocket` client offers (RFC 6455 §4.1): browsers can send a token in no other header.
//!
//! Offers are read on every request, whether it asks for an upgrade or not: over HTTP/2 (RFC 8441) there is no
//! `Upgrade`, and what is not read would be forwarded.

use super::found::{Found, check, only};
use crate::http::{HeaderEdit, Request, is_token_byte, list};
use crate::report::Reason;

pub(super) const HEADER: &str = "sec-websocket-protocol";

/// What is offered behind `prefix`, one of `prefixes`. Something else must be offered, too: once the credential is
/// gone, the upstream picks from what remains.
pub(super) fn find<'r>(request: &Request<'r>, prefix: &str, prefixes: &[&str]) -> Found<&'r [u8]> {
    let offers = || request.lines(HEADER).flat_map(|line| line.split(|&byte| byte == b','));
    let token = only(offers().filter_map(|offer| read(offer, prefix)))?;
    let is_other = |offer: &[u8]| {
        let name = offer.trim_ascii();
        !name.is_empty()
            && name.iter().copied().all(is_token_byte)
            && !prefixes.iter().any(|prefix| holds(name, prefix))
    };
    Some(if offers().any(is_other) { token } else { token.and(Err(Reason::MalformedCredentials)) })
}

/// Takes the offers behind these prefixes away and leaves the others as they are.
pub(super) fn removal(request: &Request<'_>, prefixes: &[&str]) -> Option<HeaderEdit> {
    list::removal(request, HEADER, b',', prefixes, holds)
}

/// Whether an offer is, for some server, one behind `prefix`.
pub(super) fn holds(offer: &[u8], prefix: &str) -> bool {
    read(offer, prefix).is_some()
}

/// What an offer holds behind `prefix`; `None` if it is another one.
fn read<'r>(offer: &'r [u8], prefix: &str) -> Found<&'r [u8]> {
    if let Some(token) = offer.trim_ascii().strip_prefix(prefix.as_bytes()) {
        return Some(check(token));
    }
    // Names have no blanks or quotes in them; a parser that thinks otherwise splits there.
    let mut names = offer.split(|&byte| !is_token_byte(byte));
    let is_prefixed =
        |name: &[u8]| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
    names.any(is_prefixed).then_some(Err(Reason::MalformedCredentials))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::credentials::{Source, tests};

    /// What is taken behind `jot.`, and what is left.
    fn jot(lines: &[&str]) -> (Result<Option<String>, Reason>, Vec<String>) {
        tests::of(Source::WebSocketProtocol("jot.".into()), HEADER, lines)
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
}
