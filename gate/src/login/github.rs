//! Who logged in at GitHub: its API says so, in several answers.

use jose::json::{Document, Value};
use oauth::github::{self, EMAILS, Groups, HEADERS, MAX_TEAMS_BODY, TeamPages, Teams, USER, User};
use oauth::token::TokenResponse;

use super::exchange::Exchange;
use super::failure::{Failed, Stop};
use super::identify::{Expected, Identified};
use crate::callout::{Callout, CalloutHeader};
use crate::http::HttpUri;
use crate::policy::GitHub;
use crate::question::{Answer, Question, Step, Subject, Topic};
use crate::report::LoginFailure;

/// The steps of [`Step::Claims`]: teams have one each for their pages.
const ASK_USER: u8 = 0;
const ASK_EMAILS: u8 = 1;
const ASK_TEAMS: u8 = 2;

impl Exchange<'_> {
    /// What the API says of whoever the access token is for.
    pub(super) fn identify_on_github(
        &self,
        github: &GitHub,
        tokens: &TokenResponse,
        subject: Subject,
        expected: Expected<'_>,
    ) -> Result<Identified, Stop> {
        let ask =
            |step: u8, path: &str| self.ask_github(github, tokens, Topic { subject, step: Step::Claims(step) }, path);
        let answer = ask(ASK_USER, USER)?;
        let user = User::read(answer.status, &answer.body).map_err(|error| Failed::at("user", &error))?;
        let email = match self.has_scope(&["user:email", "user"]) {
            true => {
                let answer = ask(ASK_EMAILS, EMAILS)?;
                github::primary_email(answer.status, &answer.body).map_err(|error| Failed::at("e-mail", &error))?
            }
            false => None,
        };
        let groups = match self.has_scope(&["read:org", "write:org", "admin:org"]) {
            true => Some(teams(&ask)?),
            false => None,
        };
        let claims = github::claims(&user, email.as_deref(), groups.as_ref());
        match expected {
            Expected::Same(original, _) if !is_of(&claims, original.subject) => {
                Err(Failed::new(LoginFailure::IdToken, "expected the user of the session, found another").into())
            }
            Expected::Anyone(_) | Expected::Same(..) => Ok(Identified { claims, from_userinfo: None, expires: None }),
        }
    }

    fn ask_github(&self, github: &GitHub, tokens: &TokenResponse, topic: Topic, path: &str) -> Result<&Answer, Stop> {
        let base = github.api.path.trim_end_matches('/');
        let uri = HttpUri { path: [base, path].concat(), ..github.api.clone() };
        self.answer("API", topic, || {
            let callout = self.get(&github.api_cluster, &uri, Some(&tokens.access_token));
            let own = callout.headers.into_iter().filter(|header| header.name == "authorization");
            let fixed = HEADERS.iter().map(|(name, value)| CalloutHeader::new(name, value));
            let headers = fixed.chain(own).collect();
            Ok(Question {
                topic,
                callout: Callout { headers, max_body_bytes: MAX_TEAMS_BODY.saturating_add(1), ..callout },
            })
        })
    }

    fn has_scope(&self, scopes: &[&str]) -> bool {
        self.login.scopes.iter().any(|scope| scopes.contains(&scope.as_str()))
    }
}

fn teams<'a>(ask: &impl Fn(u8, &str) -> Result<&'a Answer, Stop>) -> Result<Groups, Stop> {
    let mut pages = TeamPages::default();
    // There is an end of pages long before one of numbers.
    for step in ASK_TEAMS..=u8::MAX {
        let answer = ask(step, &pages.path())?;
        let links = [answer.link.as_slice()];
        let teams = pages.add(answer.status, &answer.body, links.into_iter().filter(|link| !link.is_empty()));
        match teams.map_err(|error| Failed::at("team", &error))? {
            Teams::All(groups) => return Ok(groups),
            Teams::Some(more) => pages = more,
        }
    }
    Err(Failed::new(LoginFailure::Provider, "the user is in too many teams").into())
}

fn is_of(claims: &str, subject: &str) -> bool {
    let document = Document::parse(claims.as_bytes()).ok();
    document.is_some_and(|document| document.root().get("sub").and_then(Value::as_str) == Some(subject))
}
