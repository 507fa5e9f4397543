//! Those who know what tokens are worth, or give others for them: what is true of a token, and what is answered.

use std::time::Duration;

use jose::base64url;
use serde_json::{Value, json};

use super::setup::{Mutant, SECOND, Setup};
use crate::browser::form;
use crate::seeds::Random;
use crate::support::{Fetch, NOW, merge};
use gate::Timestamp;

/// From so many octets on, an answer is kept in one form only.
const LARGE: usize = 4096;

/// Who is asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Service {
    /// Introspection as of RFC 7662.
    Gaf,
    /// Introspection by the token itself.
    Hub,
    Exchange,
    Sts,
}

impl Service {
    pub(super) const ALL: [Self; 4] = [Self::Gaf, Self::Hub, Self::Exchange, Self::Sts];

    pub(super) fn asked_by(fetch: &Fetch) -> Option<Self> {
        match fetch.cluster.as_str() {
            "gaf" => Some(Self::Gaf),
            "hub" => Some(Self::Hub),
            "exchange" => Some(Self::Exchange),
            "sts" => Some(Self::Sts),
            _ => None,
        }
    }

    /// Whether it says what tokens are worth.
    pub(super) fn introspects(self) -> bool {
        matches!(self, Self::Gaf | Self::Hub)
    }
}

/// What a service does with what it is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mood {
    Good,
    /// As good, after this time, if anybody waits for so long.
    Slow(Duration),
    /// The host never says what became of it, or says it when nobody waits.
    Silent,
    /// It is not reached.
    Gone,
    Status(&'static str),
    /// Its answers are garbage, or lies.
    Lies,
}

pub(super) const BAD_MOODS: [Mood; 9] = [
    Mood::Slow(Duration::from_millis(1_800)),
    Mood::Slow(Duration::from_millis(3_500)),
    Mood::Slow(Duration::from_secs(20)),
    Mood::Silent,
    Mood::Gone,
    Mood::Status("500"),
    Mood::Status("429"),
    Mood::Status("302"),
    Mood::Lies,
];

/// A token that only its issuer can read.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) service: Service,
    pub(super) text: String,
    pub(super) expires: Option<Timestamp>,
    pub(super) revoked: Option<Timestamp>,
    /// The key that it is bound to, by its index.
    pub(super) key: Option<usize>,
}

impl Token {
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end) && self.revoked.is_none_or(|at| now < at)
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) service: Service,
    /// The token that it is about, or whose it is.
    pub(super) about: String,
    pub(super) asked: Timestamp,
    /// When the VM had it.
    pub(super) delivered: Option<Timestamp>,
    /// How long what was given is good, from when it was delivered; or from when it was asked for, of a role.
    pub(super) lifetime: Option<Duration>,
    /// Whether it is a proper answer, and a yes.
    pub(super) is_yes: bool,
    /// Whether a VM keeps it in its cache of tokens alone.
    pub(super) is_large: bool,
}

/// What becomes of a callout: after this time there is an answer, or none.
pub(super) struct Served {
    pub(super) after: Duration,
    pub(super) answer: Option<(&'static str, String)>,
    pub(super) number: usize,
}

pub(super) struct Issuers {
    mutant: Option<Mutant>,
    pub(super) moods: [Mood; 4],
    pub(super) tokens: Vec<Token>,
    pub(super) answers: Vec<Answer>,
    /// Whether what is given is always good for long enough.
    pub(super) is_generous: bool,
    /// The thumbprints of the keys that tokens are bound to.
    thumbprints: [String; 2],
}

impl Issuers {
    pub(super) fn new(setup: &Setup, thumbprints: [String; 2]) -> Self {
        let (tokens, answers) = (Vec::new(), Vec::new());
        Self { mutant: setup.mutant, moods: [Mood::Good; 4], tokens, answers, is_generous: false, thumbprints }
    }

    /// A new token.
    pub(super) fn issue(&mut self, now: Timestamp, random: &mut Random) -> usize {
        let number = self.tokens.len();
        let service = random.choose(&[Service::Gaf, Service::Hub]);
        let prefix = if service == Service::Gaf { "gt" } else { "gh" };
        let text = format!("{prefix}-{number:04}.0123456789abcdef.{number:014}");
        let expires = random.once_in(2).then(|| {
            let after = random.duration(5 * SECOND, 600 * SECOND);
            Timestamp::from_secs(now.after(after).since_epoch().as_secs())
        });
        let key = random.once_in(4).then(|| random.below(2));
        self.tokens.push(Token { service, text, expires, revoked: None, key });
        number
    }

    /// What is asked about: a token, or whose token it is.
    pub(super) fn about(fetch: &Fetch) -> String {
        let header = |name| fetch.headers.iter().find(|header| header.name == name).map(|header| &*header.value);
        match Service::asked_by(fetch) {
            Some(Service::Gaf) => form(&fetch.body)["token"].clone(),
            Some(Service::Hub) => {
                header("authorization").and_then(|line| line.strip_prefix("Bearer ")).expect("is there").into()
            }
            Some(Service::Exchange) => form(&fetch.body)["subject_token"].clone(),
            Some(Service::Sts) => {
                let asked = form(&fetch.body);
                let role = asked["RoleArn"].rsplit('/').next().expect("has a name").to_string();
                format!("{} as {role}", subject(&asked["WebIdentityToken"]))
            }
            None => String::new(),
        }
    }

    pub(super) fn serve(&mut self, service: Service, about: String, now: Timestamp, random: &mut Random) -> Served {
        let number = self.answers.len();
        let mood = self.moods[service as usize];
        let lie = (mood == Mood::Lies).then(|| random.below(6));
        let lifetime = match service {
            Service::Exchange => Some(random.choose(&[0, 1, 5, 30, 400]) * SECOND),
            // Of those that end within a minute, no token is made.
            Service::Sts => Some(random.choose(if self.is_generous { &[900] } else { &[30, 90, 900] }) * SECOND),
            Service::Gaf | Service::Hub => None,
        };
        let (status, body, is_yes) = match service {
            Service::Gaf | Service::Hub => self.introspected(service, &about, number, lie, now, random),
            Service::Exchange => self.exchanged(number, lifetime, lie, random),
            Service::Sts => assumed(number, now.after(lifetime.unwrap_or_default()), lie),
        };
        let is_silent = random.once_in(2);
        let (after, answer) = match mood {
            Mood::Good | Mood::Lies => (random.duration(Duration::ZERO, SECOND / 20), Some((status, body))),
            Mood::Slow(delay) => (delay, Some((status, body))),
            Mood::Silent if is_silent => (Duration::from_hours(10), None),
            Mood::Silent => (Duration::from_secs(40), Some((status, body))),
            Mood::Gone => (Duration::ZERO, None),
            Mood::Status(status) => (SECOND / 50, Some((status, body))),
        };
        let is_large = answer.as_ref().is_some_and(|(_, body)| body.len() > LARGE);
        let about = match (self.mutant, service) {
            (Some(Mutant::OtherToken), Service::Gaf | Service::Hub)
            | (Some(Mutant::OtherCaller), Service::Exchange) => String::from("another"),
            _ => about,
        };
        let is_yes = is_yes && !matches!(mood, Mood::Status(_));
        self.answers.push(Answer { service, about, asked: now, delivered: None, lifetime, is_yes, is_large });
        Served { after, answer, number }
    }

    fn introspected(
        &self,
        service: Service,
        about: &str,
        number: usize,
        lie: Option<usize>,
        now: Timestamp,
        random: &mut Random,
    ) -> (&'static str, String, bool) {
        let token = self.tokens.iter().find(|token| token.service == service && token.text == about);
        let Some(token) = token.filter(|token| token.is_active(now)) else {
            let no = || (String::from(r#"{"active":false}"#), false);
            let (body, is_yes) = if service == Service::Gaf { no() } else { (String::new(), false) };
            return (if service == Service::Gaf { "200" } else { "401" }, body, is_yes);
        };
        let name = if service == Service::Gaf { "gaf" } else { "hub" };
        let mut claims = json!({
            "active": true, "sub": about, "aud": "data", "iss": format!("https://{name}.example.com"),
            "answer": number.to_string(),
        });
        if let Some(expires) = token.expires {
            let more = if self.mutant == Some(Mutant::Expiry) { 60 } else { 0 };
            claims["exp"] = json!(expires.since_epoch().as_secs() + more);
        }
        if let Some(key) = token.key.filter(|_| self.mutant != Some(Mutant::Unbound)) {
            claims["cnf"] = json!({"jkt": self.thumbprints[key]});
        }
        if random.once_in(8) {
            claims["padding"] = json!("x".repeat(5_000));
        }
        let text = match lie {
            None => return ("200", claims.to_string(), true),
            Some(0) => with(&claims, "iss", &json!("https://mallory.example.com")),
            Some(1) => with(&claims, "aud", &json!("other")),
            Some(2) => with(&claims, "exp", &json!(NOW - 100)),
            Some(3) => format!(r#"{{"active":true,{}"#, &claims.to_string()[1..]),
            Some(4) => claims.to_string().trim_end_matches('}').to_string(),
            Some(_) if service == Service::Gaf => with(&claims, "active", &json!("true")),
            Some(_) => String::from("<html>sign in</html>"),
        };
        ("200", text, false)
    }

    fn exchanged(
        &self,
        number: usize,
        lifetime: Option<Duration>,
        lie: Option<usize>,
        random: &mut Random,
    ) -> (&'static str, String, bool) {
        let more = if self.mutant == Some(Mutant::CredentialEnd) { 200 } else { 0 };
        let answer = json!({
            "access_token": format!("x-{number}"), "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "expires_in": lifetime.unwrap_or_default().as_secs() + more,
        });
        let text = match lie {
            None if random.once_in(20) => return ("400", json!({"error": "invalid_target"}).to_string(), false),
            None => return ("200", answer.to_string(), true),
            Some(0) => with(&answer, "issued_token_type", &json!("urn:ietf:params:oauth:token-type:refresh_token")),
            Some(1) => with(&answer, "token_type", &json!("mac")),
            Some(2) => with(&answer, "access_token", &json!(7)),
            Some(3) => format!(r#"{{"access_token":"y",{}"#, &answer.to_string()[1..]),
            Some(_) => answer.to_string().trim_end_matches('}').to_string(),
        };
        ("200", text, false)
    }
}

/// What STS says.
fn assumed(number: usize, end: Timestamp, lie: Option<usize>) -> (&'static str, String, bool) {
    let end = end.since_epoch().as_secs() - NOW;
    // NOW is 2027-01-15T08:00:00Z.
    let (hours, minutes, seconds) = (8 + end / 3600, end / 60 % 60, end % 60);
    let end = format!("2027-01-15T{hours:02}:{minutes:02}:{seconds:02}Z");
    let text = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA{number}</AccessKeyId>\
        <SecretAccessKey>wJalrXUtnFEMI</SecretAccessKey><SessionToken>FwoGZXIvYXdz</SessionToken>\
        <Expiration>{end}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
        </AssumeRoleWithWebIdentityResponse>"
    );
    let text = match lie {
        None => return ("200", text, true),
        Some(0) => text.replace("<Expiration>", "<Expiration>9"),
        Some(1) => text.replace("<AccessKeyId>", "<AccessKeyId><!-- x -->"),
        Some(2) => text.replace("<SessionToken>FwoGZXIvYXdz</SessionToken>", ""),
        Some(3) => text.replace("<Credentials>", "<Credentials><AccessKeyId>ASIA</AccessKeyId>"),
        Some(4) => format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{text}"),
        Some(_) => text[..text.len() - 20].to_string(),
    };
    ("200", text, false)
}

fn with(object: &Value, name: &str, value: &Value) -> String {
    let mut changed = object.clone();
    merge(&mut changed, &json!({name: value}));
    changed.to_string()
}

/// Whose a JWT is; whose none it is, the text itself.
pub(super) fn subject(token: &str) -> String {
    claims(token).and_then(|claims| claims["sub"].as_str().map(String::from)).unwrap_or_else(|| token.into())
}

pub(super) fn claims(token: &str) -> Option<Value> {
    let payload = base64url::decode(token.split('.').nth(1)?.as_bytes())?;
    serde_json::from_slice(&payload).ok()
}
