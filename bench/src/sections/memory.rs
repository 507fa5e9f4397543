//! Memory while more different tokens come than any cache can hold.

#![expect(clippy::indexing_slicing, reason = "members of a JSON object that is made here")]

use std::collections::BTreeMap;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use real_envoy::Envoy;
use real_envoy::http::Connection;
use serde_json::{Map, Value, json};
use testbed::keys::{Algorithm, SigningKey, jwk_set};
use testbed::mint::{merge, mint, object, usual_claims};

use crate::failure::{At as _, Failure, Result};
use crate::gates;
use crate::process::Memory;
use crate::progress::step;
use crate::variant::Rules;
use crate::world::{AUDIENCE, SCOPE, World, bare};

/// The sizes of `limits.tokenCacheBytes` in MiB; with 0 nothing is remembered, so that what grows there grows anyway.
const SIZES: [u64; 4] = [0, 2, 8, 16];
/// How often it is looked at on the way.
const LOOKS: usize = 20;
/// On each, one request is under way: Envoy closes those on which more are sent before their answers are read.
const CONNECTIONS: usize = 32;

/// A cache, and the memory of its Envoy after so many tokens.
#[derive(Debug)]
pub(crate) struct Growth {
    pub(crate) cache_bytes: u64,
    pub(crate) points: Vec<(usize, Memory)>,
}

impl Growth {
    /// How much more was allocated than without a cache, as a share of what the cache may have; none if there is none.
    #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
    pub(crate) fn share(&self, all: &[Self]) -> Option<f64> {
        let anyway = all.iter().find(|growth| growth.cache_bytes == 0)?.bytes();
        (self.cache_bytes > 0).then(|| self.bytes().saturating_sub(anyway) as f64 / self.cache_bytes as f64)
    }

    /// How much was allocated since the start.
    pub(crate) fn bytes(&self) -> u64 {
        let at = |point: Option<&(usize, Memory)>| point.map_or(0, |(_, memory)| memory.anonymous);
        at(self.points.last()).saturating_sub(at(self.points.first()))
    }
}

/// Sends the same tokens, all of them different, to one Envoy for each size of the cache.
///
/// They are signed with HS256, which takes microseconds: what a cache holds of a token does not depend on its algorithm.
pub(crate) fn measure(world: &World, tokens: usize) -> Result<Vec<Growth>> {
    let key = SigningKey::generate(Algorithm::HS256);
    let mut subjects = SIZES
        .into_iter()
        .map(|mebibytes| {
            step(format!("starting Envoy: a token cache of {mebibytes} MiB"));
            Subject::start(world, &key, mebibytes << 20).at(format!("tokenCacheBytes of {mebibytes} MiB"))
        })
        .collect::<Result<Vec<_>>>()?;
    let mint = Minter::new(world, key);
    let mut sent = 0;
    while sent < tokens {
        let batch = CONNECTIONS.min(tokens - sent);
        let requests: Vec<Vec<u8>> = (sent..sent + batch).map(|number| mint.request(number)).collect();
        subjects.iter_mut().try_for_each(|subject| subject.write(&requests))?;
        subjects.iter_mut().try_for_each(|subject| subject.read(batch))?;
        if (sent + batch) * LOOKS / tokens > sent * LOOKS / tokens {
            step(format!("{} of {tokens} tokens", sent + batch));
            subjects.iter_mut().try_for_each(|subject| subject.look(sent + batch))?;
        }
        sent += batch;
    }
    subjects.iter().try_for_each(|subject| subject.check(tokens))?;
    Ok(subjects.into_iter().map(|subject| subject.growth).collect())
}

struct Minter {
    key: SigningKey,
    claims: Map<String, Value>,
}

impl Minter {
    fn new(world: &World, key: SigningKey) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let usual = usual_claims(world.issuer.issuer(), AUDIENCE, "", i64::try_from(now).unwrap_or_default(), 86_400);
        Self { key, claims: merge(usual, &object(json!({"scope": SCOPE}))) }
    }

    /// The request with the token of that number: a caller of its own.
    fn request(&self, number: usize) -> Vec<u8> {
        let mut claims = self.claims.clone();
        claims.insert("sub".into(), format!("caller-{number}").into());
        claims.insert("email".into(), format!("caller-{number}@example.com").into());
        bare(0).bearer(&mint(&self.key, &Map::new(), &claims)).bytes()
    }
}

struct Subject {
    envoy: Envoy,
    connections: Vec<Connection>,
    growth: Growth,
}

impl Subject {
    fn start(world: &World, key: &SigningKey, cache_bytes: u64) -> Result<Self> {
        let mut config = gates::jotgate(world, Rules::Mixed(10), 1);
        config["limits"] = json!({"tokenCacheBytes": cache_bytes});
        config["issuers"][0]["algorithms"] = json!([Algorithm::HS256.name()]);
        config["issuers"][0]["keys"] = json!({"inline": jwk_set([key])});
        let text = gates::open(world).plugin(&config.to_string()).text();
        let envoy = Envoy::builder(&text).concurrency(1).log_levels("warning", "wasm:error").start()?;
        let open = |_| Connection::open(envoy.address("gateway"));
        let connections = (0..CONNECTIONS).map(open).collect::<io::Result<_>>()?;
        let mut subject = Self { envoy, connections, growth: Growth { cache_bytes, points: Vec::new() } };
        subject.look(0)?;
        Ok(subject)
    }

    fn write(&mut self, requests: &[Vec<u8>]) -> Result<()> {
        for (connection, request) in self.connections.iter_mut().zip(requests) {
            connection.write(request)?;
        }
        Ok(())
    }

    fn read(&mut self, count: usize) -> Result<()> {
        for connection in self.connections.iter_mut().take(count) {
            let answer = connection.response(false)?;
            if answer.status != 200 {
                return Err(Failure::new(format!("memory: expected 200, found {}: {}", answer.status, answer.text())));
            }
        }
        Ok(())
    }

    fn look(&mut self, sent: usize) -> Result<()> {
        self.growth.points.push((sent, Memory::of(self.envoy.pid())?));
        Ok(())
    }

    /// Each token was new to it.
    fn check(&self, tokens: usize) -> Result<()> {
        self.envoy.counter("wasmcustom.jotgate_tokens_verified", u64::try_from(tokens).unwrap_or_default())?;
        let counted: BTreeMap<String, u64> = self.envoy.stats("wasmcustom.jotgate_tokens")?;
        let count = |name: &str| counted.get(name).copied().unwrap_or_default();
        let found = (count("wasmcustom.jotgate_tokens_verified"), count("wasmcustom.jotgate_tokens_cached"));
        let wanted = (u64::try_from(tokens).unwrap_or_default(), 0);
        if found == wanted {
            return Ok(());
        }
        Err(Failure::new(format!("memory: expected {wanted:?} tokens verified and cached, found {found:?}")))
    }
}
