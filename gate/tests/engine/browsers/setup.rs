//! What a seed decides of a run: how sessions are configured, what kind of issuer there is, and what is broken on
//! purpose.

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{HOST, login};
use crate::seeds::Random;
use crate::support::{ISSUER, NOW};
use gate::Timestamp;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
/// How far clocks may differ.
pub(super) const SKEW: Duration = MINUTE;

const SECRETS: [&str; 4] = [
    "0123456789abcdef0123456789abcdef",
    "123456789abcdef0123456789abcdef0",
    "23456789abcdef0123456789abcdef01",
    "3456789abcdef0123456789abcdef012",
];
/// How many secrets there are: each is once the first.
pub(super) const MOST_SECRETS: usize = SECRETS.len();

/// What an issuer does with a refresh token that was used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rotation {
    /// It is good for a while; after that as with `Strict`.
    Grace(Duration),
    /// It stays good.
    Never,
    /// It ends its whole family (RFC 9700 §4.14.2).
    Strict,
}

/// What is broken on purpose, so that a promise fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mutant {
    /// Browsers drop some of the cookies that they are given.
    BrowsersDropCookies,
    /// Something writes a refresh token to the shared data.
    ClearText,
    /// The gate forgets what `idle` says.
    Idle,
    /// The issuer refuses refresh tokens that are good.
    IssuerBreaksItsRule,
    /// The gate has a longer `lifetime`.
    Lifetime,
    /// Something writes more and more entries to the shared data.
    ManyEntries,
    /// Browsers lose their cookies, once the faults have stopped.
    NobodyStaysIn,
    /// The gate forgets what `notBefore` says.
    NotBefore,
    /// Each VM of a proxy has shared data of its own.
    NothingIsShared,
    /// The gate has a longer `refreshAfter`.
    RefreshAfter,
    /// A new secret is the only one at once.
    SecretsAtOnce,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) mutant: Option<Mutant>,
    pub(super) rotation: Rotation,
    /// Whether a refresh brings an ID token.
    pub(super) renews_id_token: bool,
    /// How long ID tokens are good.
    pub(super) token_lifetime: Duration,
    pub(super) lifetime: Duration,
    pub(super) idle: Option<Duration>,
    pub(super) refresh_after: Duration,
    pub(super) outage: Duration,
    /// What access tokens are longer than they need to be: with it, a session takes two cookies.
    pub(super) padding: usize,
    /// Whether browsers keep to one proxy for long.
    pub(super) is_sticky: bool,
}

impl Setup {
    pub(super) fn draw(random: &mut Random, mutant: Option<Mutant>) -> Self {
        let rotations = [Rotation::Strict, Rotation::Strict, Rotation::Grace(30 * SECOND), Rotation::Never];
        let setup = Self {
            mutant,
            rotation: random.choose(&rotations),
            renews_id_token: random.below(4) > 0,
            token_lifetime: random.choose(&[2 * MINUTE, 5 * MINUTE, 60 * MINUTE]),
            lifetime: random.choose(&[25 * MINUTE, 180 * MINUTE]),
            idle: random.choose(&[None, Some(6 * MINUTE), Some(20 * MINUTE)]),
            refresh_after: random.choose(&[MINUTE, 2 * MINUTE, 5 * MINUTE]),
            outage: random.choose(&[Duration::ZERO, 2 * MINUTE, 15 * MINUTE]),
            padding: random.choose(&[0, 0, 3_200]),
            is_sticky: random.below(4) > 0,
        };
        setup.suited()
    }

    /// Such that what is broken on purpose matters.
    fn suited(self) -> Self {
        match self.mutant {
            Some(Mutant::BrowsersDropCookies | Mutant::IssuerBreaksItsRule | Mutant::NothingIsShared) => {
                Self { rotation: Rotation::Strict, is_sticky: true, ..self }
            }
            Some(Mutant::Idle) => Self { idle: Some(6 * MINUTE), token_lifetime: 60 * MINUTE, ..self },
            Some(Mutant::Lifetime) => Self { lifetime: 25 * MINUTE, idle: None, is_sticky: true, ..self },
            Some(Mutant::RefreshAfter) => {
                Self { refresh_after: MINUTE, outage: Duration::ZERO, token_lifetime: 60 * MINUTE, ..self }
            }
            _ => self,
        }
    }

    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// What a VM gets: the first of these secrets seals.
    pub(super) fn config(&self, secrets: &[usize], not_before: Option<Timestamp>) -> Value {
        let lifetime = if self.is(Mutant::Lifetime) { self.lifetime * 2 } else { self.lifetime };
        let refresh_after = if self.is(Mutant::RefreshAfter) { self.refresh_after * 6 } else { self.refresh_after };
        let idle = self.idle.filter(|_| !self.is(Mutant::Idle));
        let not_before = not_before.filter(|_| !self.is(Mutant::NotBefore));
        let mut session = json!({
            "secrets": secrets.iter().map(|&secret| SECRETS[secret]).collect::<Vec<_>>(),
            "publicUrl": format!("https://{HOST}"), "keep": ["accessToken"], "lifetime": text(lifetime),
            "refreshAfter": text(refresh_after), "outage": text(self.outage),
        });
        if let Some(idle) = idle {
            session["idle"] = json!(text(idle));
        }
        if let Some(not_before) = not_before {
            session["notBefore"] = json!(date(not_before));
        }
        login(&json!({"session": session, "forwardToken": true}))
    }

    /// The configuration of a VM that opens every session of this secret, however old it is.
    pub(super) fn oracle(secret: usize) -> Value {
        let session = json!({
            "secrets": [SECRETS[secret]], "publicUrl": format!("https://{HOST}"), "keep": ["accessToken"], "lifetime": "8760h",
            "refreshAfter": "8759h", "outage": "8760h",
        });
        login(&json!({"session": session, "forwardToken": true}))
    }
}

fn text(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

/// RFC 3339. Runs take less than a day.
fn date(instant: Timestamp) -> String {
    let seconds = instant.since(Timestamp::from_secs(NOW)).as_secs() + 8 * 3600;
    assert!(seconds < 24 * 3600, "a run takes no longer");
    format!("2027-01-15T{:02}:{:02}:{:02}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// An origin of paths at the issuer.
pub(super) fn authorize() -> String {
    format!("{ISSUER}/authorize?")
}
