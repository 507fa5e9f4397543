//! The differential test: the real STAC Auth Proxy and Envoy with Jotgate get the same requests, in front of one
//! upstream and with one issuer. What is decided, and what the upstream sees, is the same but for what
//! `differences` lists.
//!
//! | module | subject |
//! | --- | --- |
//! | `real` | STAC Auth Proxy itself, from `PyPI` |
//! | `requests` | the requests, from a seed |
//! | `differences` | where the two differ, and why |
//!
//! `JOTGATE_SEED=…` sends other requests.

mod differences;
mod real;
mod requests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::{env, fmt, fs};

use real_envoy::Builder;
use serde_json::Value;
use test_support::random::Random;
use test_support::workspace;

use self::differences::{DIFFERENCES, Difference};
use self::real::Real;
use self::requests::{Case, Tokens};
use crate::stac::{AUDIENCE, ISSUER, with_scopes};
use crate::world::World;

/// How both are set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// As they are set up by default, in `stac.yaml`.
    Private,
    /// `DEFAULT_PUBLIC=true`, in `stac-public.yaml`.
    Public,
    /// Likewise, and the private endpoints ask for scopes.
    Scopes,
}

/// The scopes of private endpoints in [`Setting::Scopes`]: the rule, STAC Auth Proxy's pattern, the methods, the scopes.
pub(crate) const SCOPES: [(&str, &str, &[&str], &[&str]); 5] = [
    ("create-collection", "^/collections$", &["POST"], &["collection:create"]),
    ("change-collection", "^/collections/([^/]+)$", &["PUT", "PATCH", "DELETE"], &["collection:change"]),
    ("create-item", "^/collections/([^/]+)/items$", &["POST"], &["item:create"]),
    ("change-item", "^/collections/([^/]+)/items/([^/]+)$", &["PUT", "PATCH", "DELETE"], &["item:change", "item:read"]),
    ("create-items", "^/collections/([^/]+)/bulk_items$", &["POST"], &["item:create", "item:bulk"]),
];

/// What came of a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) status: u16,
    pub(crate) seen: Option<Seen>,
}

/// What the upstream saw of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With the query, if that is not empty.
    pub(crate) path: String,
    /// `TOKEN` stands for the token that was sent.
    pub(crate) authorization: Vec<String>,
}

impl Verdict {
    /// It was answered with this status, and the upstream saw nothing.
    pub(crate) fn is_refusal(&self, status: u16) -> bool {
        self.status == status && self.seen.is_none()
    }

    /// It was let through to the upstream, or to what a proxy answers by itself.
    pub(crate) const fn is_passed(&self) -> bool {
        self.status == 200
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.seen {
            None => write!(formatter, "{}", self.status),
            Some(Seen { method, path, authorization }) => {
                write!(formatter, "{}, the upstream saw {method} {path} {authorization:?}", self.status)
            }
        }
    }
}

#[test]
fn decides_as_stac_auth_proxy_does_by_default() {
    compare(Setting::Private);
}

#[test]
fn decides_as_stac_auth_proxy_does_with_default_public() {
    compare(Setting::Public);
}

#[test]
fn decides_as_stac_auth_proxy_does_with_scopes() {
    compare(Setting::Scopes);
}

#[test]
fn the_page_has_every_difference() {
    let page = fs::read_to_string(workspace().join("docs/migrate/stac-auth-proxy.md")).unwrap();
    let (_, table) = page.split_once("| --- | --- |\n| a token of another issuer").unwrap();
    assert_eq!(table.lines().count(), DIFFERENCES.len());
    for Difference { what, why, .. } in &DIFFERENCES {
        let row = format!("| {what} | {why} |\n");
        assert!(page.contains(&row), "this row is not in the page: {row}");
    }
}

fn compare(setting: Setting) {
    let scenario = if setting == Setting::Private { "stac" } else { "stac-public" };
    let change = |builder: Builder| {
        // The gate itself is compared, with paths as clients write them.
        let builder = builder.replace("normalize_path: true", "normalize_path: false");
        match setting {
            Setting::Scopes => with_scopes(builder, &SCOPES.map(|(rule, _, _, scopes)| (rule, scopes))),
            _ => builder,
        }
    };
    if !real::is_installed() {
        return;
    }
    let world = World::with(scenario, Some(ISSUER), AUDIENCE, change);
    let real = Real::start(&world, setting);
    let tokens = Tokens::mint(&world.issuer);

    let seed = env::var("JOTGATE_SEED").map_or(1, |seed| seed.parse().unwrap());
    let examples = DIFFERENCES.iter().filter(|difference| difference.setting == setting);
    let examples: Vec<Case> = examples.map(|difference| difference.example.clone()).collect();
    let generated = requests::generate(&mut Random::new(seed));
    let mut unexplained = Vec::new();
    let mut counts = BTreeMap::new();
    for (number, case) in examples.iter().chain(&generated).enumerate() {
        let theirs = run_case(&world, real.address(), &tokens, case, &format!("theirs-{number}"));
        let ours = run_case(&world, world.envoy.address("gateway"), &tokens, case, &format!("ours-{number}"));
        if theirs == ours {
            *counts.entry("the same").or_insert(0) += 1;
            continue;
        }
        let explained = DIFFERENCES.iter().position(|difference| (difference.holds)(case, &theirs, &ours));
        match explained {
            Some(index) => *counts.entry(DIFFERENCES[index].what).or_insert(0) += 1,
            None => unexplained.push(format!("{case:?}\n    theirs: {theirs:?}\n    ours: {ours:?}")),
        }
    }
    for (what, count) in &counts {
        println!("{count:5} {what}");
    }
    assert!(unexplained.is_empty(), "seed {seed}: {} differences:\n{}", unexplained.len(), unexplained.join("\n"));
    for difference in DIFFERENCES.iter().filter(|difference| difference.setting == setting) {
        let Difference { what, why, .. } = difference;
        assert!(counts.contains_key(what), "this is no difference any more: {what} (here, {why})");
    }
}

fn run_case(world: &World, proxy: SocketAddr, tokens: &Tokens, case: &Case, number: &str) -> Verdict {
    world.upstream.forget();
    let response = case.request(tokens).header("x-case", number).send(proxy);
    let response = response.unwrap_or_else(|error| panic!("{case:?}: {error}"));
    let seen = world.upstream.seen().into_iter().find(|head| lines(head, "x-case") == [number]);
    let seen = seen.map(|head| {
        let text = |name: &str| head[name].as_str().unwrap().to_string();
        let path = text("path");
        let authorization =
            lines(&head, "authorization").iter().map(|line| tokens.hide(line, case.credential)).collect();
        Seen { method: text("method"), path: path.strip_suffix('?').unwrap_or(&path).to_string(), authorization }
    });
    Verdict { status: response.status, seen }
}

/// The values of a request header.
fn lines(head: &Value, name: &str) -> Vec<String> {
    let pairs = head["headers"].as_array().unwrap().iter();
    pairs.filter(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap().to_string()).collect()
}
