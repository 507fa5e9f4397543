//! GitHub, which has no ID token: who logged in is what its API says (REST API, version 2022-11-28).
//!
//! Three resources make the claims: [`User`], [`primary_email`] and [`TeamPages`]. Each is a GET with the access token
//! and [`HEADERS`]. Its token endpoint reports errors in a body with status 200, as [`crate::token`] reads them.

use std::collections::BTreeSet;

use jose::json::{Value, write};

use crate::ResponseError;
use crate::response::{Errors, MAX_BODY, boolean, read_list, read_object, string};

/// What each request has, beside `authorization`. Without `user-agent` GitHub refuses it.
pub const HEADERS: [(&str, &str); 3] =
    [("accept", "application/vnd.github+json"), ("user-agent", "jotgate"), ("x-github-api-version", "2022-11-28")];

/// The path of [`User`], behind that of the API.
pub const USER: &str = "/user";

/// The path of [`primary_email`], behind that of the API.
pub const EMAILS: &str = "/user/emails?per_page=100";

/// How many octets of a page of teams are read: a team is two to four thousand.
pub const MAX_TEAMS_BODY: usize = 512 * 1024;

/// How many pages of teams are read.
pub const MAX_TEAM_PAGES: usize = 10;

const TEAMS_PER_PAGE: usize = 100;

/// Who logged in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The number that stays, whatever the user is called.
    id: u64,
    login: String,
    name: Option<String>,
}

impl User {
    /// Reads the response to [`USER`].
    pub fn read(status: u16, body: &[u8]) -> Result<Self, ResponseError> {
        let document = read_object(status, body, Errors::InAnyBody)?;
        let root = document.root();
        let name = string(root, "name")?.filter(|name| !name.is_empty());
        Ok(Self { id: id(root)?, login: slug(root, "login")?.to_string(), name: name.map(ToString::to_string) })
    }
}

fn id(root: Value<'_>) -> Result<u64, ResponseError> {
    const MEMBER: &str = "id";
    let expected = "a whole number above zero";
    let value = root.get(MEMBER).ok_or(ResponseError::Missing(MEMBER))?;
    let number = value.as_number().ok_or(ResponseError::Type { member: MEMBER, expected, found: value.kind() })?;
    number.to_u64().filter(|id| *id > 0).ok_or(ResponseError::Invalid { member: MEMBER, expected })
}

/// What names a user, an organization or a team in URLs. It holds no `/`, so that `org/team` is one team.
fn slug<'d>(object: Value<'d>, member: &'static str) -> Result<&'d str, ResponseError> {
    let text = string(object, member)?.ok_or(ResponseError::Missing(member))?;
    match !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || "-._".contains(character)) {
        true => Ok(text),
        false => Err(ResponseError::Invalid { member, expected: "letters, digits, `-`, `.` and `_`" }),
    }
}

/// Reads the response to [`EMAILS`]: the primary address, if it is verified. What is not verified may be anybody's.
pub fn primary_email(status: u16, body: &[u8]) -> Result<Option<String>, ResponseError> {
    let document = read_list(status, body, MAX_BODY)?;
    let mut primary = None;
    for entry in document.root().elements() {
        if boolean(entry, "primary")? && primary.replace(entry).is_some() {
            return Err(ResponseError::Invalid { member: "primary", expected: "one primary address" });
        }
    }
    match primary {
        Some(entry) if boolean(entry, "verified")? => address(entry).map(Some),
        _ => Ok(None),
    }
}

fn address(entry: Value<'_>) -> Result<String, ResponseError> {
    const MEMBER: &str = "email";
    let text = string(entry, MEMBER)?.ok_or(ResponseError::Missing(MEMBER))?;
    match text.contains('@') && !text.contains(|character: char| character.is_whitespace() || character.is_control()) {
        true => Ok(text.to_string()),
        false => Err(ResponseError::Invalid { member: MEMBER, expected: "an address" }),
    }
}

/// The pages of teams that were read so far. Pages are counted: no URL of a response is followed.
#[derive(Clone, Debug, Default)]
pub struct TeamPages {
    groups: BTreeSet<String>,
    pages: usize,
}

/// The teams after a page.
#[derive(Clone, Debug)]
pub enum Teams {
    /// That was the last page.
    All(Groups),
    /// There may be more.
    Some(TeamPages),
}

/// All teams of a user, as `org/team`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Groups(BTreeSet<String>);

impl Groups {
    /// Each, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl TeamPages {
    /// The path of the next page, behind that of the API.
    pub fn path(&self) -> String {
        format!("/user/teams?per_page={TEAMS_PER_PAGE}&page={}", self.pages.saturating_add(1))
    }

    /// Adds the response to [`Self::path`], with its `Link` lines (RFC 8288). Teams are all or an error: access may
    /// depend on a user not being in one.
    pub fn add<'l>(
        mut self,
        status: u16,
        body: &[u8],
        links: impl Iterator<Item = &'l [u8]>,
    ) -> Result<Teams, ResponseError> {
        let document = read_list(status, body, MAX_TEAMS_BODY)?;
        let mut found: usize = 0;
        for team in document.root().elements() {
            self.groups.insert(group(team)?);
            found = found.saturating_add(1);
        }
        self.pages = self.pages.saturating_add(1);
        // A full page may be the last one; a page that is not may not be, where teams were left out of it.
        match found >= TEAMS_PER_PAGE || links.into_iter().any(names_next) {
            false => Ok(Teams::All(Groups(self.groups))),
            true if self.pages < MAX_TEAM_PAGES => Ok(Teams::Some(self)),
            true => Err(ResponseError::TooManyPages { most: MAX_TEAM_PAGES }),
        }
    }
}

fn group(team: Value<'_>) -> Result<String, ResponseError> {
    const MEMBER: &str = "organization";
    let organization = team.get(MEMBER).ok_or(ResponseError::Missing(MEMBER))?;
    Ok([slug(organization, "login")?, "/", slug(team, "slug")?].concat())
}

/// Whether a `Link` line has the word `next` outside of its URIs. One that is found for another reason costs a request.
fn names_next(link: &[u8]) -> bool {
    let mut is_uri = false;
    let is_outside = |byte: &u8| {
        is_uri = match byte {
            b'<' => true,
            b'>' => false,
            _ => is_uri,
        };
        !is_uri
    };
    let outside: Vec<u8> = link.iter().copied().filter(is_outside).collect();
    outside.split(|byte| !byte.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case(b"next"))
}

/// The claims of a user, as a JSON object. What was not asked for is no claim.
pub fn claims(user: &User, email: Option<&str>, groups: Option<&Groups>) -> String {
    let text = |name, value| (name, write::string(value));
    let id = user.id.to_string();
    let mut claims = vec![text("sub", &id), text("preferred_username", &user.login)];
    claims.extend(user.name.as_deref().map(|name| text("name", name)));
    if let Some(email) = email {
        claims.extend([text("email", email), ("email_verified", "true".to_string())]);
    }
    if let Some(groups) = groups {
        let groups: Vec<_> = groups.iter().map(write::string).collect();
        claims.push(("groups", format!("[{}]", groups.join(","))));
    }
    let members: Vec<_> = claims.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::ErrorCode;
    use jose::json::{Document, Kind};

    const OCTOCAT: &str = r#"{"login":"octocat","id":1,"node_id":"MDQ6VXNlcjE=","type":"User","site_admin":false,
        "name":"monalisa octocat","email":"octocat@github.com","hireable":null,"public_repos":2}"#;
    const ADDRESSES: &str = r#"[{"email":"old@example.com","primary":false,"verified":true,"visibility":null},
        {"email":"octocat@github.com","verified":true,"primary":true,"visibility":"public"}]"#;

    fn team(org: &str, slug: &str) -> String {
        format!(r#"{{"id":1,"name":"Any","slug":"{slug}","parent":null,"organization":{{"login":"{org}","id":1}}}}"#)
    }

    fn page(numbers: impl Iterator<Item = usize>) -> String {
        format!("[{}]", numbers.map(|number| team("org", &format!("t{number}"))).collect::<Vec<_>>().join(","))
    }

    fn add(pages: TeamPages, body: &str, link: &str) -> Result<Teams, ResponseError> {
        pages.add(200, body.as_bytes(), (!link.is_empty()).then_some(link.as_bytes()).into_iter())
    }

    fn groups(body: &str) -> Result<Vec<String>, ResponseError> {
        match add(TeamPages::default(), body, "")? {
            Teams::All(Groups(groups)) => Ok(groups.into_iter().collect()),
            Teams::Some(_) => panic!("it is the only page"),
        }
    }

    /// The examples of the documentation, shortened.
    #[test]
    fn user_address_and_teams_make_claims() {
        let user = User::read(200, OCTOCAT.as_bytes()).expect("is a user");
        let email = primary_email(200, ADDRESSES.as_bytes()).expect("are addresses");
        let body = format!("[{},{},{}]", team("github", "justice-league"), team("a", "b"), team("a", "b"));
        let Ok(Teams::All(groups)) = add(TeamPages::default(), &body, "") else { panic!("it is the only page") };
        let all = claims(&user, email.as_deref(), Some(&groups));
        assert_eq!(
            all,
            r#"{"sub":"1","preferred_username":"octocat","name":"monalisa octocat","email":"octocat@github.com","email_verified":true,"groups":["a/b","github/justice-league"]}"#
        );
        let nameless = User::read(200, br#"{"login":"a","id":18446744073709551615,"name":null}"#).expect("is a user");
        assert_eq!(claims(&nameless, None, None), r#"{"sub":"18446744073709551615","preferred_username":"a"}"#);
    }

    #[test]
    fn names_are_written_as_json() {
        let body = br#"{"login":"a","id":1,"name":"\"},\"sub\":\"2\u2028\\"}"#;
        let claims = claims(&User::read(200, body).expect("is a user"), None, None);
        let document = Document::parse(claims.as_bytes()).expect("is JSON");
        let claim = |name| document.root().get(name).and_then(Value::as_str);
        assert_eq!((claim("sub"), claim("name")), (Some("1"), Some("\"},\"sub\":\"2\u{2028}\\")));
    }

    #[test]
    fn a_user_has_a_number_and_a_login() {
        let read = |body: &str| User::read(200, body.as_bytes()).expect_err(body);
        for (body, expected) in [
            (r#"{"login":"a"}"#, ResponseError::Missing("id")),
            (r#"{"id":1}"#, ResponseError::Missing("login")),
            (r#"{"id":1,"login":null}"#, ResponseError::Missing("login")),
            (r#"[{"id":1,"login":"a"}]"#, ResponseError::NotAnObject { found: Kind::Array }),
        ] {
            assert_eq!(read(body), expected);
        }
        for id in ["0", "-1", "1.5", "18446744073709551616", "1e400"] {
            let error = read(&format!(r#"{{"id":{id},"login":"a"}}"#));
            assert!(matches!(error, ResponseError::Invalid { member: "id", .. }), "{id}: {error:?}");
        }
        for (member, body) in [
            ("id", r#"{"id":"1","login":"a"}"#),
            ("id", r#"{"id":null,"login":"a"}"#),
            ("login", r#"{"id":1,"login":1}"#),
            ("name", r#"{"id":1,"login":"a","name":["b"]}"#),
        ] {
            let error = read(body);
            assert!(matches!(error, ResponseError::Type { member: found, .. } if found == member), "{body}: {error:?}");
        }
        for login in ["", "a b", "a/b", "a\\n", "a,b", "a\\u0000"] {
            let error = read(&format!(r#"{{"id":1,"login":"{login}"}}"#));
            assert!(matches!(error, ResponseError::Invalid { member: "login", .. }), "{login}: {error:?}");
        }
        assert!(matches!(read(r#"{"id":1,"id":2,"login":"a"}"#), ResponseError::Json(_)));
    }

    #[test]
    fn the_body_says_before_the_status_that_a_request_failed() {
        let refused = |status, code| ResponseError::Refused { status, code };
        for (status, body, expected) in [
            (200, r#"{"error":"bad_verification_code"}"#, refused(200, Some(ErrorCode::BadVerificationCode))),
            (401, r#"{"message":"Bad credentials"}"#, refused(401, None)),
            (403, r#"{"message":"Resource not accessible"}"#, refused(403, None)),
            (503, "", ResponseError::Unavailable { status: 503, code: None }),
            (304, "", ResponseError::Status(304)),
        ] {
            assert_eq!(User::read(status, body.as_bytes()), Err(expected.clone()), "{status} {body}");
            assert_eq!(primary_email(status, body.as_bytes()), Err(expected.clone()), "{status} {body}");
            let teams = TeamPages::default().add(status, body.as_bytes(), std::iter::empty());
            assert_eq!(teams.map(drop), Err(expected), "{status} {body}");
        }
    }

    #[test]
    fn an_address_is_primary_and_verified() {
        let email = |entries: &str| primary_email(200, format!("[{entries}]").as_bytes());
        let entry = |email: &str, primary, verified| {
            format!(r#"{{"email":"{email}","primary":{primary},"verified":{verified}}}"#)
        };
        assert_eq!(email(""), Ok(None));
        assert_eq!(email(&entry("a@b", "true", "false")), Ok(None));
        assert_eq!(email(&entry("a@b", "false", "true")), Ok(None));
        assert_eq!(email(&entry("a@b", "true", "true")), Ok(Some("a@b".to_string())));
        let two = [entry("a@b", "true", "false"), entry("c@d", "true", "true")].join(",");
        assert!(matches!(email(&two), Err(ResponseError::Invalid { member: "primary", .. })));
        assert_eq!(email(r#"{"email":"a@b","primary":true}"#), Err(ResponseError::Missing("verified")));
        assert_eq!(email("1"), Err(ResponseError::Missing("primary")));
        for (primary, verified) in [("1", "true"), ("true", "\"true\""), ("null", "true")] {
            let found = email(&entry("a@b", primary, verified));
            assert!(matches!(found, Err(ResponseError::Type { .. })), "{primary} {verified}: {found:?}");
        }
        for address in ["", "a", "a @b", "a@b\\n", "a@b\\u2028"] {
            let found = email(&entry(address, "true", "true"));
            assert!(matches!(found, Err(ResponseError::Invalid { member: "email", .. })), "{address}: {found:?}");
        }
    }

    #[test]
    fn a_team_is_named_with_its_organization() {
        assert_eq!(groups("[]"), Ok(Vec::new()));
        assert_eq!(groups(&format!("[{}]", team("o", "t\u{e9}_1.x"))), Ok(vec!["o/t\u{e9}_1.x".to_string()]));
        for (body, expected) in [
            (r#"[{"slug":"a"}]"#, ResponseError::Missing("organization")),
            (r#"[{"slug":"a","organization":null}]"#, ResponseError::Missing("login")),
            (r#"[{"organization":{"login":"a"}}]"#, ResponseError::Missing("slug")),
            ("{}", ResponseError::NotAList { found: Kind::Object }),
        ] {
            assert_eq!(groups(body), Err(expected), "{body}");
        }
        for (org, slug) in [("a/b", "c"), ("a", "b/c"), ("", "a"), ("a", ""), ("a", "b,c"), ("a", "b c")] {
            let found = groups(&format!("[{}]", team(org, slug)));
            assert!(matches!(found, Err(ResponseError::Invalid { .. })), "{org} {slug}");
        }
        let large = format!("[{}]", " ".repeat(MAX_TEAMS_BODY));
        assert!(matches!(groups(&large), Err(ResponseError::TooLarge { most: MAX_TEAMS_BODY, .. })));
    }

    #[test]
    fn pages_are_counted_to_the_last() {
        let mut pages = TeamPages::default();
        assert_eq!(pages.path(), "/user/teams?per_page=100&page=1");
        for (body, link) in [(page(0..100), ""), (page(99..120), "<https://evil/>; rel=\"next\"")] {
            let Ok(Teams::Some(more)) = add(pages, &body, link) else { panic!("there is more") };
            pages = more;
        }
        assert_eq!(pages.path(), "/user/teams?per_page=100&page=3");
        let Ok(Teams::All(Groups(groups))) = add(pages, &page(120..121), "<https://a/>; rel=\"prev\"") else {
            panic!("that was all")
        };
        assert_eq!(groups.len(), 121);

        let mut pages = TeamPages::default();
        for count in 1..=MAX_TEAM_PAGES {
            match add(pages, &page(0..100), "") {
                Ok(Teams::Some(more)) => pages = more,
                found => {
                    assert_eq!(found.map(drop), Err(ResponseError::TooManyPages { most: MAX_TEAM_PAGES }));
                    assert_eq!(count, MAX_TEAM_PAGES);
                    break;
                }
            }
            assert!(count < MAX_TEAM_PAGES);
        }
    }

    #[test]
    fn a_link_to_the_next_page_is_seen_in_all_spellings() {
        for link in [
            r#"<https://api.github.com/user/teams?page=2>; rel="next", <https://api.github.com/user/teams?page=9>; rel="last""#,
            "<a>;rel=next",
            "<a>; REL=\"last NEXT\"",
            "<a>; title=\"x\"; rel='next'",
        ] {
            assert!(names_next(link.as_bytes()), "{link}");
        }
        for link in ["", r#"<https://next/?next>; rel="prev""#, "<a>; rel=\"nextpage\"", "<next"] {
            assert!(!names_next(link.as_bytes()), "{link}");
        }
    }
}
