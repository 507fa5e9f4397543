//! What browsers and providers send to a client of OAuth: each reader accepts what another reading accepts, and reads
//! the same.
//!
//! An input that begins with `?` is the query of a callback. Others are responses: the status, a line end, the body.

#![no_main]

use std::collections::BTreeMap;

use fuzz::json::{self, Shape, Tree};
use fuzz::number::Plain;
use libfuzzer_sys::fuzz_target;
use oauth::authorization::Callback;
use oauth::github::{self, TeamPages, Teams, User};
use oauth::introspection::Introspection;
use oauth::metadata::Metadata;
use oauth::token::{ExchangeResponse, TokenResponse, TokenTypeUri};
use oauth::userinfo::{PROTECTED, UserInfo};
use oauth::{ErrorCode, ResponseError, Secret};

const ISSUER: &str = "https://idp";
const SUBJECT: &str = "alice";

fuzz_target!(|input: &[u8]| {
    if let Some(query) = input.strip_prefix(b"?") {
        return check_callback(query);
    }
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let status = str::from_utf8(&input[..end]).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
    let body = input.get(end + 1..).unwrap_or_default();
    let response = Response { status, tree: json::read(body).ok() };
    check_tokens(&response, body);
    check_exchange(&response, body);
    check_introspection(&response, body);
    check_userinfo(&response, body);
    check_github(&response, body);
    check_metadata(&response, body);
});

fn check_callback(query: &[u8]) {
    let found = Callback::read(query);
    let Some(expected) = read_callback(query) else { return assert!(found.is_err(), "{found:?}") };
    let callback = found.expect("another reading accepts it");
    assert_eq!(callback.state(), expected["state"]);
    let is_from_issuer = expected.get("iss").is_some_and(|issuer| issuer == ISSUER);
    match callback.code(ISSUER, true) {
        Ok(code) => assert!(is_from_issuer && expected.get("code").is_some_and(|expected| expected == code.reveal())),
        Err(error) => assert_eq!(error.code().is_some(), is_from_issuer && expected.contains_key("error")),
    }
}

/// The parameters that count, where they make a callback.
fn read_callback(query: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = str::from_utf8(query).ok().filter(|text| text.chars().all(|c| ('!'..='~').contains(&c)))?;
    let pairs: Vec<_> = text.split('&').filter(|pair| !pair.is_empty()).collect();
    if pairs.len() > 64 {
        return None;
    }
    let mut parameters = BTreeMap::new();
    for pair in pairs {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        let counts = ["code", "error", "iss", "state"].contains(&name.as_str());
        if parameters.insert(name, value).is_some() && counts {
            return None;
        }
        parameters.retain(|name, _| ["code", "error", "iss", "state"].contains(&name.as_str()));
    }
    parameters.retain(|_, value| !value.is_empty());
    let code = parameters.get("code");
    let is_code = code.is_none_or(|code| code.chars().all(|c| (' '..='~').contains(&c)));
    (parameters.contains_key("state") && code.is_some() != parameters.contains_key("error") && is_code)
        .then_some(parameters)
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', "%20");
    let mut parts = text.split('%');
    let mut octets = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))?;
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        octets.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(octets).ok()
}

/// A response by another reading.
struct Response<'b> {
    status: u16,
    tree: Option<Tree<'b>>,
}

impl Response<'_> {
    /// The object of a success.
    fn object(&self) -> Option<&Tree<'_>> {
        self.tree.as_ref().filter(|tree| self.status == 200 && tree.is_object())
    }

    /// The list of a success.
    fn list(&self) -> Option<&[Tree<'_>]> {
        let tree = self.tree.as_ref().filter(|tree| self.status == 200 && matches!(tree.shape, Shape::Array(_)));
        tree.map(Tree::elements)
    }

    /// A member, unless it is null.
    fn member(&self, name: &str) -> Option<&Tree<'_>> {
        self.object()?.get(name).filter(|member| !matches!(member.shape, Shape::Null))
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.member(name)?.string()
    }

    /// Whether a member is absent or a token.
    fn may_be_token(&self, name: &str) -> bool {
        let is_token = |text: &str| !text.is_empty() && text.chars().all(|c| ('!'..='~').contains(&c));
        self.member(name).is_none_or(|member| member.string().is_some_and(is_token))
    }

    /// Whether the response gives an access token, its type aside.
    fn gives_token(&self) -> bool {
        let is_number =
            |member: &Tree<'_>| matches!(member.shape, Shape::Number) && Plain::read(member.text).to_u64().is_some();
        let is_scope = |text: &str| text.chars().all(|c| (' '..='~').contains(&c) && c != '"' && c != '\\');
        self.member("error").is_none()
            && self.member("access_token").is_some()
            && ["access_token", "id_token", "refresh_token"].iter().all(|name| self.may_be_token(name))
            && self.member("expires_in").is_none_or(is_number)
            && self.member("scope").is_none_or(|scope| scope.string().is_some_and(is_scope))
    }

    fn is_type(&self, name: &str) -> bool {
        self.string("token_type").is_some_and(|found| found.eq_ignore_ascii_case(name))
    }

    fn check_error(&self, error: &ResponseError) {
        let code = self.tree.as_ref().and_then(|tree| tree.get("error")).and_then(Tree::string);
        let is_temporary = matches!(self.status, 408 | 425 | 429 | 500..=599)
            || code.is_some_and(|code| ErrorCode::from_name(code).is_temporary());
        assert_eq!(error.is_temporary(), is_temporary, "{error:?}");
        assert!(error.to_string().len() < 300, "{error}");
    }
}

fn check_tokens(response: &Response<'_>, body: &[u8]) {
    match TokenResponse::read(response.status, body) {
        Ok(tokens) => {
            assert!(response.gives_token() && response.is_type("Bearer"));
            assert_same(Some(&tokens.access_token), response.string("access_token"));
            assert_same(tokens.id_token.as_ref(), response.string("id_token"));
            assert_same(tokens.refresh_token.as_ref(), response.string("refresh_token"));
        }
        Err(error) => {
            assert!(!(response.gives_token() && response.is_type("Bearer")), "{error}");
            response.check_error(&error);
        }
    }
}

fn assert_same(found: Option<&Secret>, expected: Option<&str>) {
    assert_eq!(found.map(Secret::reveal), expected);
}

fn check_exchange(response: &Response<'_>, body: &[u8]) {
    let issued = response.string("issued_token_type").and_then(TokenTypeUri::from_uri);
    let is_type = response.is_type("Bearer")
        || (response.is_type("N_A") && issued.is_some_and(|issued| issued != TokenTypeUri::AccessToken));
    let is_good = response.gives_token() && is_type && issued.is_some();
    let found = ExchangeResponse::read(response.status, body, None);
    assert_eq!(found.as_ref().ok().map(|found| found.issued_token_type), issued.filter(|_| is_good), "{found:?}");
}

fn check_introspection(response: &Response<'_>, body: &[u8]) {
    let active = match response.object().and_then(|object| object.get("active")).map(|active| &active.shape) {
        Some(Shape::Bool(active)) => Some(*active),
        _ => None,
    };
    match (Introspection::read(response.status, body), active) {
        (Ok(Introspection::Active(token)), Some(true)) => {
            json::assert_same(token.claims(), response.object().expect("is an object"), &mut |_| {});
        }
        (Ok(Introspection::Inactive), Some(false)) | (Err(_), None) => {}
        (found, expected) => panic!("{found:?} {expected:?}"),
    }
}

fn check_userinfo(response: &Response<'_>, body: &[u8]) {
    const TOKEN: &str = r#"{"sub":"alice","iss":"https://idp","email":"a","name":"b"}"#;
    let is_good = response.string("sub") == Some(SUBJECT);
    let found = UserInfo::read(response.status, body, SUBJECT);
    assert_eq!(found.is_ok(), is_good, "{found:?}");
    let Ok(userinfo) = found else { return };
    let token = jose::json::Document::parse(TOKEN.as_bytes()).expect("is JSON");
    let merged = userinfo.merge_into(token.root());
    let (merged, token) =
        (json::read(merged.as_bytes()).expect("is JSON"), json::read(TOKEN.as_bytes()).expect("is JSON"));
    for (name, member) in merged.members() {
        let newer = response.member(name).filter(|_| !PROTECTED.contains(&name.as_str()));
        let expected = newer.or_else(|| token.get(name)).expect("is from one of both");
        let member = jose::json::Document::parse(member.text.as_bytes()).expect("is JSON");
        json::assert_same(member.root(), expected, &mut |_| {});
    }
    let missing = |(name, _): &&(String, Tree<'_>)| merged.get(name).is_none();
    assert!(token.members().iter().find(missing).is_none());
}

fn check_github(response: &Response<'_>, body: &[u8]) {
    let user = response.object().and_then(read_user);
    let email = response.list().and_then(read_email);
    let groups = response.list().and_then(read_groups);
    let found = User::read(response.status, body);
    let found_email = github::primary_email(response.status, body);
    let found_groups = TeamPages::default().add(response.status, body, std::iter::empty());
    assert_eq!(found.is_ok(), user.is_some(), "{found:?}");
    assert_eq!(found_email.as_ref().ok(), email.as_ref(), "{found_email:?}");
    match (&found_groups, &groups) {
        (Ok(Teams::All(found)), Some((count, expected))) => {
            assert!(*count < 100 && found.iter().eq(expected));
        }
        (Ok(Teams::Some(_)), Some((count, _))) => assert!(*count >= 100),
        (Err(_), None) => {}
        other => panic!("{other:?}"),
    }
    let (Ok(found), Some((id, login, name))) = (found, user) else { return };
    let claims = github::claims(&found, None, None);
    let claims = json::read(claims.as_bytes()).expect("is JSON");
    let claim = |name: &str| claims.get(name).and_then(Tree::string);
    assert_eq!(
        (claim("sub"), claim("preferred_username"), claim("name")),
        (Some(&*id), Some(&*login), name.as_deref())
    );
}

fn read_user(object: &Tree<'_>) -> Option<(String, String, Option<String>)> {
    let member = |name: &str| object.get(name).filter(|member| !matches!(member.shape, Shape::Null));
    let id = member("id").filter(|id| matches!(id.shape, Shape::Number))?;
    let id = Plain::read(id.text).to_u64().filter(|id| *id > 0)?;
    let name = match member("name") {
        Some(name) => Some(name.string()?.to_string()).filter(|name| !name.is_empty()),
        None => None,
    };
    member("error").is_none().then_some((id.to_string(), read_slug(member("login")?)?, name))
}

fn read_slug(value: &Tree<'_>) -> Option<String> {
    let is_odd = |c: char| !(c.is_alphanumeric() || c == '-' || c == '.' || c == '_');
    value.string().filter(|slug| !slug.is_empty() && !slug.contains(is_odd)).map(String::from)
}

#[expect(clippy::option_option, reason = "none, none that is verified, and one")]
fn read_email(list: &[Tree<'_>]) -> Option<Option<String>> {
    let flag = |entry: &Tree<'_>, name: &str| match entry.get(name)?.shape {
        Shape::Bool(flag) => Some(flag),
        _ => None,
    };
    let flags: Vec<bool> = list.iter().map(|entry| flag(entry, "primary")).collect::<Option<_>>()?;
    let mut primary = list.iter().zip(flags).filter(|(_, is_primary)| *is_primary).map(|(entry, _)| entry);
    let (Some(entry), None) = (primary.next(), primary.next()) else {
        return list.iter().all(|entry| flag(entry, "primary") == Some(false)).then_some(None);
    };
    if !flag(entry, "verified")? {
        return Some(None);
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    let email = entry.get("email")?.string().filter(|email| email.contains('@') && !email.contains(is_odd))?;
    Some(Some(email.to_string()))
}

/// How many teams there are, and their names, each once, in order.
fn read_groups(list: &[Tree<'_>]) -> Option<(usize, Vec<String>)> {
    let group = |team: &Tree<'_>| {
        let (organization, team) = (team.get("organization")?.get("login")?, team.get("slug")?);
        Some(format!("{}/{}", read_slug(organization)?, read_slug(team)?))
    };
    let mut groups = list.iter().map(group).collect::<Option<Vec<_>>>()?;
    groups.sort();
    groups.dedup();
    Some((list.len(), groups))
}

fn check_metadata(response: &Response<'_>, body: &[u8]) {
    let found = Metadata::read(body, ISSUER);
    let tree = response.tree.as_ref().filter(|tree| tree.is_object());
    let names_issuer = tree.and_then(|tree| tree.get("issuer")?.string()) == Some(ISSUER);
    assert!(found.is_err() || names_issuer);
    let Ok(metadata) = found else { return };
    for (name, endpoint) in [
        ("authorization_endpoint", metadata.authorization),
        ("end_session_endpoint", metadata.end_session),
        ("introspection_endpoint", metadata.introspection),
        ("revocation_endpoint", metadata.revocation),
        ("token_endpoint", metadata.token),
        ("userinfo_endpoint", metadata.userinfo),
    ] {
        let Some(endpoint) = endpoint else { continue };
        assert_eq!(tree.and_then(|tree| tree.get(name)?.string()), Some(endpoint.as_str()));
        assert!(endpoint.as_str().starts_with("https://") && !endpoint.as_str().contains(['#', ' ', '\n', '"']));
    }
}
