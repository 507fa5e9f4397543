//! An issuer: whom it knows, which refresh tokens are good, and what it answers when it is not well.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::setup::{MINUTE, Rotation, SECOND, Setup};
use crate::browser::{discovery, form};
use crate::fleet::Vm;
use crate::seeds::Random;
use crate::support::{Fetch, ISSUER, Key, NOW};
use gate::Timestamp;

/// How long answers are waited for: the default.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Each token and each claim that nobody else may read has one of these.
pub(super) const SECRET_WORDS: [&str; 3] = ["access-", "refresh-", "subject-"];
const KIDS: [&str; 8] = ["k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"];

/// What an issuer does with what it is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mood {
    Good,
    /// It does what it is asked, and answers after this time.
    Slow(Duration),
    /// It does what it is asked, and the answer is lost, at once.
    Deaf,
    /// It is not reached.
    Gone,
    /// It is not reached, and nobody says so.
    Silent,
    /// It does nothing.
    Status(&'static str),
}

pub(super) const BAD_MOODS: [Mood; 8] = [
    Mood::Slow(Duration::from_millis(1500)),
    Mood::Slow(Duration::from_millis(4500)),
    Mood::Slow(Duration::from_secs(20)),
    Mood::Deaf,
    Mood::Gone,
    Mood::Silent,
    Mood::Status("500"),
    Mood::Status("503"),
];

/// Tokens that were given out at once.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// The login that it comes from: its first grant.
    pub(super) session: usize,
    /// What it was refreshed from.
    pub(super) parent: Option<usize>,
    pub(super) at: Timestamp,
    /// When its ID token ends, if there is one.
    pub(super) expiry: Option<Timestamp>,
    pub(super) asked_by: Vm,
    /// When the VM had it. None: it never did.
    pub(super) delivered: Option<Timestamp>,
    /// How many keys there must be known to have been, to check its ID token.
    pub(super) keys: usize,
    /// Whether the VM could check its ID token in time.
    pub(super) is_checked: bool,
    refresh_token: String,
}

/// A login at the issuer, and all that follows from it.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) person: usize,
    /// When the issuer ended it.
    pub(super) ended: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Code {
    person: usize,
    nonce: String,
    is_used: bool,
}

/// A refresh token that was used before.
#[derive(Clone, Debug)]
pub(super) struct Reuse {
    pub(super) by: Vm,
    /// The grant whose token it is, and the one that it was used for.
    pub(super) grant: usize,
    pub(super) successor: usize,
}

pub(super) struct Issuer {
    rotation: Rotation,
    renews_id_token: bool,
    token_lifetime: Duration,
    padding: usize,
    breaks_its_rule: bool,
    pub(super) mood: Mood,
    pub(super) grants: Vec<Grant>,
    pub(super) families: BTreeMap<usize, Family>,
    codes: Vec<Code>,
    /// By refresh token: the grants that have it, the newest last.
    tokens: BTreeMap<String, Vec<usize>>,
    /// The first use of each refresh token: when, and for which grant.
    uses: BTreeMap<String, (Timestamp, usize)>,
    /// What ended a family since somebody looked.
    pub(super) reuses: Vec<Reuse>,
    keys: Vec<Key>,
    pub(super) next_key: usize,
}

/// What becomes of a callout: after this time there is an answer, or none. And which grant came of it.
pub(super) struct Served {
    pub(super) after: Duration,
    pub(super) answer: Option<(&'static str, String)>,
    pub(super) grant: Option<usize>,
    pub(super) is_fault: bool,
}

impl Issuer {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            rotation: setup.rotation,
            renews_id_token: setup.renews_id_token,
            token_lifetime: setup.token_lifetime,
            padding: setup.padding,
            breaks_its_rule: setup.is(super::setup::Mutant::IssuerBreaksItsRule),
            mood: Mood::Good,
            grants: Vec::new(),
            families: BTreeMap::new(),
            codes: Vec::new(),
            tokens: BTreeMap::new(),
            uses: BTreeMap::new(),
            reuses: Vec::new(),
            keys: vec![Key::new(KIDS[0])],
            next_key: 1,
        }
    }

    /// A new key signs; the one before it may stay published.
    pub(super) fn rotate_keys(&mut self, keeps_old: bool) -> bool {
        let Some(kid) = KIDS.get(self.next_key) else { return false };
        self.next_key += 1;
        if !keeps_old {
            self.keys.clear();
        }
        self.keys.push(Key::new(kid));
        true
    }

    /// A person agrees; gives the code.
    pub(super) fn agree(&mut self, person: usize, nonce: &str) -> String {
        self.codes.push(Code { person, nonce: nonce.into(), is_used: false });
        format!("code-{}", self.codes.len() - 1)
    }

    /// Whether a refresh with what came with this grant would succeed.
    pub(super) fn would_renew(&self, grant: usize, now: Timestamp) -> bool {
        let grant = &self.grants[grant];
        self.families[&grant.session].ended.is_none()
            && match (self.rotation, self.uses.get(&grant.refresh_token)) {
                (Rotation::Never, _) | (_, None) => true,
                (Rotation::Grace(grace), Some((used, _))) => now.since(*used) <= grace,
                (Rotation::Strict, Some(_)) => false,
            }
    }

    /// Whether `grant` came from `from`, directly or not.
    pub(super) fn follows(&self, grant: usize, from: usize) -> bool {
        let mut grant = Some(grant);
        while let Some(found) = grant {
            if found == from {
                return true;
            }
            grant = self.grants[found].parent;
        }
        false
    }

    pub(super) fn serve(&mut self, fetch: &Fetch, by: Vm, now: Timestamp, random: &mut Random) -> Served {
        let mood = if random.below(3) > 0 { self.mood } else { Mood::Good };
        let quick = random.duration(Duration::from_millis(5), Duration::from_millis(400));
        let nothing = |after, answer| Served { after, answer, grant: None, is_fault: true };
        match mood {
            Mood::Gone => nothing(quick, None),
            Mood::Silent => nothing(TIMEOUT, None),
            Mood::Status(status) => nothing(quick, Some((status, String::from("not well")))),
            Mood::Deaf => {
                let (_, grant) = self.answer(fetch, by, now, random);
                Served { after: quick, answer: None, grant, is_fault: true }
            }
            Mood::Slow(after) => {
                let (answer, grant) = self.answer(fetch, by, now, random);
                let answer = Some(answer).filter(|_| after < TIMEOUT);
                Served { after: after.min(TIMEOUT), answer, grant, is_fault: true }
            }
            Mood::Good => {
                let (answer, grant) = self.answer(fetch, by, now, random);
                Served { after: quick, answer: Some(answer), grant, is_fault: false }
            }
        }
    }

    fn answer(
        &mut self,
        fetch: &Fetch,
        by: Vm,
        now: Timestamp,
        random: &mut Random,
    ) -> ((&'static str, String), Option<usize>) {
        match fetch.path.as_str() {
            "/.well-known/openid-configuration" => (("200", discovery().to_string()), None),
            "/jwks" => {
                let keys: Vec<_> = self.keys.iter().map(Key::jwk).collect();
                (("200", json!({"keys": keys}).to_string()), None)
            }
            "/token" => match self.redeem(&form(&fetch.body), by, now, random) {
                Some((answer, grant)) => (("200", answer.to_string()), Some(grant)),
                None => (("400", json!({"error": "invalid_grant"}).to_string()), None),
            },
            path => panic!("nobody asks for {path}"),
        }
    }

    fn redeem(
        &mut self,
        asked: &BTreeMap<String, String>,
        by: Vm,
        now: Timestamp,
        random: &mut Random,
    ) -> Option<(Value, usize)> {
        let number = self.grants.len();
        let mut nonce = None;
        let (session, parent) = if let Some(token) = asked.get("refresh_token") {
            let parent = self.refresh(token, by, now, random)?;
            (self.grants[parent].session, Some(parent))
        } else {
            let index: usize = asked["code"].strip_prefix("code-")?.parse().ok()?;
            let code = self.codes.get_mut(index).filter(|code| !code.is_used)?;
            code.is_used = true;
            nonce = Some(code.nonce.clone());
            self.families.insert(number, Family { person: code.person, ended: None });
            (number, None)
        };
        let refresh_token = match parent {
            Some(parent) if self.rotation == Rotation::Never => self.grants[parent].refresh_token.clone(),
            _ => format!("refresh-{number}-of-{session}"),
        };
        let has_id_token = parent.is_none() || self.renews_id_token;
        let expiry = has_id_token.then(|| now.after(self.token_lifetime));
        let mut answer = json!({
            "access_token": format!("access-{number}-{}", "x".repeat(self.padding)), "token_type": "Bearer",
        });
        if self.rotation != Rotation::Never || parent.is_none() || random.once_in(2) {
            answer["refresh_token"] = json!(refresh_token);
        }
        if has_id_token {
            answer["id_token"] = json!(self.id_token(session, nonce.as_deref(), now));
        }
        self.tokens.entry(refresh_token.clone()).or_default().push(number);
        let keys = if has_id_token { self.next_key } else { 0 };
        self.grants.push(Grant {
            session,
            parent,
            at: now,
            expiry,
            asked_by: by,
            delivered: None,
            keys,
            is_checked: false,
            refresh_token,
        });
        if let Some(parent) = parent {
            self.uses.entry(self.grants[parent].refresh_token.clone()).or_insert((now, number));
        }
        Some((answer, number))
    }

    /// Takes a refresh token; gives the grant that it belongs to, if it is good.
    fn refresh(&mut self, token: &str, by: Vm, now: Timestamp, random: &mut Random) -> Option<usize> {
        let grant = *self.tokens.get(token)?.last()?;
        let session = self.grants[grant].session;
        if self.breaks_its_rule && random.once_in(6) {
            return None;
        }
        if self.would_renew(grant, now) {
            return Some(grant);
        }
        let successor = self.uses.get(token).map(|(_, successor)| *successor);
        let family = self.families.get_mut(&session).expect("has a family");
        if family.ended.is_none() {
            family.ended = Some(now);
            self.reuses.extend(successor.map(|successor| Reuse { by, grant, successor }));
        }
        None
    }

    fn id_token(&self, session: usize, nonce: Option<&str>, now: Timestamp) -> String {
        let now = now.since_epoch().as_secs();
        let claims = json!({
            "aud": "dashboard", "sub": subject(session), "nonce": nonce, "iat": now,
            "exp": now + self.token_lifetime.as_secs(),
        });
        self.keys.last().expect("has a key").token(&claims)
    }
}

/// Each login has a subject of its own.
pub(super) fn subject(session: usize) -> String {
    format!("subject-{session}-{NOW}")
}

/// How long it takes until callouts are made again, whatever failed.
pub(super) const BACK_OFF: Duration = MINUTE.saturating_add(SECOND);

/// Where a redirect to the issuer leads.
pub(super) fn back(code: &str, state: &str) -> String {
    let encode = |text: &str| oauth::form::encode(text).to_string();
    format!("/.jotgate/callback?code={code}&state={state}&iss={}", encode(ISSUER))
}
