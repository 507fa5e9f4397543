//! Who is in the crowd: what each of them sends, and what must come of it.

use real_envoy::http::Request;
use serde_json::{Value, json};
use testbed::issuer::{Issuer, TokenRequest};

use test_support::random::Random;

/// Somebody, and what the upstream is to be told of them.
#[derive(Clone, Debug)]
pub(crate) struct User {
    token: String,
    identity: Vec<(String, String)>,
    subject: String,
}

impl User {
    /// Nobody else has this subject, these groups or these scopes. Some claims are missing, so that what another caller
    /// left behind would show.
    pub(crate) fn mint(number: usize, issuer: &Issuer, random: &mut Random) -> Self {
        let subject = format!("user-{number}");
        let mut request = TokenRequest::subject(subject.clone());
        let mut identity = vec![("issuer", issuer.issuer().to_string()), ("user", subject.clone())];
        if !random.once_in(4) {
            let email = format!("{number}@example.com");
            request.claims.insert("email".into(), email.as_str().into());
            request.claims.insert("email_verified".into(), true.into());
            identity.push(("email", email));
        }
        if !random.once_in(4) {
            let groups: Vec<_> = (0..=random.below(3)).map(|index| format!("group-{number}-{index}")).collect();
            identity.push(("groups", groups.join(",")));
            request.groups = Some(groups);
        }
        if !random.once_in(4) {
            let scopes = format!("read scope-{number}");
            identity.push(("token-scopes", scopes.clone()));
            request.scope = Some(scopes);
        }
        let named = |(name, value)| (format!("x-auth-request-{name}"), value);
        let mut identity: Vec<_> = identity.into_iter().map(named).collect();
        identity.sort();
        Self { token: issuer.token(&request).unwrap(), identity, subject }
    }
}

/// One request, and what must come of it.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) request: Request,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// Why it is refused, if it is.
    pub(crate) reason: Option<&'static str>,
    /// The identity headers that the upstream is to see, sorted.
    pub(crate) identity: Vec<(String, String)>,
    /// Whom the access log names.
    pub(crate) subject: Option<String>,
    /// When the caller gives up, if ever.
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    Answered,
    /// Right after the request was sent.
    Sent,
    /// After some other requests.
    Later,
}

/// What is asked of them, at paths that begin with `/h1` or `/h2`, the upstream's protocol.
pub(crate) fn rules() -> Value {
    json!([
        {"name": "public", "match": {"paths": ["/{protocol}/public/{number}"]}, "access": "public"},
        {"name": "optional", "match": {"paths": ["/{protocol}/optional/{number}"]}, "access": "optional"},
        {"name": "write", "match": {"paths": ["/{protocol}/write/{number}"]}, "access": {"scopes": {"all": ["write"]}}},
        {"name": "rest", "access": "authenticated"},
    ])
}

/// A part of the crowd: each of `users` once, as they should be, and in between those who come again, who have no token
/// or a bad one, and who claim to be somebody else. `first` is the number of the first request.
pub(crate) fn crowd(first: usize, users: &[User], issuer: &Issuer, random: &mut Random) -> Vec<Caller> {
    let mut fresh = users.iter();
    let mut callers = Vec::new();
    while fresh.len() > 0 {
        let number = first + callers.len();
        let one = random.below(users.len());
        let (user, other) = (&users[one], &users[(one + 1 + random.below(users.len() - 1)) % users.len()]);
        let caller = match random.below(25) {
            0 | 20..=24 => Caller::known(number, "plain", user),
            1 | 2 => Caller::anonymous(number, "public"),
            3 => Caller::anonymous(number, "public").bearer(&user.token),
            4 => Caller::anonymous(number, "optional"),
            5 => Caller::refused(number, "plain", 401, "missing_token"),
            6 => Caller::refused(number, "optional", 401, "expired").bearer(&expired(number, issuer)),
            7 => Caller::refused(number, "plain", 401, "bad_signature").bearer(&mixed(user, other)),
            8 => {
                let caller = Caller::refused(number, "write", 403, "insufficient_scope").bearer(&user.token);
                Caller { subject: Some(user.subject.clone()), ..caller }
            }
            9 => Caller::known(number, "optional", fresh.next().unwrap()),
            _ => Caller::known(number, "plain", fresh.next().unwrap()),
        };
        let caller = if random.once_in(3) { caller.forging(other, random) } else { caller };
        callers.push(caller.ending(random));
    }
    callers
}

impl Caller {
    fn anonymous(number: usize, place: &str) -> Self {
        let path = format!("/h{}/{place}/{number}", 1 + number % 2);
        let request = Request::get(&path);
        Self { request, path, status: 200, reason: None, identity: Vec::new(), subject: None, end: End::Answered }
    }

    fn known(number: usize, place: &str, user: &User) -> Self {
        let caller = Self::anonymous(number, place).bearer(&user.token);
        Self { identity: user.identity.clone(), subject: Some(user.subject.clone()), ..caller }
    }

    fn refused(number: usize, place: &str, status: u16, reason: &'static str) -> Self {
        Self { status, reason: Some(reason), ..Self::anonymous(number, place) }
    }

    fn bearer(self, token: &str) -> Self {
        Self { request: self.request.bearer(token), ..self }
    }

    /// Sends the identity of somebody else along, in some spellings.
    fn forging(self, other: &User, random: &mut Random) -> Self {
        let mut request = self.request;
        for (name, value) in &other.identity {
            let name: String = name.chars().map(|c| if c == '-' && random.once_in(4) { '_' } else { c }).collect();
            request = request.header(name, value);
        }
        Self { request: request.header("x-auth-request-uid", "0"), ..self }
    }

    fn ending(self, random: &mut Random) -> Self {
        let end = match random.below(20) {
            0 => End::Sent,
            1 => End::Later,
            _ => End::Answered,
        };
        Self { end, ..self }
    }
}

fn expired(number: usize, issuer: &Issuer) -> String {
    issuer.token(&TokenRequest { lifetime: Some(-3600), ..TokenRequest::subject(format!("late-{number}")) }).unwrap()
}

/// One user's claims with another's signature.
fn mixed(user: &User, other: &User) -> String {
    let (claims, _) = user.token.rsplit_once('.').unwrap();
    let (_, signature) = other.token.rsplit_once('.').unwrap();
    format!("{claims}.{signature}")
}
