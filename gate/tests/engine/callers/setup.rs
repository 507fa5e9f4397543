//! What a seed decides of a run: what is configured, and what is broken on purpose.

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{HOST, SECRET};
use crate::seeds::Random;
use crate::support::{ISSUER, inline, merge};
use crate::upstream::signed;

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// `limits.waitFor`.
pub(super) const WAIT_FOR: Duration = Duration::from_secs(3);
/// `limits.waiting`.
pub(super) const WAITING: usize = 60;
/// `limits.lookups`.
pub(super) const LOOKUPS: usize = 12;
/// How long answers are waited for, if the host never ends a callout: the longest timeout, and some more.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What is broken on purpose, so that a promise fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mutant {
    /// The gate keeps what issuers said for longer.
    CacheFor,
    /// The host hands a callout over twice.
    CalloutTwice,
    /// Something writes a token to the shared data.
    ClearText,
    /// The exchange says that its tokens are good for longer than they are.
    CredentialEnd,
    /// An introspection endpoint says that tokens are good for longer than they are.
    Expiry,
    /// The gate keeps what issuers said for a second.
    Forgetful,
    /// The keys of the issuer of JWTs have to be fetched, from nobody.
    KeysAreAway,
    /// The gate has room for more lookups.
    ManyLookups,
    /// Each VM of a proxy has shared data of its own.
    NothingIsShared,
    /// The VMs of a proxy are taken for one.
    OneVm,
    /// The exchange answers with the token of another caller.
    OtherCaller,
    /// An introspection endpoint answers about another token.
    OtherToken,
    /// The faults never stop.
    StaysBad,
    /// Introspection endpoints do not say what tokens are bound to.
    Unbound,
    /// The gate has a longer `waitFor`.
    WaitFor,
}

/// What is configured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Variant {
    Plain,
    /// Another realm: nothing that an answer depends on.
    Realm,
    /// The one entry of `introspection` before the other.
    Swapped,
    /// The first entry asks at another URL.
    Endpoint,
}

impl Variant {
    pub(super) const ALL: [Self; 4] = [Self::Plain, Self::Realm, Self::Swapped, Self::Endpoint];

    /// Whether what the entry of `introspection` said counts on, after a change from the one to the other.
    pub(super) fn keeps(self, other: Self, is_first: bool) -> bool {
        let order = |variant| variant == Self::Swapped;
        let endpoint = |variant| variant == Self::Endpoint;
        order(self) == order(other) && (!is_first || endpoint(self) == endpoint(other))
    }
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) mutant: Option<Mutant>,
    pub(super) cache_for: Duration,
    pub(super) negative_for: Duration,
    pub(super) timeout: Duration,
    /// Of exchanged tokens.
    pub(super) kept_for: Duration,
    /// Whether hosts share data.
    pub(super) has_store: bool,
    /// What the caches of tokens and of credentials hold; with none, each is made anew.
    pub(super) cache_bytes: usize,
    /// VMs of each proxy.
    pub(super) vms: usize,
}

impl Setup {
    pub(super) fn draw(random: &mut Random, mutant: Option<Mutant>) -> Self {
        let setup = Self {
            mutant,
            cache_for: random.choose(&[5 * SECOND, 30 * SECOND, 60 * SECOND]),
            negative_for: random.choose(&[SECOND, 10 * SECOND]),
            timeout: random.choose(&[2 * SECOND, 5 * SECOND]),
            kept_for: random.choose(&[10 * SECOND, 300 * SECOND]),
            has_store: !random.once_in(6),
            cache_bytes: random.choose(&[1 << 20, 0]),
            vms: 1 + random.below(3),
        };
        setup.suited()
    }

    /// Such that what is broken on purpose matters.
    fn suited(self) -> Self {
        match self.mutant {
            Some(Mutant::NothingIsShared | Mutant::OneVm) => Self { vms: 3, has_store: true, ..self },
            Some(Mutant::CredentialEnd) => Self { kept_for: 300 * SECOND, cache_bytes: 1 << 20, ..self },
            Some(Mutant::CacheFor) => Self { cache_for: 5 * SECOND, ..self },
            Some(Mutant::Forgetful | Mutant::Expiry) => Self { cache_for: 60 * SECOND, ..self },
            _ => self,
        }
    }

    pub(super) fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    pub(super) fn config(&self, variant: Variant) -> Value {
        let mut config = inline(&json!({
            "introspection": self.introspection(variant),
            "upstreamCredentials": self.upstream(),
            "login": {
                "issuer": "main", "scopes": ["openid"], "client": {"id": "dashboard", "secret": "client-secret"},
                "cluster": "idp",
                "endpoints": {"authorization": format!("{ISSUER}/authorize"), "token": format!("{ISSUER}/token")},
            },
            "session": {
                "secrets": [SECRET], "publicUrl": format!("https://{HOST}"), "keep": ["idToken"], "lifetime": "8h",
                "refreshAfter": "2h",
            },
            "rules": [
                {"match": {"paths": ["/public"]}, "access": "public"},
                {"match": {"paths": ["/exchange"]}, "access": "authenticated", "upstream": "orders"},
                {"match": {"paths": ["/signed"]}, "access": "authenticated", "upstream": "internal"},
                {"match": {"paths": ["/eks"]}, "access": "authenticated", "upstream": "prod"},
                {"access": "authenticated"},
            ],
            "identityHeaders": {"x-sub": "sub", "x-answer": "answer"},
            "realm": if variant == Variant::Realm { "other" } else { "one" },
            "limits": {
                "waitFor": text(if self.is(Mutant::WaitFor) { WAIT_FOR * 2 } else { WAIT_FOR }), "waiting": WAITING,
                "lookups": if self.is(Mutant::ManyLookups) { LOOKUPS * 8 } else { LOOKUPS },
                "tokenCacheBytes": self.cache_bytes,
            },
        }));
        if self.is(Mutant::KeysAreAway) {
            let keys = json!({"jwksUri": format!("{ISSUER}/jwks"), "cluster": "idp"});
            merge(&mut config["issuers"][0], &json!({"keys": keys}));
        }
        config
    }

    fn introspection(&self, variant: Variant) -> Value {
        let cache_for = match self.mutant {
            Some(Mutant::CacheFor) => self.cache_for * 4,
            Some(Mutant::Forgetful) => SECOND,
            _ => self.cache_for,
        };
        let entry = |name: &str, prefix: &str, changes: Value| {
            let mut entry = json!({
                "name": name, "issuer": format!("https://{name}.example.com"), "match": {"prefix": prefix},
                "endpoint": format!("https://{name}.example.com/introspect"), "cluster": name, "audiences": ["data"],
                "cacheFor": text(cache_for), "negativeFor": text(self.negative_for), "timeout": text(self.timeout),
            });
            merge(&mut entry, &changes);
            entry
        };
        let path = if variant == Variant::Endpoint { "other" } else { "introspect" };
        let client = json!({"id": "gate", "secret": "s3cret"});
        let endpoint = format!("https://gaf.example.com/{path}");
        let mut entries = vec![
            entry("gaf", "gt-", json!({"client": client, "endpoint": endpoint})),
            entry("hub", "gh-", json!({"style": "self"})),
        ];
        if variant == Variant::Swapped {
            entries.reverse();
        }
        json!(entries)
    }

    fn upstream(&self) -> Value {
        let exchange = json!({
            "endpoint": "https://exchange.example.com/token", "cluster": "exchange", "audience": "orders",
            "client": {"id": "gate", "secret": "s3cret"}, "cacheFor": text(self.kept_for),
        });
        let role = |name: &str, access: Value| json!({"name": name, "arn": format!("arn:aws:iam::111122223333:role/{name}"), "access": access});
        let roles = [
            role("admin", json!({"groups": {"any": ["ops"]}})),
            role("viewer", json!({"not": {"groups": {"any": ["ops"]}}})),
        ];
        let eks = json!({
            "region": "eu-west-1", "clusterName": "prod", "sts": {"cluster": "sts", "endpoint": null}, "roles": roles,
        });
        json!([
            {"name": "orders", "exchange": exchange},
            {"name": "internal", "token": signed(&json!({"claims": ["sub"]}))},
            {"name": "prod", "eks": eks},
        ])
    }
}

fn text(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}
