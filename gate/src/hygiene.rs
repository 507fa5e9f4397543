//! Identity hygiene: no client can send a header that the upstream would take for the gate's word.

use std::collections::BTreeSet;

use jose::sorting::sort_by;

use crate::credentials::CredentialLocations;
use crate::distinct::set_of;
use crate::http::{HeaderEdit, HeaderLine, Request, TrustedProxies};
use crate::identity::IdentityHeader;
use crate::rules::Dimensions;

/// Which header names clients may not send.
///
/// Servers fold names in their own ways (CGI turns `-` into `_`, some turn `.` too), so a name is compared by what
/// every one of them could make of it.
#[derive(Clone, Debug, Default)]
pub struct Hygiene {
    /// The first and the third bytes of everything below, each as a bit: most headers have others.
    marks: [u64; 2],
    /// Folded names.
    names: Vec<String>,
    /// Folded prefixes.
    prefixes: Vec<String>,
    /// Names of credential headers, folded and as they are: other spellings are removed.
    credentials: Vec<(String, String)>,
    /// Likewise the names of headers that rules look at.
    matched: Vec<(String, String)>,
    overrides: Overrides,
}

/// Headers by which some servers replace what was decided on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    /// Whether any are removed.
    are_removed: bool,
    /// Folded names.
    names: Vec<&'static str>,
    /// Proxies whose word on the host is trusted; without any, [`HOSTS`] are not searched for.
    forwarders: Option<TrustedProxies>,
}

const METHODS: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
/// gunicorn takes the last two for the variables of CGI, from peers on its own machine, such as a sidecar.
const PATHS: [&str; 4] = ["x-original-url", "x-rewrite-url", "script-name", "path-info"];
const HOSTS: [&str; 3] = ["x-forwarded-host", "forwarded", "x-original-host"];

/// What each byte of a name is folded to.
#[expect(clippy::indexing_slicing, reason = "there is an entry for each byte")]
const FOLDED: [u8; 256] = {
    let mut folded = [b'-'; 256];
    let mut byte = 0;
    while byte < u8::MAX {
        if byte.is_ascii_alphanumeric() {
            folded[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    folded
};

impl Overrides {
    /// Those that replace what one of these dimensions is about. A preflight is decided on by its method.
    pub(crate) fn of(dimensions: &Dimensions, passes_preflights: bool, trusted: &TrustedProxies) -> Self {
        let methods = METHODS.into_iter().filter(|_| dimensions.methods || passes_preflights);
        Self {
            are_removed: true,
            names: methods.chain(PATHS.into_iter().filter(|_| dimensions.paths)).collect(),
            forwarders: dimensions.looks_at_hosts().then(|| trusted.clone()),
        }
    }

    /// Whether the peer's address matters.
    pub(crate) fn asks_for_peer(&self) -> bool {
        self.forwarders.as_ref().is_some_and(|trusted| !trusted.is_empty())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().copied().chain(HOSTS.into_iter().filter(|_| self.forwarders.is_some()))
    }

    /// Whether `name` may stay in `request`: a proxy that is trusted says which host was asked.
    fn may_stay(&self, name: &[u8], request: &Request<'_>) -> bool {
        HOSTS.iter().any(|host| name.eq_ignore_ascii_case(host.as_bytes()))
            && self.forwarders.as_ref().is_some_and(|trusted| trusted.sent(request))
    }
}

/// Whether `request` has a header by which some servers replace its method.
pub(crate) fn overrides_method(request: &Request<'_>) -> bool {
    request.all_lines().any(|(name, _)| METHODS.iter().any(|method| is_spelling(name, method)))
}

impl Hygiene {
    /// `strip` holds folded names, and folded prefixes where the flag is set.
    pub(crate) fn new(
        identity: &[IdentityHeader],
        strip: Vec<(String, bool)>,
        locations: &CredentialLocations,
        dimensions: &Dimensions,
        overrides: Overrides,
    ) -> Self {
        let (prefixes, names): (Vec<_>, Vec<_>) = strip.into_iter().partition(|(_, is_prefix)| *is_prefix);
        let matched = set_of(dimensions.headers.keys().map(String::as_str));
        let with_folded =
            |names: BTreeSet<&str>| names.into_iter().map(|name| (fold(name.as_bytes()), name.to_string())).collect();
        let own = identity.iter().map(|header| fold(header.name.as_bytes()));
        Self {
            marks: [0; 2],
            names: names.into_iter().map(|(name, _)| name).chain(own).collect(),
            prefixes: prefixes.into_iter().map(|(prefix, _)| prefix).collect(),
            credentials: with_folded(locations.headers()),
            matched: with_folded(matched),
            overrides,
        }
        .with_marks()
    }

    fn with_marks(self) -> Self {
        let spellings = self.credentials.iter().chain(&self.matched).map(|(folded, _)| folded);
        let folded = self.names.iter().chain(&self.prefixes).chain(spellings).map(String::as_str);
        let marks = folded.chain(self.overrides.names()).map(|folded| marks(folded.as_bytes()));
        Self { marks: marks.fold([0; 2], |[first, third], [one, other]| [first | one, third | other]), ..self }
    }

    /// Whether `name` may be one of those that are looked for.
    fn has_marks(&self, name: &[u8]) -> bool {
        let ([first, third], [known_first, known_third]) = (marks(name), self.marks);
        first & known_first != 0 && third & known_third != 0
    }

    /// Whether `name` is one of the gate's, in whatever spelling.
    pub fn is_identity(&self, name: &[u8]) -> bool {
        // Pseudo-headers are the proxy's own, and a colon is no spelling of a dash.
        if name.starts_with(b":") {
            return false;
        }
        self.names.iter().any(|folded| is_spelling(name, folded))
            || self
                .prefixes
                .iter()
                .any(|prefix| name.get(..prefix.len()).is_some_and(|start| is_spelling(start, prefix)))
    }

    /// Whether `name` is one that is removed because it overrides what rules look at, in whatever spelling.
    pub(crate) fn is_override(&self, name: &[u8]) -> bool {
        self.overrides.names().any(|folded| is_spelling(name, folded))
    }

    /// Whether the peer's address matters.
    pub(crate) fn asks_for_peer(&self) -> bool {
        self.overrides.asks_for_peer()
    }

    /// What has to be taken from a request, whatever becomes of it.
    pub(crate) fn edits(&self, request: &Request<'_>) -> Vec<HeaderEdit> {
        let is_removed =
            |name: &[u8]| self.is_variant(name) || (self.is_override(name) && !self.overrides.may_stay(name, request));
        let mut edits = self.removals(request.all_lines(), is_removed);
        // RFC 9110 §7.6.1: what `Connection` names is dropped by the next hop, so it may name nothing of ours.
        let is_plain = |value: &[u8]| value.eq_ignore_ascii_case(b"upgrade");
        if request.is_upgrade() && !request.lines("connection").all(is_plain) {
            HeaderEdit::remove_once(&mut edits, b"connection");
            edits.push(HeaderEdit::add("connection", "upgrade"));
        }
        edits
    }

    /// Adds the removal of what replaces method or path, whatever rules look at: of a request with a proof for these.
    pub(crate) fn remove_overrides(&self, request: &Request<'_>, edits: &mut Vec<HeaderEdit>) {
        let is_override = |name: &[u8]| METHODS.iter().chain(&PATHS).any(|folded| is_spelling(name, folded));
        let lines = request.all_lines().filter(|(name, _)| self.overrides.are_removed && is_override(name));
        lines.for_each(|(name, _)| HeaderEdit::remove_once(edits, name));
    }

    /// The removal of what clients may not send, from trailers. Some servers merge them into headers, so neither a
    /// credential nor what rules name gets in that way, in whatever spelling.
    pub(crate) fn trailer_edits(&self, trailers: &[HeaderLine<'_>]) -> Vec<HeaderEdit> {
        let watched = self.credentials.iter().chain(&self.matched).map(|(folded, _)| folded);
        let is_watched = |name: &[u8]| watched.clone().any(|folded| is_spelling(name, folded));
        self.removals(trailers.iter().copied(), |name| is_watched(name) || self.is_override(name))
    }

    /// The removal of identity headers, and of what else `is_removed` among the names that are looked for.
    fn removals<'r>(
        &self,
        lines: impl Iterator<Item = HeaderLine<'r>>,
        is_removed: impl Fn(&[u8]) -> bool,
    ) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        for (name, _) in lines {
            if self.has_marks(name) && (self.is_identity(name) || is_removed(name)) {
                edits.push(HeaderEdit::Remove(name.to_vec()));
            }
        }
        // One removal takes all lines of a name.
        if edits.len() > 1 {
            sort_by(&mut edits, |one, other| one.name().cmp(other.name()));
            edits.dedup();
        }
        edits
    }

    fn is_variant(&self, name: &[u8]) -> bool {
        let is_alike = |(folded, _): &&(String, String)| is_spelling(name, folded);
        let is_other = |(_, exact): &(String, String)| !name.eq_ignore_ascii_case(exact.as_bytes());
        let mut matched = self.matched.iter().filter(is_alike).peekable();
        // Rules may look at two spellings, which are then two headers.
        self.credentials.iter().filter(is_alike).any(is_other) || (matched.peek().is_some() && matched.all(is_other))
    }
}

/// What is left of a header name in every spelling: lower case, and `-` for all but letters and digits.
pub(crate) fn fold(name: &[u8]) -> String {
    name.iter().map(|&byte| char::from(fold_byte(byte))).collect()
}

/// Whether `name` folds to `folded`. Asked of each header of each request, so without making a text of it.
fn is_spelling(name: &[u8], folded: &str) -> bool {
    name.len() == folded.len() && name.iter().zip(folded.bytes()).all(|(&byte, folded)| fold_byte(byte) == folded)
}

/// The first and the third byte of a name, folded, as a bit that some bytes have in common. What is too short may be
/// any: prefixes go on.
fn marks(name: &[u8]) -> [u64; 2] {
    [name.first(), name.get(2)].map(|byte| byte.map_or(u64::MAX, |&byte| 1 << (fold_byte(byte) % 64)))
}

#[expect(clippy::indexing_slicing, reason = "there is an entry for each byte")]
const fn fold_byte(byte: u8) -> u8 {
    FOLDED[byte as usize]
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_fold_to_letters_digits_and_dashes() {
        for name in ["X-Auth-Request-User", "x_auth_request_user", "X.Auth.Request.User", "x-auth_request\u{7f}user"] {
            assert_eq!(fold(name.as_bytes()), "x-auth-request-user");
        }
        assert_eq!(fold(b"\xff:"), "--");
        assert!(
            is_spelling(b"X.User", "x-user") && !is_spelling(b"X.Users", "x-user") && !is_spelling(b"XUser", "x-user")
        );
    }

    #[test]
    fn identity_names_are_removed_in_every_spelling_and_nothing_else_is() {
        let hygiene = Hygiene {
            marks: [0; 2],
            names: vec!["x-user".into()],
            prefixes: vec!["x-auth-".into()],
            matched: vec![("x-a".into(), "x_a".into()), ("x-a".into(), "x.a".into())],
            credentials: vec![
                ("authorization".into(), "authorization".into()),
                ("x-api-token".into(), "x-api-token".into()),
            ],
            overrides: Overrides::default(),
        }
        .with_marks();
        let lines: Vec<HeaderLine<'_>> = [
            "x_user",
            "X.USER",
            "x-auth-",
            "x_auth_anything",
            "x_api_token",
            "x-api-token",
            "x_a",
            "X.A",
            "x-a",
            "x-users",
            "x-aut",
            "authorization",
            ":authority",
            "x-user",
            "x-user",
        ]
        .into_iter()
        .map(|name| (name.as_bytes(), &b"v"[..]))
        .collect();
        let removed: Vec<_> = hygiene
            .edits(&Request::new(&lines))
            .into_iter()
            .map(|edit| match edit {
                HeaderEdit::Remove(name) => String::from_utf8(name).expect("is ASCII"),
                other => panic!("{other:?} is no removal"),
            })
            .collect();
        assert_eq!(removed, ["X.USER", "x-a", "x-auth-", "x-user", "x_api_token", "x_auth_anything", "x_user"]);
    }

    #[test]
    fn an_upgrade_cannot_name_headers_away() {
        let edits = |connection: &'static [u8]| {
            let lines: [HeaderLine<'_>; 2] = [(b"upgrade", b"websocket"), (b"connection", connection)];
            Hygiene::default().edits(&Request::new(&lines))
        };
        assert!(edits(b"Upgrade").is_empty());
        assert_eq!(
            edits(b"upgrade, x-auth-request-user"),
            [HeaderEdit::Remove(b"connection".to_vec()), HeaderEdit::add("connection", "upgrade")]
        );
    }

    #[test]
    fn many_spelled_names_are_removed_once_each() {
        let names: Vec<_> = (0..2000).map(|number| format!("x-auth-request-{number}")).collect();
        let twice = names.iter().chain(&names).map(|name| (name.as_bytes(), &b"v"[..]));
        let lines: Vec<HeaderLine<'_>> =
            [(&b":path"[..], &b"/"[..]), (b":method", b"GET")].into_iter().chain(twice).collect();
        let policy = crate::testing::policy(&serde_json::json!({}));
        assert_eq!(policy.hygiene.edits(&Request::new(&lines)).len(), 2000);
    }
}
