//! An issuer: which keys it publishes when, and what it answers.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Map, Value, json};
use strict_host::{CalloutAnswer, Response};
use testbed::keys::{Algorithm, SigningKey, jwk_set};
use testbed::mint::{mint, object};

/// Keys are made once; issuers take them in turn.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    (0..64).map(|number| SigningKey::generate(Algorithm::EdDSA).with_kid(format!("k{number}"))).collect()
});

/// What an issuer does with a callout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mood {
    Good,
    /// As good, after so many milliseconds.
    Slow(u64),
    Empty,
    Hang,
    Html,
    Odd,
    Refuse,
    Reset,
    Status(u16),
    TooLong,
    Truncated,
}

impl Mood {
    pub(crate) const BAD: [Self; 10] = [
        Self::Empty,
        Self::Hang,
        Self::Html,
        Self::Odd,
        Self::Refuse,
        Self::Reset,
        Self::Status(302),
        Self::Status(500),
        Self::TooLong,
        Self::Truncated,
    ];

    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::Slow(_))
    }

    /// How long an answer takes; none for those that never come.
    pub(crate) fn delay(self) -> Option<Duration> {
        match self {
            Self::Slow(milliseconds) => Some(Duration::from_millis(milliseconds)),
            Self::Hang => None,
            _ => Some(Duration::ZERO),
        }
    }
}

/// A key in the hands of an issuer, by the clock of timers.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    number: usize,
    pub(crate) published: Duration,
    pub(crate) withdrawn: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    pub(crate) mood: Mood,
    /// Since when it has answered well.
    pub(crate) good_since: Option<Duration>,
    pub(crate) keys: Vec<Held>,
    /// Whether an odd entry is among its keys.
    has_odd_entry: bool,
    first: usize,
}

impl Issuer {
    pub(crate) fn new(index: usize) -> Self {
        let mut issuer = Self {
            name: format!("i{index}"),
            mood: Mood::Good,
            good_since: Some(Duration::ZERO),
            keys: Vec::new(),
            has_odd_entry: index == 1,
            // Its own keys are these 16; the next 16 are the neighbour's, and the last are nobody's.
            first: index * 16,
        };
        issuer.rotate(Duration::ZERO, false);
        issuer
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}.example.com", self.name)
    }

    pub(crate) fn set_mood(&mut self, mood: Mood, now: Duration) {
        self.mood = mood;
        self.good_since = mood.is_good().then(|| self.good_since.unwrap_or(now));
    }

    /// A new key; the old ones stay published if they are kept. `false` where all keys were used.
    pub(crate) fn rotate(&mut self, now: Duration, keep: bool) -> bool {
        if self.keys.len() >= 16 {
            return false;
        }
        if !keep {
            for key in &mut self.keys {
                key.withdrawn.get_or_insert(now);
            }
        }
        self.keys.push(Held { number: self.first + self.keys.len(), published: now, withdrawn: None });
        true
    }

    pub(crate) fn current(&self) -> impl Iterator<Item = &Held> {
        self.keys.iter().filter(|key| key.withdrawn.is_none())
    }

    /// A token that is good for a year, by this clock or one that is set an hour off.
    pub(crate) fn token(&self, key: &Held) -> String {
        mint(&KEYS[key.number], &Map::new(), &self.claims())
    }

    /// One by a stranger, under the `kid` of a key that the issuer has.
    pub(crate) fn forged(&self, key: &Held) -> String {
        let stranger = KEYS[63].clone().with_kid(KEYS[key.number].kid());
        mint(&stranger, &Map::new(), &self.claims())
    }

    /// One whose `kid` nobody has.
    pub(crate) fn unknown(&self, kid: u64) -> String {
        mint(&KEYS[62], &object(json!({"kid": format!("junk{kid}")})), &self.claims())
    }

    fn claims(&self) -> Map<String, Value> {
        object(json!({"iss": self.url(), "aud": "api", "sub": "alice", "exp": 1_800_000_000}))
    }

    /// The set that it publishes now.
    pub(crate) fn published(&self) -> Value {
        let mut set = jwk_set(self.current().map(|key| &KEYS[key.number]));
        if self.has_odd_entry {
            set["keys"].as_array_mut().unwrap().insert(0, json!({"kty": "RSA", "kid": "odd", "n": 1}));
        }
        set
    }

    /// The stranger's key under the names of all its own.
    pub(crate) fn forged_set(&self) -> Value {
        let stranger = |key: &Held| KEYS[63].clone().with_kid(KEYS[key.number].kid());
        jwk_set(&self.current().map(stranger).collect::<Vec<_>>())
    }

    pub(crate) fn answer(&self, path: &str) -> CalloutAnswer {
        let good = match path {
            "/jwks" => self.published(),
            _ => json!({"issuer": self.url(), "jwks_uri": format!("{}/jwks", self.url())}),
        };
        let text = good.to_string();
        let answer = match self.mood {
            Mood::Good | Mood::Slow(_) => CalloutAnswer::respond(Response::json(text)),
            Mood::Empty => CalloutAnswer::respond(Response::json(r#"{"keys":[]}"#)),
            Mood::Hang => CalloutAnswer::hang(),
            Mood::Html => CalloutAnswer::respond(Response::new(200).body("<html>sign in</html>")),
            Mood::Odd => CalloutAnswer::respond(Response::json(r#"{"keys":[{"kty":"AKP"},null]}"#)),
            Mood::Refuse => CalloutAnswer::fail(),
            Mood::Reset => CalloutAnswer::reset(),
            // The keys of a stranger, which nobody asked for.
            Mood::Status(status) => {
                CalloutAnswer::respond(Response::new(status).body(jwk_set([&KEYS[63]]).to_string()))
            }
            Mood::TooLong => CalloutAnswer::respond(Response::json(text + &" ".repeat(300_000))),
            Mood::Truncated => CalloutAnswer::respond(Response::json(&text[..text.len() - 3])),
        };
        self.mood.delay().map_or(answer.clone(), |delay| answer.after(delay))
    }
}
